// FileStorage: the log as files of one directory.
import { makeDirectory, makeMissing } from "../../files.ts";
import { AuditWriteError, type AuditError } from "../../errors.ts";
import { formatControlLine, type SegmentRef } from "../../format/control-line.ts";
import { newStream } from "../../format/id.ts";
import { dayOfSegment, segmentDay } from "../../format/segment-name.ts";
import { Actor } from "../../retention/trust.ts";
import { DAY_MS } from "../../time.ts";
import { Mark } from "../mark.ts";
import { reading, readingPages } from "../read-failure.ts";
import type { BegunSegment, NextSegment } from "../segment-backend.ts";
import { SegmentWriter } from "../segment-writer.ts";
import type {
  AuditStorage,
  OnProgress,
  PruneOptions,
  PruneResult,
  TimeRange,
  WriteStatus,
} from "../storage.ts";
import { TimeLimit } from "../time-limit.ts";
import { Directory, type ListedFile } from "./directory.ts";
import { type FileStorageOptions, resolveOptions } from "./options.ts";
import { OwnFile, type OwnFileOptions } from "./own-file.ts";
import { probeDirectory } from "./probe.ts";
import { pruneDirectory } from "./prune.ts";
import { countEntries, findEntry, readPages } from "./read.ts";
import { Shipper } from "./ship.ts";
import { lateFiles, latestStates, leavesThere, MAX_STATES } from "./witnessed.ts";
import { WriterThread } from "./writer-thread.ts";

export type { FileStorageOptions } from "./options.ts";

const MIB = 2 ** 20;
/** Bytes of lines in one write. */
const COMMIT_BYTES = 8 * MIB;
/** Room for a segment's own lines at its end: `segment.close` and two checkpoints. */
const END_BYTES = 1024;
const MAX_PAUSE_MS = 5000;
/**
 * Number of files that later starts need not read, above which a segment is begun just to record
 * them.
 */
const SETTLED_WORTH_A_SEGMENT = 24;

/**
 * Keeps the log in a directory, in the format of docs/format.md. Any number of processes and
 * instances may log to one directory: each writes segments of its own.
 */
export class FileStorage implements AuditStorage {
  readonly stream: string = newStream();
  readonly durable: boolean = true;
  /** Absolute path of the directory. */
  readonly path: string;
  readonly #directory: Directory;
  readonly #thread = new WriterThread();
  readonly #fileOptions: OwnFileOptions;
  readonly #writer: SegmentWriter;
  readonly #mark: Mark | undefined;
  readonly #shipper: Shipper | undefined;
  readonly #listeners = new Set<(error: AuditError) => void>();
  #closing: Promise<void> | undefined;
  #hasBegun = false;
  /** Files that the first segment's states leave out. */
  #rest: readonly ListedFile[] = [];

  /**
   * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID`; `AUDIT_KEY_INVALID` for an invalid trusted
   * key
   */
  constructor(options: FileStorageOptions) {
    const { path, rotationSizeMb, durability, signer, trustedKeys, mark, archive, writeTimeoutMs } =
      resolveOptions(options);
    this.path = path;
    this.#mark = mark === undefined ? undefined : new Mark(mark, path, this.stream);
    this.#directory = new Directory(this.path, new Actor(signer?.vkey, trustedKeys));
    const maxSegmentBytes = rotationSizeMb * MIB - END_BYTES;
    this.#fileOptions = {
      directory: this.#directory,
      thread: this.#thread,
      sync: durability === "fsync",
      maxBytes: maxSegmentBytes,
      onRelease: () => this.#shipper?.wake(),
    };
    this.#writer = new SegmentWriter(
      { begin: (next) => this.#begin(next) },
      {
        stream: this.stream,
        signer,
        expiresDays: archive?.expiresDays,
        bounds: { maxLines: Infinity, maxBytes: COMMIT_BYTES, maxSpanMs: Infinity },
        maxSegmentBytes,
        limit: new TimeLimit(writeTimeoutMs, () => lateError(path, writeTimeoutMs)),
        secondTry: { maxPauseMs: Math.min(MAX_PAUSE_MS, writeTimeoutMs / 2) },
        mark: this.#mark,
        onFirstCommit: () => {
          this.#lookBack();
          this.#findGaps().catch(() => undefined); // the next process looks again
        },
      },
    );
    this.#shipper =
      archive &&
      new Shipper({
        archive,
        directory: this.#directory,
        isOpen: (file) => this.#writer.openFile === file,
        record: (lines, states) => this.#record(lines, states),
        onProblem: (error) => {
          for (const listener of this.#listeners) listener(error);
        },
      });
  }

  append(line: string, id?: string): Promise<void> {
    return this.#writer.append(line, id);
  }

  lose(id: string, reason: string): void {
    this.#writer.lose(id, reason);
  }

