// Removals that a run of retention recorded and did not end: what it left may go without another record.
import { readFirstLine, readRemovalRecord } from "../../integrity/read-control-line.ts";
import { checkSegment, isSound } from "../trust.ts";
import type { Bucket } from "./bucket.ts";
import { mapInOrder } from "./concurrency.ts";
import { checkpointOf, parseCommitMetadata } from "./metadata.ts";
import { type CommitObject, directSource } from "./source-direct.ts";
import type { Survey, Trusts } from "./survey.ts";

const READS_AHEAD = 16;
/** No line that records a removal is shorter; a line that ends a segment always is. */
const LEAST_BYTES = 150;

export class EarlierRemovals {
  readonly #bucket: Bucket;
  readonly #survey: Survey;
  readonly #trusts: Trusts;
  #claims: Promise<ReadonlyMap<string, readonly string[]>> | undefined;

  constructor(bucket: Bucket, survey: Survey, trusts: Trusts) {
    this.#bucket = bucket;
    this.#survey = survey;
    this.#trusts = trusts;
  }

  /** Whether a segment that is sound, and sealed by a key that is trusted, records that a file was to be removed. */
  async include(file: string): Promise<boolean> {
    this.#claims ??= this.#readClaims();
    for (const key of (await this.#claims).get(file) ?? []) if (await this.#isProven(key, file)) return true;
    return false;
  }

  /** By file: the commits of control lines that claim its removal. */
  async #readClaims(): Promise<ReadonlyMap<string, readonly string[]>> {
    const claims = new Map<string, string[]>();
    const large = (await this.#survey.control()).filter(({ bytes }) => bytes >= LEAST_BYTES);
    const reads = mapInOrder(large, READS_AHEAD, async ({ key }) => ({ key, found: await this.#bucket.get(key) }));
    for await (const { key, found } of reads) {
      for (const line of (found?.body.toString() ?? "").split("\n")) {
        const record = readRemovalRecord(line);
        if (record) claims.set(record.file, [...(claims.get(record.file) ?? []), key]);
      }
    }
    return claims;
  }

  async #isProven(key: string, file: string): Promise<boolean> {
    const objects = await this.#upTo(key);
    const [first] = objects;
    const begun = readFirstLine(first?.open ?? "");
    if (!first || begun.kind !== "segment" || !this.#trusts(begun.open.vkey)) return false;
    const segment = begun.open.file;
    const source = directSource(this.#bucket, { commits: new Map([[segment, objects]]), foreign: [] }, new Set());
    const report = await checkSegment(segment, begun.open.vkey, source.read(segment));
    return isSound(report) && report.prunes.some((prune) => prune.type === "retention.prune" && prune.file === file);
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
      objects.unshift({ key, bytes: head.bytes, leaf, size: checkpoint.size, previous, open, lastId });
      if (leaf === 0) return objects;
      key = previous;
    }
    return [];
  }
}
