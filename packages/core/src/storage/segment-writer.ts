// The segments of one writer, one after the other: the segment of each commit, its end, and the
// second try after a failed write. A backend keeps the bytes. Over 300 lines: the path of a commit
// in one piece, with its failures.
import { clearTimeout, setTimeout } from "node:timers"; // a caller's test may have stopped the global ones
import { setTimeout as sleep } from "node:timers/promises";
import { AuditWriteError } from "../errors.ts";
import { checkLine } from "../format/check-line.ts";
import { formatControlLine, type SegmentRef } from "../format/control-line.ts";
import { newStream } from "../format/id.ts";
import { LF } from "../format/lines.ts";
import type { Signer } from "../seal/signer.ts";
import { DAY_MS } from "../time.ts";
import { SDK } from "../version.ts";
import {
  type Commit,
  type CommitBounds,
  commitOf,
  countForCommit,
  dayOf,
  type PendingLine,
} from "./commit.ts";
import { type LaneOptions, WriteLane } from "./lane.ts";
import { Segment } from "./segment.ts";
import type { Mark } from "./mark.ts";
import type { SegmentBackend, SegmentPlace } from "./segment-backend.ts";
import type { WriteStatus } from "./storage.ts";
import type { Attempt, TimeLimit } from "./time-limit.ts";
import { againLine, controlLine, FailedCommit, UncertainWrite } from "./write-failure.ts";

/** After a failed second try the next commit waits this long; twice as long each time. */
const FIRST_PAUSE_MS = 100;
/** Most changes of identity: names that are taken again and again are no accident. */
const MAX_FORKS = 3;

export interface SegmentWriterOptions {
  readonly stream: string;
  readonly signer: Signer | undefined;
  /** Days after which the place itself removes objects. */
  readonly expiresDays: number | undefined;
  readonly bounds: CommitBounds;
  /** Bytes of lines in a segment, unless one line alone has more. */
  readonly maxSegmentBytes: number;
  /** @default no delay */
  readonly company?: LaneOptions["company"] | undefined;
  /** A limit for each piece of work on a segment. @default the backend has limits of its own */
  readonly limit?: TimeLimit;
  /**
   * Tries a failed commit again in the next segment, and waits between commits at most this long
   * while both tries fail: on a dead disk each try may leave a file.
   * @default the backend has its own retries
   */
  readonly secondTry?: { readonly maxPauseMs: number };
  /** Remembers the writer's state outside of the log. @default none */
  readonly mark?: Mark | undefined;
  /** Called once, after the first commit. */
  readonly onFirstCommit?: () => void;
}

interface OpenSegment {
  readonly day: number;
  readonly segment: Segment;
  readonly place: SegmentPlace;
  /** Bytes that are durable. */
  bytes: number;
  /** Bytes of the first line; 0 until it was handed to the place. */
  firstLineBytes: number;
  unrecorded: readonly SegmentRef[];
}

export class SegmentWriter {
  readonly #backend: SegmentBackend;
  readonly #options: SegmentWriterOptions;
  readonly #lane: WriteLane;
  #stream: string;
  #open: OpenSegment | undefined;
  #seq = 0;
  #prev: SegmentRef | null = null;
  #endOfDay: NodeJS.Timeout | undefined;
  #isClosing = false;
  #hasCommitted = false;
  #pauseMs = 0;
  /** `performance.now()` */
  #pauseEnds = 0;

