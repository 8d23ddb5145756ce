// Streams in bounded memory: deltas are merged as they arrive, text beyond the limit is only
// hashed. Over 300 lines: the growing values hold each other.
import { createHash, type Hash } from "node:crypto";
import type { JsonValue } from "../../format/canonical.ts";
import { Base64Digest } from "../payload/binary.ts";
import { snapshot } from "../payload/snapshot.ts";
import { countOf, type Fields, fieldsOf, isFields, textOf } from "../payload/read.ts";

/**
 * Largest number of members and list items kept of one stream, besides their text; each counts as
 * 64 bytes.
 */
const MAX_STRUCTURE_BYTES = 1024 * 1024;
const MEMBER_BYTES = 64;

/** The memory that one stream may use. */
export class StreamBudget {
  #textLeft: number;
  #structureLeft: number = MAX_STRUCTURE_BYTES;
  /** Parts that found no room. */
  dropped = 0;

  constructor(maxContentBytes: number) {
    this.#textLeft = maxContentBytes;
  }

  takeText(bytes: number): boolean {
    if (bytes > this.#textLeft) return false;
    this.#textLeft -= bytes;
    return true;
  }

  returnText(bytes: number): void {
    this.#textLeft += bytes;
  }

  takeMember(bytes = 0): boolean {
    this.#structureLeft -= MEMBER_BYTES + bytes;
    if (this.#structureLeft >= 0) return true;
    this.dropped += 1;
    return false;
  }

  /** The alerts about parts that found no room. */
  get alerts(): readonly string[] {
    return this.dropped > 0
      ? [`ai-audit: ${this.dropped} parts of the stream were dropped: too many to keep`]
      : [];
  }
}

/**
 * Pieces before they are joined: appending each separately would build a rope as deep as the number
 * of pieces.
 */
const MAX_PIECES = 64;

/** A string that grows. Beyond the budget: its SHA-256 and length, over all of it. */
export class GrowingText {
  readonly #budget: StreamBudget;
  #text = "";
  #pieces: string[] = [];
  #bytes = 0;
  #hash: Hash | undefined;

  constructor(budget: StreamBudget) {
    this.#budget = budget;
  }

  push(piece: string): void {
    this.#pieces.push(piece);
    if (this.#hash) {
      this.#drain(this.#hash);
      return;
    }
    const bytes = Buffer.byteLength(piece);
    if (this.#budget.takeText(bytes)) {
      this.#bytes += bytes;
      if (this.#pieces.length === MAX_PIECES) this.#join();
      return;
    }
    this.#budget.returnText(this.#bytes);
    this.#bytes = 0;
    this.#hash = createHash("sha256");
    this.#drain(this.#hash);
  }

  value(): JsonValue {
    const text = this.#join().toWellFormed();
    if (!this.#hash) return text;
    const sha256 = this.#hash.copy().update(text).digest("hex");
    return { omitted: "maxContentBytes", bytes: this.#bytes + Buffer.byteLength(text), sha256 };
  }

  /** Releases the memory; the text is no longer needed. */
  release(): void {
    if (!this.#hash) this.#budget.returnText(this.#bytes);
    this.#bytes = 0;
    this.#text = "";
    this.#pieces = [];
  }

  #join(): string {
    this.#text += this.#pieces.join("");
    this.#pieces = [];
    return this.#text;
  }

  #drain(hash: Hash): void {
    const all = this.#join();
    // A surrogate pair may be cut by the pieces' borders: its first half waits for the second.
    const whole = isHighSurrogate(all.charCodeAt(all.length - 1)) ? all.slice(0, -1) : all;
    const text = whole.toWellFormed();
    hash.update(text);
    this.#bytes += Buffer.byteLength(text);
    this.#text = all.slice(whole.length);
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** Base64 that grows: only its digest is kept. */
class GrowingBase64 {
  readonly #digest = new Base64Digest();

  push(piece: string): void {
    this.#digest.push(piece);
  }

  value(): JsonValue {
    return this.#digest.digest();
  }
}

/** Strings that name something: they come whole, and some servers repeat them in every chunk. */
const WHOLE: ReadonlySet<string> = new Set([
  "call_id",
  "file_id",
  "format",
  "id",
  "image_file",
  "index",
  "name",
  "object",
  "role",
  "status",
  "type",
]);

/**
 * Deltas nest a few levels deep; deeper values are kept unmerged, so that no stream can exhaust the
 * stack.
 */
const MAX_DEPTH = 16;

type Part =
  | GrowingText
  | GrowingBase64
  | MergedDelta
  | MergedList
  | Sequence
  | { readonly whole: JsonValue };

/**
 * An object that arrives as deltas: texts are appended, lists with an `index` merged by it, the
 * rest replaced.
 */
export class MergedDelta {
  readonly #budget: StreamBudget;
  readonly #path: readonly string[];
  readonly #parts = new Map<string, Part>();
  /**
   * The text that the latest delta continued: the next one usually continues it too, and a lookup
   * for each is measurable.
   */
  #latest: { readonly key: string; readonly text: GrowingText } | undefined;

  constructor(budget: StreamBudget, path: readonly string[] = []) {
    this.#budget = budget;
    this.#path = path;
  }

  merge(delta: Fields): void {
    for (const key in delta) {
      const value = delta[key];
      if (value === null || value === undefined) continue;
      if (typeof value === "string" && this.#latest?.key === key) this.#latest.text.push(value);
      else this.#mergeMember(key, value, this.#parts.get(key));
    }
  }

  value(): { readonly [key: string]: JsonValue } {
    return Object.fromEntries(
      [...this.#parts].map(([key, part]) => [key, "whole" in part ? part.whole : part.value()]),
    );
  }

  #mergeMember(key: string, value: unknown, before: Part | undefined): void {
    if (typeof value === "string" && before instanceof GrowingText) {
      this.#latest = { key, text: before };
      before.push(value);
    } else if (before === undefined || "whole" in before) this.#begin(key, value, before?.whole);
    else if (before instanceof Sequence) before.push(value);
    else if (before instanceof MergedList && Array.isArray(value)) before.merge(value);
    else if (before instanceof MergedDelta && isFields(value)) before.merge(value);
    else if (before instanceof GrowingBase64 && typeof value === "string") before.push(value);
    else this.#alternate(key, before, value);
  }

  /** A member that changes its type: its pieces are kept in their order. */
  #alternate(key: string, before: Part, value: unknown): void {
    if (this.#latest?.key === key) this.#latest = undefined;
    const sequence = new Sequence(before, (piece) => this.#newPart(key, piece));
    sequence.push(value);
    this.#parts.set(key, sequence);
  }

  /** A member's first value, or the next one where the last one counts. */
  #begin(key: string, value: unknown, known: JsonValue | undefined): void {
    if (value === known) return;
    const part = this.#newPart(key, value);
    const size = key.length + ("whole" in part ? JSON.stringify(part.whole).length : 0);
    if (this.#budget.takeMember(size)) this.#parts.set(key, part);
  }

  #newPart(key: string, value: unknown): Part {
    const path = [...this.#path, key];
    if (typeof value === "string" && !WHOLE.has(key)) {
      const text =
        key === "data" && this.#path.at(-1) === "audio"
          ? new GrowingBase64()
          : new GrowingText(this.#budget);
      text.push(value);
      return text;
    }
    if (Array.isArray(value) && path.length < MAX_DEPTH) {
      const list = new MergedList(this.#budget, path);
      list.merge(value);
      return list;
    }
    if (isFields(value) && path.length < MAX_DEPTH) {
      const object = new MergedDelta(this.#budget, path);
      object.merge(value);
      return object;
    }
    return { whole: snapshot(value) };
  }
}

/** A member whose deltas are strings, lists and objects by turns: all of them, in order. */
class Sequence {
  readonly #parts: Part[];
  readonly #newPart: (value: unknown) => Part;

  constructor(first: Part, newPart: (value: unknown) => Part) {
    this.#parts = [first];
    this.#newPart = newPart;
  }

  push(value: unknown): void {
    const last = this.#parts.at(-1);
    if (last instanceof GrowingText && typeof value === "string") last.push(value);
    else if (last instanceof MergedList && Array.isArray(value)) last.merge(value);
    else if (last instanceof MergedDelta && isFields(value)) last.merge(value);
    else this.#parts.push(this.#newPart(value));
  }

  /** Content parts, in the shape of an answer that is not streamed. */
  value(): JsonValue {
    return this.#parts.flatMap((part): readonly JsonValue[] => {
      if (part instanceof GrowingText) return [{ type: "text", text: part.value() }];
      if (part instanceof MergedList) return part.value();
      return ["whole" in part ? part.whole : part.value()];
    });
  }
}

/** An item of a list, with the call that it belongs to. */
interface Item {
  readonly index: number;
  readonly merged: MergedDelta;
  id: string | undefined;
}

/**
 * A list that arrives as deltas: items with an `index` are merged by it, others appended. Some
 * hosts give all parallel tool calls the index 0: another id together with a name begins another
 * call.
 */
export class MergedList {
  readonly #budget: StreamBudget;
  readonly #path: readonly string[];
  /**
   * In the order of their beginning. Deltas continue the last item of an index.
   */
  readonly #indexed: Item[] = [];
  readonly #appended: JsonValue[] = [];

  constructor(budget: StreamBudget, path: readonly string[]) {
    this.#budget = budget;
    this.#path = path;
  }

  merge(items: readonly unknown[]): void {
    for (const item of items) {
      const index = isFields(item) ? countOf(item["index"]) : undefined;
      if (isFields(item) && index !== undefined) this.#itemFor(item, index)?.merged.merge(item);
      else this.#append(item);
    }
  }

  /** The item that a delta belongs to; undefined when there is no room for it. */
  #itemFor(delta: Fields, index: number): Item | undefined {
    const id = textOf(delta["id"]);
    const name = textOf(fieldsOf(delta["function"] ?? delta["custom"])["name"]);
    const known = this.#indexed.findLast((item) => item.index === index);
    const isOther =
      name !== undefined && id !== undefined && known?.id !== undefined && known.id !== id;
    if (known && !isOther) {
      known.id ??= id;
      return known;
    }
    if (!this.#budget.takeMember()) return undefined;
    const item = { index, id, merged: new MergedDelta(this.#budget, this.#path) };
    this.#indexed.push(item);
    return item;
  }

  value(): readonly JsonValue[] {
    const items = this.#indexed
      .toSorted((a, b) => a.index - b.index)
      .map(({ merged }) => {
        const { index: _, ...rest } = merged.value();
        return rest;
      });
    return [...items, ...this.#appended];
  }

  #append(item: unknown): void {
    const copy = snapshot(item);
    if (this.#budget.takeMember(JSON.stringify(copy).length)) this.#appended.push(copy);
  }
}
