// FileStorage: the log as files of one directory. It decides which line goes into which segment,
// and when one ends. Over 300 lines: the write path in one piece, with what happens when the file
// system fails.
import { clearTimeout, setTimeout } from "node:timers"; // a caller's test may have stopped the global ones
import { setTimeout as sleep } from "node:timers/promises";
import { probeDirectory } from "./probe.ts";
import { recordsCallAgain } from "../../format/entry-line.ts";
import { type AuditError, AuditWriteError } from "../../errors.ts";
import { newStream, timeOfId } from "../../format/id.ts";
import { Segment } from "../segment.ts";
import { formatControlLine, type SegmentRef } from "../../format/control-line.ts";
import { segmentDay } from "../../format/segment-name.ts";
import type { Signer } from "../../seal/signer.ts";
import { SDK } from "../../version.ts";
import { makeDirectory, makeMissing } from "../../files.ts";
import { Actor } from "../../retention/trust.ts";
import { Shipper } from "./ship.ts";
import { checkLine } from "../../format/check-line.ts";
import { Directory } from "./directory.ts";
import { type FileStorageOptions, resolveOptions } from "./options.ts";
import { pruneDirectory } from "./prune.ts";
import { countEntries, findEntry, readPages } from "./read.ts";
import { type PendingLine, WriteLane } from "../lane.ts";
import { UncertainWrite, UntriedWrite } from "../losses.ts";
import { OwnFile } from "./own-file.ts";
import { lateFiles, latestStates, MAX_STATES } from "./witnessed.ts";
import { WriterThread } from "./writer-thread.ts";
import { reading, readingPages } from "../read-failure.ts";
import type {
  AuditStorage,
  OnProgress,
  PruneOptions,
  PruneResult,
  TimeRange,
  WriteStatus,
} from "../storage.ts";

export type { FileStorageOptions } from "./options.ts";

/**
 * Bytes of lines in one write at most: bounds memory, and the time until the first of them is
 * acknowledged.
 */
const COMMIT_BYTES = 8 * 2 ** 20;
const MIB = 2 ** 20;
const DAY_MS = 86_400_000;
const LF = 0x0a;
/** Room for what a segment adds to its lines when it ends: `segment.close` and two checkpoints. */
const END_BYTES = 1024;

/**
 * A clock that went back by more than this begins a segment; a smaller step only holds the ids'
 * time still.
 */
const CLOCK_STEP_MS = 10_000;
/** After a failed second try the next commit waits this long; twice as long each time. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5000;

/** Work on the segment that may have been given up because it took too long. */
interface Attempt {
  isGivenUp: boolean;
}

/** A commit that failed after it was handed to the file. */
class FailedCommit extends Error {
  override readonly cause: Error;
  /**
   * The file, and the index in its tree of the first line; undefined where the file never held a
   * byte.
   */
  readonly place: { readonly file: string; readonly leaf: number } | undefined;
  /** Whether the file may hold all of the commit. */
  readonly isUncertain: boolean;

  constructor(cause: Error, place: FailedCommit["place"], isUncertain: boolean) {
    super(cause.message);
    this.cause = cause;
    this.place = place;
    this.isUncertain = isUncertain;
  }
}