  get(id: string): Promise<string | undefined> {
    return reading("the log could not be searched", findEntry(this.#directory, id));
  }

  pages(
    range: TimeRange,
    order: "oldest-first" | "newest-first",
    onProgress?: OnProgress,
  ): AsyncIterable<readonly string[]> {
    return readingPages(
      "the log could not be read",
      readPages(this.#directory, range, order, onProgress),
    );
  }

  count(range: TimeRange): Promise<number> {
    return reading("the log could not be counted", countEntries(this.#directory, range));
  }

  prune(options: PruneOptions): Promise<PruneResult> {
    const remover = {
      isOpen: (file: string) => this.#writer.openFile === file,
      record: (lines: readonly string[], states: readonly SegmentRef[]) =>
        this.#record(lines, states),
    };
    return reading(
      "expired files could not be removed",
      pruneDirectory(this.#directory, options, remover),
    );
  }

  onProblem(listener: (error: AuditError) => void): void {
    this.#listeners.add(listener);
  }

  probe(): Promise<void> {
    return probeDirectory(this.path);
  }

  status(): WriteStatus {
    return this.#writer.status();
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** Also ships segments that the archive lacks; its `onError` receives failures. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#shipper?.beginClose();
    try {
      await this.#writer.close();
    } finally {
      this.#thread.end();
      await this.#shipper?.close();
    }
  }

  async #begin({ day, kept, about }: NextSegment): Promise<BegunSegment> {
    if (this.#fileOptions.sync) await makeDirectory(this.path);
    else await makeMissing(this.path);
    const dayName = segmentDay(new Date(day * DAY_MS));
    const listed = await this.#directory.listSince(dayName);
    const place = await OwnFile.create(day, about.prev?.file, listed, this.#fileOptions);
    try {
      const there = place.hasRivals ? await this.#directory.listSince(dayName) : listed;
      const states = await this.#statesFor(place.file, there, kept);
      this.#shipper?.wake();
      return { place, ...states, unrecorded: [] };
    } catch (error) {
      await place.release();
      throw error;
    }
  }

  async #statesFor(
    own: string,
    listed: readonly ListedFile[],
    kept: readonly SegmentRef[],
  ): Promise<Pick<BegunSegment, "seen" | "settled">> {
    const { states, settled, rest } = await latestStates(
      this.#directory,
      this.stream,
      own,
      listed,
      { room: MAX_STATES - kept.length, isFirst: !this.#hasBegun },
    );
    if (!this.#hasBegun) this.#rest = rest;
    this.#hasBegun = true;
    const known = new Set(kept.map(spell));
    return {
      seen: [...kept, ...states.filter((ref) => !known.has(spell(ref)))],
      ...(settled.length > 0 && { settled }),
    };
  }

  /**
   * Reads the files that a process has no time for before its first entry: those left out of its
   * first segment, and those of earlier days that were written late.
   */
  #lookBack(): void {
    const own = this.#writer.openFile;
    if (own === undefined) return;
    const directory = this.#directory;
    const look = async (): Promise<void> => {
      const listed = await directory.list();
      const late = await lateFiles(directory, own, listed, () => this.#closing === undefined);
      const only = [...late, ...this.#rest];
      if (only.length === 0 || this.#closing) return;
      const { states } = await latestStates(directory, this.stream, own, listed, { only });
      const settled = this.#rest.filter(({ file }) => directory.hasLookedAt(file)).length;
      this.#rest = [];
      if (this.#closing || (states.length === 0 && settled < SETTLED_WORTH_A_SEGMENT)) return;
      const line = formatControlLine({ type: "heartbeat", at: new Date().toISOString() });
      await this.#writer.beginWith(states.length > 0 ? groupsOf(states) : [[]], line);
    };
    look().catch(() => undefined); // the next process looks again
  }

  /** Records segments that are shorter than their writers remembered. */
  async #findGaps(): Promise<void> {
    if (!this.#mark) return;
    const today = segmentDay(new Date());
    const { lines, settle } = await this.#mark.gaps(
      (state) => leavesThere(this.#directory, state),
      (file) => (dayOfSegment(file) ?? today) < today,
    );
    if (lines.length > 0) await this.#writer.commitAlone(lines);
    await settle();
  }

  /**
   * Makes control lines durable, and before them `states`, in the first line of a segment: readers
   * look for them there.
   */
  async #record(lines: readonly string[], states: readonly SegmentRef[]): Promise<void> {
    const groups = groupsOf(states);
    const [first = "", ...others] = lines;
    if (groups.length > 0) await this.#writer.beginWith(groups, first);
    await Promise.all((groups.length > 0 ? others : lines).map((line) => this.append(line)));
  }
}

/** As many states for each segment as fit into its first line. */
function groupsOf(states: readonly SegmentRef[]): readonly (readonly SegmentRef[])[] {
  const groups: (readonly SegmentRef[])[] = [];
  for (let at = 0; at < states.length; at += MAX_STATES)
    groups.push(states.slice(at, at + MAX_STATES));
  return groups;
}

function spell({ file, size, root }: SegmentRef): string {
  return `${file} ${size} ${root}`;
}

function lateError(path: string, timeoutMs: number): AuditWriteError {
  return new AuditWriteError(
    "AUDIT_WRITE_TIMEOUT",
    `not written within ${timeoutMs} ms: the file system of ${path} does not answer`,
  );
}
