// Reads and examines every file of a log, also while writers are at work. Over 300 lines: one
// reader holds the state of all files between its passes over them.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { SegmentRef, SegmentTail } from "../format/control-line.ts";
import { LineSplitter } from "../format/lines.ts";
import { readFirstLine } from "../format/read-control-line.ts";
import { compareSegmentNames, parseSegmentName } from "../format/segment-name.ts";
import { hasCode } from "../system-error.ts";
import type { CallIds } from "./call-ids.ts";
import { hasTail, Streams } from "./ends.ts";
import { examineSegment } from "./examine-segment.ts";
import type { TrustedKeys } from "./trusted-keys.ts";
import { locate } from "./locate.ts";
import type { LogSource, SourceFile } from "./log-source.ts";
import { OverlongLine } from "./overlong-line.ts";
import { gapsOf, recordsOf, referenceOfPin, referencesOf } from "./references.ts";
import type { SegmentReport } from "./segment-report.ts";
import { mayBeWritten } from "./segment-time.ts";
import type { Pin } from "./verification.ts";

/** The progress of a verification. */
export interface VerifyProgress {
  readonly file: string;
  /** Bytes read of all files. */
  readonly bytesRead: number;
  readonly totalBytes: number;
}

/** Options for reading a log. */
export interface ReadSettings {
  readonly keyring: TrustedKeys;
  readonly pins: readonly Pin[];
  readonly onProgress: (progress: VerifyProgress) => void;
  readonly now: Date;
  readonly signatures: "all" | "last";
  readonly calls: CallIds;
}

/** A log's files, read. */
export interface LogReading {
  readonly reports: SegmentReport[];
  /** Files that are not regular, by name. */
  readonly odd: readonly SourceFile[];
  /**
   * The error that stopped reading; the remaining files are UNREADABLE. Undefined where all were
   * read.
   */
  readonly failure: unknown;
  /** The first error that made a file UNREADABLE. */
  readonly firstError: unknown;
}

/**
 * Examines all files, with the roots at every size that any of them, a pin, or `recorded` refers
 * to. First lines are read beforehand, so that one pass is enough; only lines that a writer adds
 * meanwhile are read after that.
 */
export async function readSegments(
  source: LogSource,
  settings: ReadSettings,
  recorded: readonly SegmentRef[],
): Promise<LogReading> {
  const reader = new LogReader(source, settings, recorded);
  await reader.readNewFiles();
  await reader.awaitSuccessors();
  return reader.reading();
}

class LogReader {
  readonly #source: LogSource;
  readonly #settings: ReadSettings;
  readonly #files = new Map<string, SourceFile>();
  readonly #reports = new Map<string, SegmentReport>();
  /** For each file the sizes of its tree that other files or pins refer to. */
  readonly #wanted = new Map<string, Set<number>>();
  /** For each file the first leaf that another one repeats. */
  readonly #superseded = new Map<string, number>();
  #failure: unknown;
  #firstError: unknown;

  constructor(source: LogSource, settings: ReadSettings, recorded: readonly SegmentRef[]) {
    this.#source = source;
    this.#settings = settings;
    this.#want(settings.pins.map(referenceOfPin));
    this.#want(recorded);
  }

