// The rest of a bucket, as retention needs it: segments that refer to expired ones, and records of
// earlier runs.
import type { SegmentRef } from "../../format/control-line.ts";
import { fileOfOrigin } from "../../format/origin.ts";
import { readFirstLine, readLineOf } from "../../format/read-control-line.ts";
import {
  type Actor,
  checkSegment,
  isSound,
  sealOfHead,
  vouchesFor,
} from "../../retention/trust.ts";
import { parseCheckpoint, parseNote } from "../../seal/note.ts";
import type { SegmentReport } from "../../verify/segment-report.ts";
import { referencesOf } from "../../verify/references.ts";
import { firstLines } from "../../retention/holds.ts";
import type { S3Bucket } from "./bucket.ts";
import { mapConcurrently, mapInOrder } from "./request.ts";
import { type CommitObject, type ControlObject, listDay, type ShippedObject } from "./listing.ts";
import { isDay } from "./keys.ts";
import { checkpointOf, parseCommitMetadata } from "./metadata.ts";
import { RangedObject } from "./ranged-object.ts";
import { directSource } from "./source-direct.ts";

const HEADS_AHEAD = 32;
/** Usually room for a segment's first lines. */
const FIRST_LINES_BYTES = 16 * 1024;

/** A segment's record of another one's state. */
export interface Witness {
  readonly ref: SegmentRef;
  /** Key of the object that records it. */
  readonly by: string;
  /** Whether a trusted key sealed the record. */
  readonly isProven: () => Promise<boolean>;
}

/** The beginning of a shipped segment. */
export interface ShippedBeginning {
  readonly key: string;
  /** The directory that it claims to come from. */
  readonly directory: string;
  /** The key that it names; null when it is not signed. */
  readonly vkey: string | null;
  readonly refs: readonly SegmentRef[];
  readonly isProven: () => Promise<boolean>;
}

/** Segments of a bucket by their ends and beginnings, listed and read at the first use. */
export class OtherSegments {
  readonly #bucket: S3Bucket;
  readonly #actor: Actor;
  #listed:
    | Promise<{
        readonly shipped: readonly ShippedObject[];
        readonly control: readonly ControlObject[];
      }>
    | undefined;
  #beginnings: Promise<readonly ShippedBeginning[]> | undefined;

  constructor(bucket: S3Bucket, actor: Actor) {
    this.#bucket = bucket;
    this.#actor = actor;
  }

