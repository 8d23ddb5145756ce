// What retention looks up in the rest of a bucket: which segments refer to which, and which removals it recorded before.
import type { SegmentRef } from "../../format/control-line.ts";
import { parseCheckpoint, parseNote, parseVkey, type VerificationKey } from "../../seal/note.ts";
import { fileOfOrigin } from "../../format/origin.ts";
import { readFirstLine } from "../../format/read-control-line.ts";
import { referencesOf } from "../../verify/references.ts";
import { firstLines } from "../file/holds.ts";
import { sealOfHead, vouchesFor } from "../../retention/trust.ts";
import type { S3Bucket } from "./bucket.ts";
import { mapConcurrently } from "./concurrency.ts";
import { type ControlObject, listDay, type ShippedObject } from "./day.ts";
import { isDay } from "./keys.ts";
import { parseCommitMetadata } from "./metadata.ts";
import { RangedObject } from "./ranged-object.ts";

const HEADS_AHEAD = 32;
/** Room for a segment's first lines, as a rule. */
const FIRST_LINES_BYTES = 16 * 1024;

/** A segment's record of another one's state. */
export interface Witness {
  readonly ref: SegmentRef;
  /** Key of the object that records it. */
  readonly by: string;
  /** Whether a key that is trusted here sealed the record. */
  readonly isProven: () => Promise<boolean>;
}

/** The beginning of a shipped segment. */
export interface ShippedBeginning {
  readonly key: string;
  /** The directory that it says it comes from. */
  readonly directory: string;
  /** The key that it names; null when it is not signed. */
  readonly vkey: string | null;
  readonly refs: readonly SegmentRef[];
  readonly isProven: () => Promise<boolean>;
}

/** Whose seal counts: our own key's, or, for whoever has none, any that is consistent. */
export type Trusts = (vkey: string | null) => boolean;

/** Whose key it is that acts. */
export interface Actor {
  /** Undefined when it does not sign. */
  readonly vkey: string | undefined;
  /** Earlier keys of the same log. */
  readonly trustedKeys: readonly string[];
}

/** `Trusts` of whoever has this key. */
export function trustsOf({ vkey, trustedKeys }: Actor): Trusts {
  return (other) =>
    vkey === undefined || other === vkey || (other !== null && trustedKeys.includes(other));
}

/** Everything in a bucket besides the direct entries, listed and read when it is first asked for. */
export class Survey {
  readonly #bucket: S3Bucket;
  readonly #trusts: Trusts;
  readonly #key: VerificationKey | undefined;
  #listed:
    | Promise<{
        readonly shipped: readonly ShippedObject[];
        readonly control: readonly ControlObject[];
      }>
    | undefined;
  #beginnings: Promise<readonly ShippedBeginning[]> | undefined;

  /** `actor`: who acts here. */
  constructor(bucket: S3Bucket, actor: Actor) {
    this.#bucket = bucket;
    this.#trusts = trustsOf(actor);
    this.#key = actor.vkey === undefined ? undefined : parseVkey(actor.vkey);
  }

  /** Whether our key sealed an end of a segment of this stream. */
  async isOurStream(stream: string | undefined): Promise<boolean> {
    if (stream === undefined || this.#key === undefined) return false;
    for (const { key, stream: other } of await this.control()) {
      const commit =
        other === stream
          ? parseCommitMetadata((await this.#bucket.head(key))?.metadata ?? {})
          : undefined;
      const note = commit && parseNote(commit.note);
      const checkpoint = note && parseCheckpoint(note.text);
      if (!checkpoint) continue;
      const { origin } = checkpoint;
      if (vouchesFor(this.#key, { origin, note }, { stream, file: fileOfOrigin(origin) }))
        return true;
    }
    return false;
  }

  /** Commits of control lines alone. */
  async control(): Promise<readonly ControlObject[]> {
    return (await this.#list()).control;
  }

  /** Of all shipped segments. */
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
      all.shipped.push(...shipped);
      all.control.push(...control);
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
      return seal !== undefined && this.#trusts(seal.vkey);
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
