// The states that an anchor log holds, and the proofs that it holds them.
import { RecentMap } from "../bounded-map.ts";
import { AuditError } from "../errors.ts";
import { AuditPaths } from "../seal/audit-paths.ts";
import { type Checkpoint, formatCheckpoint, parseNote } from "../seal/note.ts";
import { formatTlogProof } from "../seal/tlog-proof.ts";
import type { AnchorLog } from "./anchor-log.ts";
import { type AnchorPart, formatPlace } from "./anchored-proof.ts";
import { hashOfState, parseAnchorFile } from "./record.ts";
import {
  type ConfirmationName,
  formatConfirmationName,
  leafName,
  parseConfirmationName,
} from "./store.ts";

/** A state in its leaf. */
interface Place {
  readonly state: Checkpoint;
  /** Of the leaf, from 0. */
  readonly leaf: number;
  /** Of the state among those of the leaf, from 0. */
  readonly index: number;
}

/** The states of one anchor log. */
export class AnchoredStates {
  readonly #log: AnchorLog;
  readonly #paths: AuditPaths;
  /** By origin, the smallest state first. */
  readonly #places = new Map<string, Place[]>();
  /** Confirmations by each party, the earliest first. */
  readonly #confirmations: readonly (readonly ConfirmationName[])[];
  readonly #files = new RecentMap<string, Buffer>(64);

  /** @throws {AuditError} `AUDIT_ANCHOR_REFUSED` where the anchor log is altered */
  constructor(log: AnchorLog) {
    const [flaw] = log.flaws;
    if (flaw !== undefined)
      throw new AuditError("AUDIT_ANCHOR_REFUSED", `the anchor log is altered: ${flaw.message}`);
    this.#log = log;
    this.#paths = new AuditPaths(log.leaves);
    for (const [leaf, { states }] of log.records.entries()) {
      for (const [index, state] of states.entries()) {
        const places = this.#places.get(state.origin);
        if (places === undefined) this.#places.set(state.origin, [{ state, leaf, index }]);
        else places.push({ state, leaf, index });
      }
    }
    const names = log.names.map(parseConfirmationName).filter((name) => name !== undefined);
    const notes = names.filter(({ extension }) => extension === "note");
    const sorted = notes.toSorted((a, b) => a.size - b.size);
    const byParty = Map.groupBy(sorted, ({ kind, by }) => `${kind} ${by}`);
    this.#confirmations = [...byParty.values()];
  }

  /** Whether a proof should lead to this checkpoint: it is anchored, or no later one of it is. */
  isBest({ origin, size }: Checkpoint): boolean {
    const places = this.#places.get(origin) ?? [];
    return (
      !places.some(({ state }) => state.size > size) || this.#placeOf(origin, size) !== undefined
    );
  }

  #placeOf(origin: string, size: number): Place | undefined {
    return this.#places.get(origin)?.find(({ state }) => state.size === size);
  }

  /**
   * The ways from a state to the earliest checkpoint that each party confirmed, or to the anchor
   * log's own where none did. Empty for a state that is not anchored.
   */
  async partsOf(state: Checkpoint): Promise<AnchorPart[]> {
    const place = this.#placeOf(state.origin, state.size);
    if (place === undefined || place.state.root !== state.root) return [];
    const parts: AnchorPart[] = [];
    for (const names of this.#confirmations) {
      const part = await this.#earliest(place, names);
      if (part !== undefined) parts.push(part);
    }
    return parts.length > 0 ? parts : [await this.#ownPart(place)];
  }

  async #earliest(
    place: Place,
    names: readonly ConfirmationName[],
  ): Promise<AnchorPart | undefined> {
    for (const name of names.filter(({ size }) => size > place.leaf)) {
      const note = (await this.#read(formatConfirmationName(name)))?.toString() ?? "";
      const { origin } = this.#log;
      const root = this.#log.rootAt(name.size) ?? "";
      if (parseNote(note)?.text !== formatCheckpoint({ origin, size: name.size, root })) continue;
      const proof = this.#proofOf(place, name.size, note);
      if (name.kind === "witness") return { proof };
      const bytes = await this.#read(formatConfirmationName({ ...name, extension: "tsr" }));
      const file = formatConfirmationName(name).slice(0, -".note".length);
      if (bytes !== undefined) return { proof, token: { name: file, note, bytes } };
    }
    return undefined;
  }

  async #ownPart(place: Place): Promise<AnchorPart> {
    const bytes = await this.#read(leafName(place.leaf));
    const note = parseAnchorFile(bytes?.toString() ?? "")?.note ?? "";
    return { proof: this.#proofOf(place, place.leaf + 1, note) };
  }

  #proofOf({ leaf, index }: Place, size: number, note: string): string {
    const record = this.#log.records[leaf];
    const states = new AuditPaths((record?.states ?? []).map(hashOfState));
    const extra = formatPlace(record?.line ?? "", index, states.path(index));
    return formatTlogProof({ extra, index: leaf, path: this.#paths.path(leaf, size), note });
  }

  async #read(name: string): Promise<Buffer | undefined> {
    const kept = this.#files.get(name);
    if (kept !== undefined) return kept;
    const bytes = await this.#log.store.read(name);
    if (bytes !== undefined) this.#files.set(name, bytes);
    return bytes;
  }
}