  /** Whether our key sealed an end of a segment of this stream. */
  async isOurStream(stream: string | undefined): Promise<boolean> {
    if (stream === undefined || this.#actor.key === undefined) return false;
    for (const { key, stream: other } of await this.control()) {
      const commit =
        other === stream
          ? parseCommitMetadata((await this.#bucket.head(key))?.metadata ?? {})
          : undefined;
      const note = commit && parseNote(commit.note);
      const checkpoint = note && parseCheckpoint(note.text);
      if (!checkpoint) continue;
      const { origin } = checkpoint;
      if (vouchesFor(this.#actor.key, { origin, note }, { stream, file: fileOfOrigin(origin) }))
        return true;
    }
    return false;
  }

  /** Commits of control lines alone. */
  async control(): Promise<readonly ControlObject[]> {
    return (await this.#list()).control;
  }

  /** The beginnings of all shipped segments. */
  beginnings(): Promise<readonly ShippedBeginning[]> {
    this.#beginnings ??= this.#readBeginnings();
    return this.#beginnings;
  }

  async #list(): Promise<{
    readonly shipped: readonly ShippedObject[];
    readonly control: readonly ControlObject[];
  }> {
    this.#listed ??= this.#listAll();
    return this.#listed;
  }

  async #listAll(): Promise<{ shipped: ShippedObject[]; control: ControlObject[] }> {
    const all = { shipped: new Array<ShippedObject>(), control: new Array<ControlObject>() };
    for await (const day of this.#bucket.folders()) {
      if (!isDay(day)) continue;
      const { shipped, control } = await listDay(this.#bucket, day, { from: 1, to: 0 });
      for (const object of shipped) all.shipped.push(object);
      for (const object of control) all.control.push(object);
    }
    return all;
  }

  async #readBeginnings(): Promise<readonly ShippedBeginning[]> {
    const { shipped } = await this.#list();
    const read = await mapConcurrently(shipped, HEADS_AHEAD, (object) =>
      this.#readBeginning(object),
    );
    return read.flatMap((beginning) => beginning ?? []);
  }

  async #readBeginning({ key, file, bytes }: ShippedObject): Promise<ShippedBeginning | undefined> {
    const handle = new RangedObject(this.#bucket, key, bytes, FIRST_LINES_BYTES);
    const first = readFirstLine((await firstLines(handle))?.first ?? "");
    if (first.kind !== "segment") return undefined;
    const isProven = async (): Promise<boolean> => {
      const seal = await sealOfHead(handle, file);
      return seal !== undefined && this.#actor.trusts(seal.vkey);
    };
    const { vkey } = first.open;
    return {
      key,
      directory: handle.metadata["audit-directory"] ?? "",
      vkey,
      refs: referencesOf(first.open),
      isProven,
    };
  }
}

const READS_AHEAD = 16;
/** No line that records a removal is shorter; a line that ends a segment always is. */
const LEAST_BYTES = 150;

/** Records in commits of control lines, not yet proven. */
interface UnprovenRecords {
  /** By file: the commits that record its removal. */
  readonly removals: ReadonlyMap<string, readonly string[]>;
  readonly states: readonly Witness[];
}

export class EarlierRuns {
  readonly #bucket: S3Bucket;
  readonly #others: OtherSegments;
  readonly #actor: Actor;
  #records: Promise<UnprovenRecords> | undefined;

  constructor(bucket: S3Bucket, others: OtherSegments, actor: Actor) {
    this.#bucket = bucket;
    this.#others = others;
    this.#actor = actor;
  }

  /** Whether a sound segment under a trusted key records the removal of a file. */
  async removed(file: string): Promise<boolean> {
    const { removals } = await this.#read();
    for (const key of removals.get(file) ?? []) {
      const report = await this.#reportUpTo(key);
      if (report?.prunes.some((prune) => prune.type === "retention.prune" && prune.file === file))
        return true;
    }
    return false;
  }

  /** States of segments that stayed, as earlier runs recorded them. */
  async states(): Promise<readonly Witness[]> {
    return (await this.#read()).states;
  }

  #read(): Promise<UnprovenRecords> {
    this.#records ??= this.#readRecords();
    return this.#records;
  }

  async #readRecords(): Promise<UnprovenRecords> {
    const removals = new Map<string, string[]>();
    const states: Witness[] = [];
    const large = (await this.#others.control()).filter(({ bytes }) => bytes >= LEAST_BYTES);
    const reads = mapInOrder(large, READS_AHEAD, async ({ key }) => ({
      key,
      found: await this.#bucket.get(key),
    }));
    for await (const { key, found } of reads) {
      for (const line of (found?.body.toString() ?? "").split("\n")) {
        const record = readLineOf(line, "retention.prune", "retention.seen");
        if (record?.type === "retention.prune")
          removals.set(record.file, [...(removals.get(record.file) ?? []), key]);
        if (record?.type === "retention.seen")
          for (const ref of record.seen) states.push(this.#witness(ref, key));
      }
    }
    return { removals, states };
  }

  #witness(ref: SegmentRef, by: string): Witness {
    const isRef = ({ file, size, root }: SegmentRef): boolean =>
      file === ref.file && size === ref.size && root === ref.root;
    return {
      ref,
      by,
      isProven: async () => (await this.#reportUpTo(by))?.seen.some(isRef) === true,
    };
  }

  /** The report of a segment up to one of its objects, if it is sound and under a trusted key. */
  async #reportUpTo(key: string): Promise<SegmentReport | undefined> {
    const objects = await this.#upTo(key);
    const [first] = objects;
    const begun = readFirstLine(first?.open ?? "");
    if (!first || begun.kind !== "segment" || !this.#actor.trusts(begun.open.vkey))
      return undefined;
    const segment = begun.open.file;
    const source = directSource(
      this.#bucket,
      { commits: new Map([[segment, objects]]), foreign: [] },
      new Set(),
    );
    const report = await checkSegment(segment, begun.open.vkey, source.read(segment));
    return isSound(report) ? report : undefined;
  }

  /** The objects of a segment up to this one: each names the one before it. */
  async #upTo(last: string): Promise<CommitObject[]> {
    const objects: CommitObject[] = [];
    for (let key: string | undefined = last; key !== undefined;) {
      const head = await this.#bucket.head(key);
      const commit = head && parseCommitMetadata(head.metadata);
      const checkpoint = commit && checkpointOf(commit);
      const isBefore = commit !== undefined && commit.leaf < (objects[0]?.leaf ?? Infinity);
      if (!head || !commit || !checkpoint || !isBefore) return [];
      const { leaf, previous, open, lastId } = commit;
      objects.unshift({
        key,
        bytes: head.bytes,
        leaf,
        size: checkpoint.size,
        previous,
        open,
        lastId,
      });
      if (leaf === 0) return objects;
      key = previous;
    }
    return [];
  }
}
