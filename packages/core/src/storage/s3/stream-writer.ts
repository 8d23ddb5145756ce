// Commits of one writer as objects: seals them, names them, and decides what happens when a key is
// taken.
import { setTimeout as sleep } from "node:timers/promises";
import { recordsCallAgain } from "../../format/entry-line.ts";
import { AuditWriteError } from "../../errors.ts";
import { newStream, timeOfId } from "../../format/id.ts";
import { formatControlLine, type SegmentRef } from "../../format/control-line.ts";
import { Segment } from "../segment.ts";
import type { Signer } from "../../seal/signer.ts";
import { SDK } from "../../version.ts";
import { readLineOf } from "../../format/read-control-line.ts";
import type { PendingLine } from "../lane.ts";
import type { Metadata, S3Bucket } from "./bucket.ts";
import { controlKey, dayOf, entriesKey, segmentFileName } from "./keys.ts";
import { formatCommitMetadata } from "./metadata.ts";
import type { ResolvedObjectOptions } from "./options.ts";
import { contentOf, putOnce } from "./put-once.ts";
import { latestStates } from "./witnessed.ts";

const LF = 0x0a;
/** S3 allows 2 KiB of metadata; the first line of a segment has this much of it, as base64. */
const MAX_OPEN_LINE_BYTES = 900;
/** A write does not wait longer than this for what can be learned of other writers. */
const SEEN_TIMEOUT_MS = 5000;
/** Two keys of one writer that are both taken are no accident. */
const MAX_FORKS = 3;

export interface StreamWriterOptions {
  readonly bucket: S3Bucket;
  readonly stream: string;
  readonly objects: ResolvedObjectOptions;
  readonly signer: Signer | undefined;
  /** `vkey`s of earlier keys of the log. */
  readonly trustedKeys: readonly string[];
  readonly expiresDays: number | undefined;
}

/** A stream's objects of one day: one tree. */
interface OpenSegment {
  readonly day: string;
  readonly stream: string;
  readonly seq: number;
  readonly segment: Segment;
  previousKey: string | undefined;
  /** States that the first line has no room for, and that nobody else has recorded today. */
  unrecorded: readonly SegmentRef[];
}

/** What one commit holds, and what it is sealed into. */
interface Commit {
  readonly lines: readonly string[];
  readonly ids: readonly string[];
  readonly linked: number;
}

export class StreamWriter {
  readonly #options: StreamWriterOptions;
  #stream: string;
  /** True once the stream is another than the writer began with. */
  #isForked = false;
  #open: OpenSegment | undefined;
  #seq = 0;
  #prev: SegmentRef | null = null;

  constructor(options: StreamWriterOptions) {
    this.#options = options;
    this.#stream = options.stream;
  }

  /** The day of the segment that is open. */
  get openDay(): string | undefined {
    return this.#open?.day;
  }

  /** Names of the segments that this writer still writes to: never to be removed. */
  isOpen(file: string): boolean {
    return this.#open?.segment.file === file;
  }

  /** Stores the lines as one object. Lines are all of one day; see `S3Storage`. */
  async commit(pending: readonly PendingLine[]): Promise<void> {
    const commit: Commit = {
      lines: pending.map(({ line }) => line),
      ids: pending.flatMap(({ id }) => id ?? []),
      linked: pending.filter(({ line }) => recordsCallAgain(line)).length,
    };
    const time = timeOfId(commit.ids[0] ?? "");
    const day = dayOf(time ?? Date.now());
    // A segment that cannot be ended stays unclosed, which the verifier reports. It costs the next
    // one nothing.
    if (this.#open && this.#open.day !== day) await this.end("day").catch(() => undefined);
    for (let forks = 0; ; forks += 1) {
      const open = (this.#open ??= await this.#start(day));
      if (await this.#store(open, commit)) return this.#recordStates(open);
      if (forks === MAX_FORKS)
        throw new AuditWriteError("AUDIT_WRITE_FAILED", "somebody else writes under our keys");
      this.#fork();
    }
  }

  /** Ends the open segment with a last object, so that it verifies as closed. */
  async end(reason: string): Promise<void> {
    const open = this.#open;
    if (!open) return;
    const leaf = open.segment.size;
    const { body, note } = takeApart(open.segment.close(reason), false);
    const key = controlKey(open.day, open.stream, open.seq, leaf);
    await this.#put(open, key, body, {
      leaf,
      note,
      open: undefined,
      entries: 0,
      linked: 0,
      lastId: "",
    });
    this.#detach();
  }

  /** Records the states that the first line had no room for. The commit before is stored anyway. */
  async #recordStates(open: OpenSegment): Promise<void> {
    const { unrecorded } = open;
    if (unrecorded.length === 0) return;
    open.unrecorded = [];
    const line = formatControlLine({ type: "retention.seen", seen: unrecorded });
    await this.#store(open, { lines: [line], ids: [], linked: 0 }).catch(() => false);
  }