  reading(): LogReading {
    const odd = [...this.#files.values()].filter(({ oddity }) => oddity !== undefined);
    return {
      reports: [...this.#reports.values()],
      odd,
      failure: this.#failure,
      firstError: this.#firstError,
    };
  }

  /**
   * Lists and reads. A file that a writer refers to may have begun after the listing, so files that
   * were not listed are looked for once more.
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

  /**
   * Between the end of a full segment and the beginning of the next there is a moment without
   * either.
   */
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

  /** Reads new files, and again those for which more is wanted now. */
  async #read(files: readonly SourceFile[]): Promise<void> {
    const again = new Set<string>();
    for (const { file } of files) {
      const first = readFirstLine(await this.#firstLineOf(file));
      if (first.kind === "segment")
        for (const name of this.#want(referencesOf(first.open))) again.add(name);
    }
    let unread = [...files, ...this.#filesRead(again)];
    while (unread.length > 0) {
      for (const report of await this.#readAll(unread)) this.#reports.set(report.file, report);
      const reports = [...this.#reports.values()];
      const later = this.#want(
        reports.flatMap((report) => [...recordsOf(report), ...gapsOf(report)]),
      );
      unread = this.#filesRead(new Set([...later, ...this.#wantSuperseded(reports)]));
    }
  }

  async #firstLineOf(file: string): Promise<string> {
    try {
      return await readFirstLineOf(this.#bytesOf(file));
    } catch (error) {
      if (this.#endsOneFile(error)) return ""; // its examination reports it
      throw error;
    }
  }

  /** A file's bytes. After a failure that does not concern one file, no further file is read. */
  #bytesOf(file: string): AsyncIterable<Buffer> {
    return this.#failure === undefined ? this.#source.read(file) : failing(this.#failure);
  }

  #filesRead(names: ReadonlySet<string>): SourceFile[] {
    return [...this.#files.values()].filter(
      ({ file }) => names.has(file) && this.#reports.has(file),
    );
  }

  /** Adds references. Returns the files that they add a size to. */
  #want(references: readonly SegmentRef[]): Set<string> {
    const changed = new Set<string>();
    for (const { file, size } of references) {
      const sizes = this.#wanted.get(file) ?? new Set<number>();
      if (!sizes.has(size)) changed.add(file);
      this.#wanted.set(file, sizes.add(size));
    }
    return changed;
  }

  /**
   * Notes lines that were written a second time. Returns the files whose first copy is to be
   * compared.
   */
  #wantSuperseded(reports: readonly SegmentReport[]): Set<string> {
    const changed = new Set<string>();
    for (const { isProven, repeats } of reports) {
      if (!isProven) continue;
      for (const { line } of repeats) {
        const known = this.#superseded.get(line.file) ?? Infinity;
        if (line.leaf >= known) continue;
        this.#superseded.set(line.file, line.leaf);
        changed.add(line.file);
      }
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
    return Promise.all([...reports.values()].map((report) => this.#lookCloser(report)));
  }

  /**
   * The last signature and all roots cover every line. Where they show a problem, checking all
   * signatures locates it.
   */
  async #readOne(file: string, onBytes: (count: number) => void): Promise<SegmentReport> {
    const { keyring, signatures, calls } = this.#settings;
    const check = async (which: "all" | "last"): Promise<SegmentReport> =>
      examineSegment(file, this.#bytesOf(file), {
        keyring,
        signatures: which,
        sizesWanted: this.#wanted.get(file) ?? new Set<number>(),
        supersededFrom: this.#superseded.get(file),
        isOfFile: (error) => this.#endsOneFile(error),
        calls,
        onBytes,
      });
    const report = await check(signatures);
    const isWrong = report.problems.some(({ state }) => state === "TAMPERED");
    return signatures === "last" && isWrong && report.kind === "segment" ? check("all") : report;
  }

  /**
   * Whether the examination ends for one file, and the others are judged. A missing file makes the
   * verifier read the log again. A bucket that does not answer ends all reading: what was read by
   * then is judged.
   */
  #endsOneFile(error: unknown): boolean {
    if (hasCode(error, "ENOENT")) return false;
    this.#firstError ??= error;
    if (this.#source.isOfFile?.(error) === false) this.#failure ??= error;
    return true;
  }

  /** Finds the altered lines, and names the bytes without a seal. */
  async #lookCloser(report: SegmentReport): Promise<SegmentReport> {
    const { file, broken, problems, sealedBytes } = report;
    if (broken !== undefined) {
      const located = await locate(this.#source.read(file), broken);
      return { ...report, problems: [...located, ...problems] };
    }
    if (!hasTail(report)) return report;
    const tail = await hashTail(this.#source.read(file), sealedBytes);
    return tail === undefined ? report : { ...report, tail };
  }

  /**
   * A writer's commit is not atomic for a reader: an end of today that still changes is not torn.
   * The wait is one for all files. A file that is removed meanwhile (its writer never wrote to it)
   * makes `read` reject, and the log is read again.
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

// eslint-disable-next-line require-yield
async function* failing(error: unknown): AsyncGenerator<Buffer, void, void> {
  throw error;
}

async function readFirstLineOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  const splitter = new LineSplitter();
  const overlong = new OverlongLine();
  for await (const chunk of chunks) {
    const [block] = splitter.push(chunk);
    // A first block that a chunk completes is one line; see LineSplitter.
    if (block !== undefined) return block.bytes.toString("utf8", block.start, block.end - 1);
    if (overlong.isReachedBy(chunk)) break;
  }
  return "";
}

/** A crash leaves no longer tail, and no record names one. */
const MAX_TAIL_BYTES = 64 * 2 ** 20;

/** The bytes of a file from an offset on; undefined where there are too many. */
async function hashTail(
  chunks: AsyncIterable<Buffer>,
  from: number,
): Promise<SegmentTail | undefined> {
  const hash = createHash("sha256");
  let offset = 0;
  let bytes = 0;
  for await (const chunk of chunks) {
    const rest = chunk.subarray(Math.max(0, from - offset));
    offset += chunk.byteLength;
    hash.update(rest);
    bytes += rest.byteLength;
    if (bytes > MAX_TAIL_BYTES) return undefined;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Some writes and their fdatasync take that long on a busy disk. */
const PATIENCE_MS = 500;
const POLL_MS = 50;

/** Segments by day and number, anything else after them. */
export function byName(a: { readonly file: string }, b: { readonly file: string }): number {
  const [left, right] = [parseSegmentName(a.file), parseSegmentName(b.file)];
  if (left !== undefined && right !== undefined) return compareSegmentNames(left, right);
  if (left !== undefined || right !== undefined) return left === undefined ? 1 : -1;
  return a.file < b.file ? -1 : 1;
}