interface OpenSegment {
  readonly day: string;
  readonly segment: Segment;
  readonly file: OwnFile;
  lastId: string;
  /** Bytes of the first line; 0 until it was handed to the file. */
  firstLineBytes: number;
}

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
  readonly #rotationBytes: number;
  readonly #sync: boolean;
  readonly #signer: Signer | undefined;
  readonly #writeTimeoutMs: number;
  readonly #thread = new WriterThread();
  /** Days after which the archive removes segments. */
  readonly #expiresDays: number | undefined;
  readonly #lane: WriteLane;
  readonly #shipper: Shipper | undefined;
  readonly #listeners = new Set<(error: AuditError) => void>();
  #open: OpenSegment | undefined;
  #seq = 0;
  #prev: SegmentRef | null = null;
  #endOfDay: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #hasLookedBack = false;
  /** Work that did not end in time, until it ends. */
  #stuck: Promise<unknown> | undefined;
  #pauseMs = 0;
  /** `performance.now()` */
  #pauseEnds = 0;

  /**
   * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID`; `AUDIT_KEY_INVALID` for an invalid trusted
   * key
   */
  constructor(options: FileStorageOptions) {
    const { path, rotationSizeMb, durability, signer, trustedKeys, archive, writeTimeoutMs } =
      resolveOptions(options);
    this.path = path;
    this.#directory = new Directory(this.path, new Actor(signer?.vkey, trustedKeys));
    this.#rotationBytes = rotationSizeMb * MIB;
    this.#sync = durability === "fsync";
    this.#signer = signer;
    this.#writeTimeoutMs = writeTimeoutMs;
    this.#expiresDays = archive?.expiresDays;
    this.#shipper =
      archive &&
      new Shipper({
        archive,
        directory: this.#directory,
        isOpen: (file) => this.#open?.file.name === file,
        record: (lines, states) => this.#record(lines, states),
        onProblem: (error) => {
          for (const listener of this.#listeners) listener(error);
        },
      });
    this.#lane = new WriteLane({
      take: (waiting) => this.#take(waiting),
      commit: (lines) => this.#commit(lines),
    });
  }

  append(line: string, id?: string): Promise<void> {
    try {
      checkLine(line, id);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#lane.append(line, id);
  }

  lose(id: string, reason: string): void {
    this.#lane.lose(id, reason);
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
      isOpen: (file: string) => this.#open?.file.name === file,
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
    return this.#lane.status();
  }

  flush(): Promise<void> {
    return this.#lane.flush();
  }

  /** Also ships segments that the archive lacks; its `onError` receives failures. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#shipper?.beginClose();
    try {
      await this.#lane.close(() => this.#inTime(() => this.#end("close")));
    } finally {
      this.#thread.end();
      await this.#shipper?.close();
    }
  }

  /** A commit stays within one UTC day, one ascending run of ids, and the size limit. */
  #take(waiting: readonly PendingLine[]): number {
    const room = Math.min(
      COMMIT_BYTES,
      this.#rotationBytes - END_BYTES - (this.#open?.file.bytes ?? 0),
    );
    let bytes = 0;
    let last = "";
    let day = 0;
    let taken = 0;
    for (const { id, bytes: size } of waiting) {
      bytes += size + 1;
      if (taken > 0 && bytes > room) break;
      if (id !== undefined) {
        const idDay = Math.floor((timeOfId(id) ?? 0) / DAY_MS);
        if (last !== "" && (id <= last || idDay !== day)) break;
        last = id;
        day = idDay;
      }
      taken += 1;
    }
    return taken;
  }

  async #commit(lines: readonly PendingLine[]): Promise<void> {
    const firstId = lines.find(({ id }) => id !== undefined)?.id;
    await this.#inTime((attempt) => this.#commitTwice(lines, attempt), firstId);
  }

  /**
   * Writes the lines, and once more into the next segment if that fails: a passing error of a disk
   * then refuses nothing. From the `again` line's place on, the first segment is superseded.
   */
  async #commitTwice(lines: readonly PendingLine[], attempt: Attempt): Promise<void> {
    const restMs = this.#pauseEnds - performance.now();
    if (restMs > 0 && !this.#closing) await sleep(restMs);
    try {
      await this.#commitOnce(lines, attempt);
    } catch (error) {
      if (!(error instanceof FailedCommit) || attempt.isGivenUp) throw error;
      const again = error.place && againLine(error.place, lines, error.cause);
      try {
        await this.#commitOnce(again ? [again, ...lines] : lines, attempt);
      } catch (second) {
        this.#pause();
        const isUncertain =
          error.isUncertain || (second instanceof FailedCommit && second.isUncertain);
        throw isUncertain ? new UncertainWrite(error.cause) : error.cause;
      }
    }
    this.#pauseMs = 0;
    if (!this.#hasLookedBack) this.#lookBack();
  }

  /**
   * Records files of earlier days that were written late. Once for each process, and not before its
   * first entry.
   */
  #lookBack(): void {
    const own = this.#open?.file.name;
    if (own === undefined) return;
    this.#hasLookedBack = true;
    const look = async (): Promise<void> => {
      const late = await lateFiles(this.#directory, own);
      if (late.length === 0) return;
      const states = await latestStates(this.#directory, this.stream, own, { late });
      const line = formatControlLine({ type: "heartbeat", at: new Date().toISOString() });
      if (states.length > 0 && !this.#closing) await this.#record([line], states);
    };
    look().catch(() => undefined); // the next process looks again
  }

  async #commitOnce(lines: readonly PendingLine[], attempt: Attempt): Promise<void> {
    const ids = lines.flatMap(({ id }) => id ?? []);
    const bytes = lines.reduce((sum, line) => sum + line.bytes + 1, 0);
    const day = ids[0] === undefined ? segmentDay(new Date()) : dayOfId(ids[0]);
    const reason =
      this.#open && (await whyEnd(this.#open, day, ids[0], bytes, this.#rotationBytes));
    // A segment that cannot be ended stays unclosed, which the verifier reports. The next one is
    // not affected.
    if (reason) await this.#end(reason).catch(() => undefined);
    const open = (this.#open ??= await this.#startOrFail(day));
    if (attempt.isGivenUp) throw new Error("given up before anything was written");
    const sizeBefore = open.segment.size;
    const bytesBefore = open.file.bytes;
    const sealed = open.segment.seal(
      lines.map(({ line }) => line),
      ids.length,
      lines.filter(({ line }) => recordsCallAgain(line)).length,
    );
    const sealedBytes = sealed.length; // the write takes the buffer away
    open.firstLineBytes ||= sealed.indexOf(LF) + 1;
    try {
      await open.file.write(sealed);
    } catch (error) {
      // Nobody knows what the file holds now: it is never written to again.
      const size = await this.#detach(open).catch(() => bytesBefore + sealedBytes);
      const place = { file: open.file.name, leaf: Math.max(1, sizeBefore) };
      throw new FailedCommit(
        asError(error),
        size > 0 ? place : undefined,
        size >= bytesBefore + sealedBytes,
      );
    }
    this.#prev = open.segment.ref();
    open.lastId = ids.at(-1) ?? open.lastId;
  }

  async #startOrFail(day: string): Promise<OpenSegment> {
    try {
      return await this.#start(day);
    } catch (error) {
      throw new FailedCommit(asError(error), undefined, false);
    }
  }

  /** The next commit waits a while: on a dead disk each try may leave a file. */
  #pause(): void {
    const most = Math.min(MAX_PAUSE_MS, this.#writeTimeoutMs / 2);
    this.#pauseMs = Math.min(most, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2));
    this.#pauseEnds = performance.now() + this.#pauseMs;
  }

  /**
   * Runs work on the segment, one at a time. Rejects when it, or earlier work that is still stuck,
   * does not end within `writeTimeoutMs`. Stuck work goes on in the background: if it ends well,
   * the loss of its entries is taken back.
   */
  async #inTime(work: (attempt: Attempt) => Promise<void>, firstId?: string): Promise<void> {
    const attempt: Attempt = { isGivenUp: false };
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      attempt.isGivenUp = true;
      reject(this.#lateError());
    }, this.#writeTimeoutMs);
    try {
      const stuck = this.#stuck;
      if (stuck) {
        const ended = await Promise.race([stuck.then(() => true), late.catch(() => false)]);
        if (!ended) throw new UntriedWrite(this.#lateError());
      }
      const working = work(attempt);
      this.#stuck = this.#follow(working, attempt, firstId);
      await Promise.race([working, late]);
    } finally {
      clearTimeout(timer);
      late.catch(() => undefined);
    }
  }

  async #follow(
    working: Promise<void>,
    attempt: Attempt,
    firstId: string | undefined,
  ): Promise<void> {
    const hasEndedWell = await working.then(
      () => true,
      () => false, // the caller has the error
    );
    this.#stuck = undefined;
    if (hasEndedWell && attempt.isGivenUp && firstId !== undefined)
      this.#lane.withdrawLoss(firstId);
  }

  #lateError(): AuditWriteError {
    return new AuditWriteError(
      "AUDIT_WRITE_TIMEOUT",
      `not written within ${this.#writeTimeoutMs} ms: the file system of ${this.path} does not answer`,
    );
  }

  /**
   * Makes control lines durable, and before them `states`, in the first line of a segment: readers
   * look for them there.
   */
  async #record(lines: readonly string[], states: readonly SegmentRef[]): Promise<void> {
    const [first = "", ...others] = lines;
    if (states.length === 0)
      return void (await Promise.all(lines.map((line) => this.append(line))));
    await this.#lane.exclusive(() => this.#inTime(() => this.#beginWith(states, first)));
    await Promise.all(others.map((line) => this.append(line)));
  }

  /**
   * Begins a segment that records these states, after others that are full of them, and writes this
   * line into it.
   */
  async #beginWith(states: readonly SegmentRef[], line: string): Promise<void> {
    if (this.#closing) throw new AuditWriteError("AUDIT_CLOSED", "the storage is closed");
    for (let at = 0; at < states.length; at += MAX_STATES) {
      if (at === 0) await this.#end("retention").catch(() => undefined); // as in #commit()
      else await this.#end("retention");
      this.#open = await this.#start(segmentDay(new Date()), states.slice(at, at + MAX_STATES));
    }
    const pending = { line, id: undefined, bytes: Buffer.byteLength(line) };
    try {
      await this.#commitOnce([pending], { isGivenUp: false });
    } catch (error) {
      throw error instanceof FailedCommit ? error.cause : error;
    }
  }

  /** `kept` are states to record although another segment has recorded them. */
  async #start(day: string, kept: readonly SegmentRef[] = []): Promise<OpenSegment> {
    if (this.#sync) await makeDirectory(this.path);
    else await makeMissing(this.path);
    const file = await OwnFile.create(day, this.#prev?.file, {
      directory: this.#directory,
      thread: this.#thread,
      sync: this.#sync,
    });
    try {
      const segment = new Segment({
        file: file.name,
        stream: this.stream,
        seq: this.#seq,
        created: new Date().toISOString(),
        prev: this.#prev,
        seen: await this.#statesFor(file.name, kept),
        sdk: SDK,
        ...(this.#signer && { signer: this.#signer }),
        ...(this.#expiresDays !== undefined && { expires: this.#expiresDays }),
      });
      this.#watchEndOfDay(day);
      this.#shipper?.wake();
      return { day, segment, file, lastId: "", firstLineBytes: 0 };
    } catch (error) {
      await file.release();
      throw error;
    }
  }

  async #statesFor(file: string, kept: readonly SegmentRef[]): Promise<SegmentRef[]> {
    const latest = await latestStates(this.#directory, this.stream, file, {
      room: MAX_STATES - kept.length,
    });
    const known = new Set(kept.map((ref) => `${ref.file} ${ref.size} ${ref.root}`));
    return [...kept, ...latest.filter((ref) => !known.has(`${ref.file} ${ref.size} ${ref.root}`))];
  }

  /** Writes the segment's last lines and closes its file. */
  async #end(reason: string): Promise<void> {
    const open = this.#open;
    if (!open) return;
    try {
      await open.file.write(open.segment.close(reason));
      this.#prev = open.segment.ref();
    } finally {
      await this.#detach(open);
    }
  }

  /** Closes the file of a segment. Resolves to its size in bytes. */
  async #detach(open: OpenSegment): Promise<number> {
    clearTimeout(this.#endOfDay);
    this.#open = undefined;
    // A segment takes its place in the stream once its first line is there, even if a later write
    // failed.
    try {
      const size = await open.file.size();
      if (size >= Math.max(open.firstLineBytes, 1)) this.#seq += 1;
      return size;
    } finally {
      await open.file.release();
      this.#shipper?.wake();
    }
  }

  /**
   * An idle writer ends its segment when its day does, so that yesterday's log verifies as closed.
   */
  #watchEndOfDay(day: string): void {
    clearTimeout(this.#endOfDay);
    const isOver = day < segmentDay(new Date()); // written just before midnight, or imported
    const restOfDayMs = isOver ? 0 : DAY_MS - (Date.now() % DAY_MS);
    this.#endOfDay = setTimeout(() => {
      const end = async (): Promise<void> => {
        if (this.#open && this.#open.day < segmentDay(new Date())) await this.#end("day");
      };
      this.#lane.exclusive(() => this.#inTime(end)).catch(() => undefined); // the segment stays unclosed, which the verifier reports
    }, restOfDayMs + 1000).unref();
  }
}