  constructor(backend: SegmentBackend, options: SegmentWriterOptions) {
    this.#backend = backend;
    this.#options = options;
    this.#stream = options.stream;
    const { company } = options;
    this.#lane = new WriteLane({
      take: (waiting) => this.#take(waiting),
      commit: (lines) => this.#commit(lines),
      ...(company && { company }),
    });
  }

  /** Name of the segment that is open. */
  get openFile(): string | undefined {
    return this.#open?.segment.file;
  }

  append(line: string, id: string | undefined): Promise<void> {
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

  status(): WriteStatus {
    return this.#lane.status();
  }

  flush(): Promise<void> {
    return this.#lane.flush();
  }

  /** Writes the lines that wait, and ends the segment. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#lane.close(() => this.#inTime(() => this.#end("close")));
    await this.#options.mark?.end();
  }

  /** Writes control lines as one commit, which holds nothing else. */
  commitAlone(lines: readonly string[]): Promise<void> {
    return this.#lane.exclusive(async () => {
      this.#refuseIfClosed();
      await this.#commit(lines.map(controlLine));
    });
  }

  /**
   * Begins a segment for each group of states, which its first line records, and writes the
   * control line into the last one.
   */
  beginWith(groups: readonly (readonly SegmentRef[])[], line: string): Promise<void> {
    const begin = async (attempt: Attempt): Promise<void> => {
      this.#refuseIfClosed();
      for (const [at, states] of groups.entries()) {
        const ended = this.#end("retention");
        await (at === 0 ? ended.catch(() => undefined) : ended); // the first as in #commitOnce()
        this.#open = await this.#start(today(), states);
      }
      await this.#commitOnce([controlLine(line)], attempt).catch(throwCause);
    };
    return this.#lane.exclusive(() => this.#inTime(begin));
  }

  /**
   * Ends a segment of an earlier day. An idle writer does so by itself soon after midnight, so
   * that yesterday's log verifies as closed.
   */
  endEarlierDay(): Promise<void> {
    const end = async (): Promise<void> => {
      if (this.#open && this.#open.day < today()) await this.#end("day");
    };
    return this.#lane.exclusive(() => this.#inTime(end));
  }

  #refuseIfClosed(): void {
    if (this.#isClosing) throw new AuditWriteError("AUDIT_CLOSED", "the storage is closed");
  }

  #take(waiting: readonly PendingLine[]): number {
    const { bounds, maxSegmentBytes } = this.#options;
    const room = this.#open?.place.room ?? maxSegmentBytes;
    return countForCommit(waiting, { ...bounds, maxBytes: Math.min(bounds.maxBytes, room) });
  }

  async #commit(lines: readonly PendingLine[]): Promise<void> {
    const firstId = lines.find(({ id }) => id !== undefined)?.id;
    await this.#inTime(
      (attempt) => this.#commitTwice(lines, attempt),
      () => firstId !== undefined && this.#lane.withdrawLoss(firstId),
    );
  }

  #inTime(work: (attempt: Attempt) => Promise<void>, onLateSuccess?: () => void): Promise<void> {
    const { limit } = this.#options;
    return limit ? limit.run(work, onLateSuccess) : work({ isGivenUp: false });
  }

  /**
   * Writes the lines, and once more into the next segment if that fails: a passing error of a disk
   * then loses no line. The `again` line names the place from which the first segment is
   * superseded.
   */
  async #commitTwice(lines: readonly PendingLine[], attempt: Attempt): Promise<void> {
    const { secondTry } = this.#options;
    const restMs = this.#pauseEnds - performance.now();
    if (restMs > 0 && !this.#isClosing) await sleep(restMs);
    try {
      await this.#commitOnce(lines, attempt);
    } catch (error) {
      if (!(error instanceof FailedCommit)) throw error;
      if (!secondTry) throw error.cause;
      if (attempt.isGivenUp) throw error;
      const again = error.at && againLine(error.at, lines, error.cause);
      try {
        await this.#commitOnce(again ? [again, ...lines] : lines, attempt);
      } catch (second) {
        this.#pause(secondTry.maxPauseMs);
        const isUncertain =
          error.isUncertain || (second instanceof FailedCommit && second.isUncertain);
        throw isUncertain ? new UncertainWrite(error.cause) : error.cause;
      }
    }
    this.#pauseMs = 0;
    if (this.#hasCommitted) return;
    this.#hasCommitted = true;
    this.#options.onFirstCommit?.();
  }

  #pause(maxPauseMs: number): void {
    this.#pauseMs = Math.min(maxPauseMs, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2));
    this.#pauseEnds = performance.now() + this.#pauseMs;
  }

  async #commitOnce(lines: readonly PendingLine[], attempt: Attempt): Promise<void> {
    const commit = commitOf(lines);
    const reason = this.#open && (await this.#open.place.whyEnd(commit));
    // A segment that cannot be ended stays unclosed, which the verifier reports. The next one is
    // not affected.
    if (reason) await this.#end(reason).catch(() => undefined);
    for (let forks = 0; ; forks += 1) {
      const open = (this.#open ??= await this.#startOrFail(commit.day));
      if (attempt.isGivenUp) throw new Error("given up before anything was written");
      if (await this.#write(open, commit)) return this.#recordStates(open);
      if (forks === MAX_FORKS)
        throw new AuditWriteError(
          "AUDIT_WRITE_FAILED",
          "another process writes under this writer's keys",
        );
      this.#fork();
    }
  }

  /** False when the commit's place is taken. */
  async #write(open: OpenSegment, commit: Commit): Promise<boolean> {
    const { segment, place } = open;
    const leaf = segment.size;
    const sealed = segment.seal(commit.lines, commit.ids.length, commit.linked);
    const bytes = open.bytes + sealed.length;
    open.firstLineBytes ||= sealed.indexOf(LF) + 1;
    try {
      if ((await place.append(sealed, commit, leaf)) === "taken") return false;
    } catch (error) {
      const size = (await this.#detach(open).catch(() => bytes)) ?? 0;
      const at = size > 0 ? { file: segment.file, leaf: Math.max(1, leaf) } : undefined;
      throw new FailedCommit(error, at, size >= bytes);
    }
    open.bytes = bytes;
    this.#prev = segment.ref();
    this.#options.mark?.note(this.#prev, place.lastKey);
    return true;
  }

  /** Records the states that the first line had no room for. The commit before is stored anyway. */
  async #recordStates(open: OpenSegment): Promise<void> {
    const { unrecorded } = open;
    if (unrecorded.length === 0) return;
    open.unrecorded = [];
    const line = formatControlLine({ type: "retention.seen", seen: unrecorded });
    await this.#write(open, commitOf([controlLine(line)])).catch(() => false);
  }

  /** Another writer has this one's identity. This one takes a new identity. */
  #fork(): void {
    this.#open = undefined;
    this.#stream = newStream();
    this.#seq = 0;
  }

  async #startOrFail(day: number): Promise<OpenSegment> {
    try {
      return await this.#start(day);
    } catch (error) {
      throw new FailedCommit(error, undefined, false);
    }
  }

  async #start(day: number, kept: readonly SegmentRef[] = []): Promise<OpenSegment> {
    const { signer, expiresDays } = this.#options;
    const about = {
      stream: this.#stream,
      seq: this.#seq,
      created: new Date().toISOString(),
      prev: this.#prev,
      sdk: SDK,
      ...(signer && { signer }),
      ...(expiresDays !== undefined && { expires: expiresDays }),
    };
    const { place, seen, unrecorded, settled } = await this.#backend.begin({ day, kept, about });
    this.#watchEndOfDay(day);
    const segment = new Segment({ ...about, file: place.file, seen, ...(settled && { settled }) });
    return { day, segment, place, bytes: 0, firstLineBytes: 0, unrecorded };
  }

  /** Writes the segment's last lines and closes its place. */
  async #end(reason: string): Promise<void> {
    const open = this.#open;
    if (!open) return;
    const { segment, place } = open;
    const leaf = segment.size;
    try {
      const stored = await place.append(segment.close(reason), commitOf([]), leaf);
      if (stored === "stored") this.#prev = segment.ref();
    } finally {
      await this.#detach(open);
    }
  }

  /**
   * Closes the place of a segment. Resolves to its size in bytes; undefined where it is unknown.
   */
  async #detach(open: OpenSegment): Promise<number | undefined> {
    clearTimeout(this.#endOfDay);
    this.#open = undefined;
    // A segment takes its number in the stream once its first line is there, even if a later write
    // failed.
    try {
      const size = await open.place.size();
      if (size === undefined || size >= Math.max(open.firstLineBytes, 1)) this.#seq += 1;
      return size;
    } finally {
      await open.place.release();
    }
  }

  #watchEndOfDay(day: number): void {
    clearTimeout(this.#endOfDay);
    const isOver = day < today(); // written just before midnight, or imported
    const restOfDayMs = isOver ? 0 : DAY_MS - (Date.now() % DAY_MS);
    this.#endOfDay = setTimeout(() => {
      this.endEarlierDay().catch(() => undefined); // the segment stays unclosed, which the verifier reports
    }, restOfDayMs + 1000).unref();
  }
}

function today(): number {
  return dayOf(Date.now());
}

function throwCause(error: unknown): never {
  throw error instanceof FailedCommit ? error.cause : error;
}
