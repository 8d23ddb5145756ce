// Segments as objects: one object for each commit, whose metadata holds what the body lacks.
import { setTimeout as sleep } from "node:timers/promises";
import type { SegmentRef } from "../../format/control-line.ts";
import { timeOfId } from "../../format/id.ts";
import { LF } from "../../format/lines.ts";
import { readLineOf } from "../../format/read-control-line.ts";
import { DAY_MS } from "../../time.ts";
import type { Commit } from "../commit.ts";
import { Segment } from "../segment.ts";
import type {
  BegunSegment,
  NextSegment,
  SegmentBackend,
  SegmentPlace,
} from "../segment-backend.ts";
import type { S3Bucket } from "./bucket.ts";
import { controlKey, dayOf, entriesKey, segmentFileName } from "./keys.ts";
import { formatCommitMetadata } from "./metadata.ts";
import type { ResolvedObjectOptions } from "./options.ts";
import { contentOf, putOnce } from "./put-once.ts";
import { latestStates } from "./witnessed.ts";

/** S3 allows 2 KiB of metadata; the first line of a segment has this much of it, as base64. */
const MAX_OPEN_LINE_BYTES = 900;
/** A write waits no longer than this, in milliseconds, for the states of other writers. */
const SEEN_TIMEOUT_MS = 5000;

export interface BucketSegmentsOptions {
  readonly bucket: S3Bucket;
  /** The stream that the writer begins with; after a fork it has another one. */
  readonly stream: string;
  readonly objects: ResolvedObjectOptions;
  /** `vkey`s of earlier keys of the log. */
  readonly trustedKeys: readonly string[];
}

/** Begins segments in a bucket: a stream's objects of one day are one segment. */
export class BucketSegments implements SegmentBackend {
  readonly #options: BucketSegmentsOptions;

  constructor(options: BucketSegmentsOptions) {
    this.#options = options;
  }

  async begin({ day, about }: NextSegment): Promise<BegunSegment> {
    const { bucket, trustedKeys } = this.#options;
    const { stream, seq, prev, signer } = about;
    const place = new SegmentObjects(this.#options, { utcDay: day, stream, seq });
    const vkeys = signer === undefined ? [] : [signer.vkey, ...trustedKeys];
    const nothing = { states: [], isFirstOfDay: false };
    const known = await Promise.race([
      // A role may be allowed only to write: then no states of other writers are recorded.
      latestStates(bucket, { stream, vkeys }, Date.now()).catch(() => nothing),
      sleep(SEEN_TIMEOUT_MS, nothing, { ref: false }),
    ]);
    const all = known.states.filter(({ file }) => file !== prev?.file);
    let seen: readonly SegmentRef[] = all;
    const isTooLong = (): boolean =>
      openLineBytes({ ...about, file: place.file, seen }) > MAX_OPEN_LINE_BYTES;
    while (seen.length > 0 && isTooLong()) seen = seen.slice(0, -1);
    const unrecorded = known.isFirstOfDay ? all.slice(seen.length) : [];
    return { place, seen, unrecorded };
  }
}

/** The objects of one segment. */
class SegmentObjects implements SegmentPlace {
  readonly file: string;
  readonly room: number = Infinity;
  readonly #options: BucketSegmentsOptions;
  readonly #utcDay: number;
  /** `YYYY-MM-DD` */
  readonly #day: string;
  readonly #stream: string;
  readonly #seq: number;
  lastKey: string | undefined;

  constructor(
    options: BucketSegmentsOptions,
    {
      utcDay,
      stream,
      seq,
    }: { readonly utcDay: number; readonly stream: string; readonly seq: number },
  ) {
    this.#options = options;
    this.#utcDay = utcDay;
    this.#day = dayOf(utcDay * DAY_MS);
    this.#stream = stream;
    this.#seq = seq;
    this.file = segmentFileName(this.#day, stream, seq);
  }

  whyEnd({ day }: Commit): string {
    return day === this.#utcDay ? "" : "day";
  }

  async append(sealed: Buffer, commit: Commit, leaf: number): Promise<"stored" | "taken"> {
    const { bucket, objects, stream } = this.#options;
    const { lines, ids, linked } = commit;
    const { open, body, note } = takeApart(sealed, leaf === 0);
    const [firstId] = ids;
    const isForked = this.#stream !== stream;
    const isSingle = lines.length === 1 && firstId !== undefined && linked === 0 && !isForked;
    const key =
      firstId === undefined
        ? controlKey(this.#day, this.#stream, this.#seq, leaf)
        : entriesKey(
            firstId,
            timeOfId(firstId) ?? 0,
            isSingle,
            isForked ? this.#stream : undefined,
          );
    const metadata = formatCommitMetadata({
      leaf,
      note,
      open,
      entries: ids.length,
      linked,
      lastId: ids.at(-1) ?? "",
      stream: this.#stream,
      previous: this.lastKey,
    });
    const contentType = key.endsWith(".json") ? "application/json" : "application/x-ndjson";
    const content = contentOf(isSingle ? body.subarray(0, -1) : body);
    const result = await putOnce(bucket, { key, metadata, contentType }, content, objects);
    if (result === "stored") this.lastKey = key;
    return result;
  }

  /** Unknown: an object that was not confirmed may be there. */
  size(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * Bytes of a first line with these references: that of a segment that is sealed for nothing else.
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

/** A segment's bytes as a file would hold them, split into an object's body and metadata. */
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