function dayOfId(id: string): string {
  return segmentDay(new Date(timeOfId(id) ?? Date.now()));
}

/** Why a segment must end before these bytes; empty when it goes on. */
async function whyEnd(
  open: OpenSegment,
  day: string,
  firstId: string | undefined,
  bytes: number,
  limit: number,
): Promise<string> {
  if (firstId !== undefined && firstId <= open.lastId && wasAhead(open.lastId)) return "clock";
  // The id of an entry leads to the file of its own day. Control lines alone never go back a day.
  if (day > open.day || (firstId !== undefined && day < open.day)) return "day";
  if (await open.file.wasMoved()) return "moved"; // renamed by others: readers do not find it under its new name
  if (open.file.bytes > 0 && open.file.bytes + bytes + END_BYTES > limit) return "size";
  if (firstId !== undefined && firstId <= open.lastId) return "order"; // bisection relies on ascending ids
  return "";
}

/**
 * Whether an id was made while the clock was ahead: an import of old entries goes back in time as
 * well.
 */
function wasAhead(id: string): boolean {
  return (timeOfId(id) ?? 0) > Date.now() + CLOCK_STEP_MS;
}

function againLine(
  { file, leaf }: { readonly file: string; readonly leaf: number },
  lines: readonly PendingLine[],
  cause: Error,
): PendingLine {
  const ids = lines.flatMap(({ id }) => id ?? []);
  const line = formatControlLine({
    type: "again",
    file,
    leaf,
    first: ids[0] ?? null,
    last: ids.at(-1) ?? null,
    count: lines.length,
    reason: "code" in cause ? String(cause.code) : cause.message,
  });
  return { line, id: undefined, bytes: Buffer.byteLength(line) };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
