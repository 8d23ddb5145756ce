// Reads every file of a log and reports on each, also while writers are at work.
import { setTimeout as sleep } from "node:timers/promises";
import type { SegmentRef } from "../format/control-line.ts";
import { LineSplitter } from "../format/lines.ts";
import { locate } from "./locate.ts";
import type { LogSource, SourceFile } from "./log-source.ts";
import { readFirstLine } from "../format/read-control-line.ts";
import {
  compareSegmentNames,
  dayOfSegment,
  parseSegmentName,
  segmentDay,
} from "../format/segment-name.ts";
import type { SegmentReport } from "./segment-report.ts";
import type { Pin } from "./verification.ts";
import type { Keyring } from "./checkpoint-check.ts";
import { Streams } from "./ends.ts";
import { recordsOf, referenceOfPin, referencesOf } from "./references.ts";
import { examineSegment } from "./examine-segment.ts";

/** How far verification has come. */
export interface VerifyProgress {
  readonly file: string;
  /** Bytes read of all files. */
  readonly bytesRead: number;
  readonly totalBytes: number;
}

/** `VerifyOptions`, resolved. */
export interface VerifySettings {
  readonly keyring: Keyring;
  readonly pins: readonly Pin[];
  readonly onProgress: (progress: VerifyProgress) => void;
  readonly now: Date;
  readonly signatures: "all" | "last";
}

/** A log's files, read. */
export interface LogReading {
  readonly reports: SegmentReport[];
  /** What is no regular file, by its name. */
  readonly odd: readonly SourceFile[];
}

/**
 * Reports on all files, with the roots at every size that any of them, a pin, or `recorded` refers to. First lines are read
 * beforehand, so that one pass is enough; only what a writer adds meanwhile is read after that.
 */
export async function readReports(
  source: LogSource,
  settings: VerifySettings,
  recorded: readonly SegmentRef[],
): Promise<LogReading> {
  const reader = new LogReader(source, settings, recorded);
  await reader.readNewFiles();
  await reader.awaitSuccessors();
  return reader.reading();
}

class LogReader {
  readonly #source: LogSource;
  readonly #settings: VerifySettings;
  readonly #files = new Map<string, SourceFile>();
  readonly #reports = new Map<string, SegmentReport>();
  /** For each file the sizes of its tree that something refers to. */
  readonly #wanted = new Map<string, Set<number>>();

  constructor(source: LogSource, settings: VerifySettings, recorded: readonly SegmentRef[]) {
    this.#source = source;
    this.#settings = settings;
    this.#want(settings.pins.map(referenceOfPin));
    this.#want(recorded);
  }