  /** Whether the commit is stored; not when its key is taken. */
  async #store(open: OpenSegment, { lines, ids, linked }: Commit): Promise<boolean> {
    const leaf = open.segment.size;
    const sealed = takeApart(open.segment.seal(lines, ids.length, linked), leaf === 0);
    const firstId = ids[0];
    const isSingle = lines.length === 1 && firstId !== undefined && linked === 0 && !this.#isForked;
    const key =
      firstId === undefined
        ? controlKey(open.day, open.stream, open.seq, leaf)
        : entriesKey(
            firstId,
            timeOfId(firstId) ?? 0,
            isSingle,
            this.#isForked ? open.stream : undefined,
          );
    const body = isSingle ? sealed.body.subarray(0, -1) : sealed.body;
    const about = {
      leaf,
      note: sealed.note,
      open: sealed.open,
      entries: ids.length,
      linked,
      lastId: ids.at(-1) ?? "",
    };
    return this.#put(open, key, body, about);
  }

  async #put(
    open: OpenSegment,
    key: string,
    body: Buffer,
    about: Omit<Parameters<typeof formatCommitMetadata>[0], "stream" | "previous">,
  ): Promise<boolean> {
    const metadata: Metadata = formatCommitMetadata({
      ...about,
      stream: open.stream,
      previous: open.previousKey,
    });
    const contentType = key.endsWith(".json") ? "application/json" : "application/x-ndjson";
    const { bucket, objects } = this.#options;
    try {
      const result = await putOnce(
        bucket,
        { key, metadata, contentType },
        contentOf(body),
        objects,
      );
      if (result === "taken") return false;
    } catch (error) {
      this.#detach(); // nobody knows whether it is there: nothing more is ever put after it
      throw error;
    }
    open.previousKey = key;
    this.#prev = open.segment.ref();
    return true;
  }

  #detach(): void {
    this.#open = undefined;
    this.#seq += 1;
  }

  /**
   * Somebody else's bytes are under our key: two writers have one identity. This one takes a new
   * one.
   */
  #fork(): void {
    this.#open = undefined;
    this.#stream = newStream();
    this.#isForked = true;
    this.#seq = 0;
  }

  async #start(day: string): Promise<OpenSegment> {
    const { bucket, signer, trustedKeys, expiresDays } = this.#options;
    const settings = {
      file: segmentFileName(day, this.#stream, this.#seq),
      stream: this.#stream,
      seq: this.#seq,
      created: new Date().toISOString(),
      prev: this.#prev,
      sdk: SDK,
      ...(signer && { signer }),
      ...(expiresDays !== undefined && { expires: expiresDays }),
    };
    // Not to see other writers must keep nobody from logging: a role may be allowed to write and
    // nothing else.
    const vkeys = signer === undefined ? [] : [signer.vkey, ...trustedKeys];
    const nothing = { states: [], isFirstOfDay: false };
    const known = await Promise.race([
      latestStates(bucket, { stream: this.#stream, vkeys }, Date.now()).catch(() => nothing),
      sleep(SEEN_TIMEOUT_MS, nothing, { ref: false }),
    ]);
    const all = known.states.filter(({ file }) => file !== this.#prev?.file);
    let seen: readonly SegmentRef[] = all;
    while (seen.length > 0 && openLineBytes({ ...settings, seen }) > MAX_OPEN_LINE_BYTES)
      seen = seen.slice(0, -1);
    const segment = new Segment({ ...settings, seen });
    const unrecorded = known.isFirstOfDay ? all.slice(seen.length) : [];
    return {
      day,
      stream: this.#stream,
      seq: this.#seq,
      segment,
      previousKey: undefined,
      unrecorded,
    };
  }
}

/**
 * What a first line with these references takes: that of a segment that is sealed for nothing else.
 */
function openLineBytes(options: ConstructorParameters<typeof Segment>[0]): number {
  return new Segment(options).close("size").indexOf(LF);
}

interface SealedParts {
  /** The first line. */
  readonly open: string | undefined;
  /** The lines between it and the checkpoint, each with its line feed. */
  readonly body: Buffer;
  readonly note: string;
}

/** A segment's bytes as a file would hold them, taken apart into what goes where in an object. */
function takeApart(sealed: Buffer, hasOpen: boolean): SealedParts {
  const start = hasOpen ? sealed.indexOf(LF) + 1 : 0;
  const end = sealed.lastIndexOf(LF, sealed.length - 2) + 1;
  const checkpoint = readLineOf(sealed.toString("utf8", end, sealed.length - 1), "checkpoint");
  return {
    open: hasOpen ? sealed.toString("utf8", 0, start - 1) : undefined,
    body: sealed.subarray(start, end),
    note: checkpoint?.note ?? "",
  };
}
