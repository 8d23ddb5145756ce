// What earlier runs of retention recorded: removals that they did not end, and states of what they left.
import type { SegmentRef } from "../../format/control-line.ts";
import type { SegmentReport } from "../../verify/segment-report.ts";
import { readFirstLine, readLineOf } from "../../format/read-control-line.ts";
import { checkSegment, isSound } from "../../retention/trust.ts";
import type { S3Bucket } from "./bucket.ts";
import { mapInOrder } from "./concurrency.ts";
import { checkpointOf, parseCommitMetadata } from "./metadata.ts";
import { type CommitObject, directSource } from "./source-direct.ts";
import type { Survey, Trusts, Witness } from "./survey.ts";

const READS_AHEAD = 16;
/** No line that records a removal is shorter; a line that ends a segment always is. */
const LEAST_BYTES = 150;

/** What commits of control lines say, by whom nobody knows yet. */
interface Claims {
  /** By file: the commits that claim its removal. */
  readonly removals: ReadonlyMap<string, readonly string[]>;
  readonly states: readonly Witness[];
}

export class EarlierRuns {
  readonly #bucket: S3Bucket;
  readonly #survey: Survey;
  readonly #trusts: Trusts;
  #claims: Promise<Claims> | undefined;

  constructor(bucket: S3Bucket, survey: Survey, trusts: Trusts) {
    this.#bucket = bucket;
    this.#survey = survey;
    this.#trusts = trusts;
  }

  /** Whether a segment that is sound, and sealed by a key that is trusted, records that a file was to be removed. */
  async removed(file: string): Promise<boolean> {
    const { removals } = await this.#read();
    for (const key of removals.get(file) ?? []) {
      const report = await this.#reportUpTo(key);
      if (report?.prunes.some((prune) => prune.type === "retention.prune" && prune.file === file))
        return true;
    }
    return false;
  }

  /** States of segments that stayed. */
  async states(): Promise<readonly Witness[]> {
    return (await this.#read()).states;
  }

  #read(): Promise<Claims> {
    this.#claims ??= this.#readClaims();
    return this.#claims;
  }

  async #readClaims(): Promise<Claims> {
    const removals = new Map<string, string[]>();
    const states: Witness[] = [];
    const large = (await this.#survey.control()).filter(({ bytes }) => bytes >= LEAST_BYTES);
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

  /** What a segment says up to one of its objects, if it is sound and a key that is trusted sealed it. */
  async #reportUpTo(key: string): Promise<SegmentReport | undefined> {
    const objects = await this.#upTo(key);
    const [first] = objects;
    const begun = readFirstLine(first?.open ?? "");
    if (!first || begun.kind !== "segment" || !this.#trusts(begun.open.vkey)) return undefined;
    const segment = begun.open.file;
    const source = directSource(
      this.#bucket,
      { commits: new Map([[segment, objects]]), foreign: [] },
      new Set(),
    );
    const report = await checkSegment(segment, begun.open.vkey, source.read(segment));
    return isSound(report) ? report : undefined;
  }

  /** The objects of a segment up to this one, which each name the one before. */
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