  reading(): LogReading {
    const odd = [...this.#files.values()].filter(({ oddity }) => oddity !== undefined);
    return { reports: [...this.#reports.values()], odd };
  }

  /**
   * Lists and reads. What a writer refers to may have begun after the listing: each file that is referred to and was
   * not listed is looked for once more.
   */
  async readNewFiles(): Promise<void> {
    const lookedFor = new Set<string>();
    for (;;) {
      await this.#read(await this.#newFiles());
      const absent = [...this.#wanted.keys()].filter(
        (file) => !this.#files.has(file) && !lookedFor.has(file),
      );
      if (absent.length === 0) return;
      for (const file of absent) lookedFor.add(file);
    }
  }

  /** Between the end of a full segment and the beginning of the next there is a moment without either. */
  async awaitSuccessors(): Promise<void> {
    if (this.#source.sizeOf === undefined) return;
    for (let waitedMs = 0; waitedMs < PATIENCE_MS && this.#awaitsSuccessor(); waitedMs += POLL_MS) {
      await sleep(POLL_MS);
      await this.readNewFiles();
    }
  }

  #awaitsSuccessor(): boolean {
    const reports = [...this.#reports.values()];
    const streams = new Streams(reports);
    return reports.some(
      (report) => mayBeWritten(report.file, this.#settings.now) && streams.lacksSuccessor(report),
    );
  }

  async #newFiles(): Promise<SourceFile[]> {
    const added = (await this.#source.files())
      .filter(({ file }) => !this.#files.has(file))
      .toSorted(byName);
    for (const file of added) this.#files.set(file.file, file);
    return added.filter(({ oddity }) => oddity?.isReadable !== false);
  }

  /** Reads new files, and those again of which a size is wanted only now. */
  async #read(files: readonly SourceFile[]): Promise<void> {
    const again = new Set<string>();
    for (const { file } of files) {
      const first = readFirstLine(await firstLineOf(this.#source.read(file)));
      if (first.kind === "segment")
        for (const name of this.#want(referencesOf(first.open))) again.add(name);
    }
    let unread = [...files, ...this.#filesRead(again)];
    while (unread.length > 0) {
      for (const report of await this.#readAll(unread)) this.#reports.set(report.file, report);
      const later = [...this.#reports.values()].flatMap(recordsOf);
      unread = this.#filesRead(this.#want(later));
    }
  }

  #filesRead(names: ReadonlySet<string>): SourceFile[] {
    return [...this.#files.values()].filter(
      ({ file }) => names.has(file) && this.#reports.has(file),
    );
  }

  /** Adds references; tells which files they add a size to. */
  #want(references: readonly SegmentRef[]): Set<string> {
    const changed = new Set<string>();
    for (const { file, size } of references) {
      const sizes = this.#wanted.get(file) ?? new Set<number>();
      if (!sizes.has(size)) changed.add(file);
      this.#wanted.set(file, sizes.add(size));
    }
    return changed;
  }

  async #readAll(files: readonly SourceFile[]): Promise<SegmentReport[]> {
    const { onProgress } = this.#settings;
    const totalBytes = files.reduce((total, { bytes }) => total + bytes, 0);
    let bytesRead = 0;
    const reports = new Map<string, SegmentReport>();
    const read = async (file: string): Promise<void> => {
      const onBytes = (count: number): void => {
        bytesRead = Math.min(totalBytes, bytesRead + count); // a file may grow while it is read
        onProgress({ file, bytesRead, totalBytes });
      };
      reports.set(file, await this.#readOne(file, onBytes));
    };
    for (const { file } of files) await read(file);
    await this.#rereadWhileWritten(files, reports, read);
    return Promise.all([...reports.values()].map((report) => withLocation(this.#source, report)));
  }

  #readOne(file: string, onBytes: (count: number) => void): Promise<SegmentReport> {
    const { keyring, signatures } = this.#settings;
    const sizesWanted = this.#wanted.get(file) ?? new Set<number>();
    return examineSegment(file, this.#source.read(file), {
      keyring,
      signatures,
      sizesWanted,
      onBytes,
    });
  }

  /**
   * A writer's commit is not atomic for a reader: an end of today that still changes is no torn one. All are waited
   * for at once. A file that goes meanwhile (its writer never wrote to it) makes `read` reject, and the log is looked
   * at anew.
   */
  async #rereadWhileWritten(
    files: readonly SourceFile[],
    reports: ReadonlyMap<string, SegmentReport>,
    read: (file: string) => Promise<void>,
  ): Promise<void> {
    const { now } = this.#settings;
    const sizes = new Map<string, number | undefined>(
      files.map(({ file, bytes }) => [file, bytes]),
    );
    for (
      let waitedMs = 0;
      this.#source.sizeOf !== undefined && waitedMs < PATIENCE_MS;
      waitedMs += POLL_MS
    ) {
      const torn = [...reports.values()].filter(
        (report) => hasTail(report) && mayBeWritten(report.file, now),
      );
      if (torn.length === 0) return;
      await sleep(POLL_MS);
      for (const { file } of torn) {
        const size = await this.#source.sizeOf(file);
        if (size === sizes.get(file)) continue;
        sizes.set(file, size);
        await read(file);
      }
    }
  }
}

async function firstLineOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  const splitter = new LineSplitter();
  for await (const chunk of chunks) {
    const [block] = splitter.push(chunk);
    // A first block that a chunk completes is one line; see LineSplitter.
    if (block !== undefined) return block.bytes.toString("utf8", block.start, block.end - 1);
  }
  return "";
}

/** Some writes and their fdatasync take that long on a busy disk. */
const PATIENCE_MS = 500;
const POLL_MS = 50;

/** Whether a file ends in something that nothing seals. */
export function hasTail({ problems }: SegmentReport): boolean {
  return problems.some(({ state }) => state === "TORN_TAIL" || state === "UNSEALED_TAIL");
}

async function withLocation(source: LogSource, report: SegmentReport): Promise<SegmentReport> {
  if (report.broken === undefined) return report;
  const located = await locate(source.read(report.file), report.broken);
  return { ...report, problems: [...located, ...report.problems] };
}

/**
 * An idle writer ends its segment a second after midnight by its own clock. That clock may be off, and a commit that
 * midnight found under way may wait for a disk or a bucket: minutes, not hours.
 */
const GRACE_MS = 5 * 60_000;

/** Whether a segment is of the present UTC day, or of one that ended a moment ago, and so may still be written. */
export function mayBeWritten(file: string, now: Date): boolean {
  const day = dayOfSegment(file);
  return day === segmentDay(now) || day === segmentDay(new Date(now.getTime() - GRACE_MS));
}

/** Segments by day and number, anything else after them. */
export function byName(a: { readonly file: string }, b: { readonly file: string }): number {
  const [left, right] = [parseSegmentName(a.file), parseSegmentName(b.file)];
  if (left !== undefined && right !== undefined) return compareSegmentNames(left, right);
  if (left !== undefined || right !== undefined) return left === undefined ? 1 : -1;
  return a.file < b.file ? -1 : 1;
}
