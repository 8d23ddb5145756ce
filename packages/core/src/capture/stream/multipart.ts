// A multipart form that passes in pieces: fields unchanged, files as { name, mime, bytes, sha256 }.
// https://www.rfc-editor.org/rfc/rfc7578
import { createHash, type Hash } from "node:crypto";
import type { JsonValue } from "../../format/canonical.ts";
import { addField } from "../payload/binary.ts";

/** Longer fields are cut: a form's text is short, its files are not kept. In bytes. */
const MAX_FIELD_BYTES = 1024 * 1024;

/** Longer headers of a part are not headers. In bytes. */
const MAX_HEADER_BYTES = 16 * 1024;

interface Part {
  readonly field: string;
  /** undefined for a field that is not a file. */
  readonly file: { readonly name: string; readonly mime: string | undefined } | undefined;
  readonly hash: Hash;
  readonly text: Buffer[];
  bytes: number;
}

/** The boundary in a content type; undefined when it is not of a multipart form. */
export function boundaryOf(contentType: string): string | undefined {
  return /^multipart\/form-data\s*;.*boundary="?([^";]{1,200})"?/i.exec(contentType)?.[1];
}

/** Reads a form piece by piece, in bounded memory. */
export class MultipartReader {
  readonly #delimiter: Buffer;
  readonly #fields: Record<string, JsonValue> = {};
  /** Bytes that may belong to the next delimiter or header. */
  #rest: Buffer = Buffer.from("\r\n"); // the first delimiter has no line before it
  #part: Part | undefined;
  #ended = false;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  push(piece: Uint8Array): void {
    if (this.#ended) return;
    this.#rest = Buffer.concat([this.#rest, piece]);
    while (!this.#ended && this.#step());
  }

  /** The form as far as it has gone by. */
  value(): Readonly<Record<string, JsonValue>> {
    const fields = { ...this.#fields };
    if (this.#part) addField(fields, this.#part.field, valueOf(this.#part));
    return fields;
  }

  /** Takes the next whole thing from the rest. False when more bytes are needed. */
  #step(): boolean {
    const at = this.#rest.indexOf(this.#delimiter);
    if (at < 0) {
      // All but a beginning of the delimiter is content.
      const safe = this.#rest.length - this.#delimiter.length;
      if (safe > 0) this.#take(safe);
      return false;
    }
    const headerAt = at + this.#delimiter.length;
    const mark = this.#rest.subarray(headerAt, headerAt + 2).toString("latin1");
    if (mark === "--") {
      this.#endPart(at);
      this.#ended = true;
      return false;
    }
    const headerEnd = this.#rest.indexOf("\r\n\r\n", headerAt);
    if (headerEnd < 0) {
      if (this.#rest.length - headerAt > MAX_HEADER_BYTES) this.#ended = true;
      return false;
    }
    const headers = this.#rest.subarray(headerAt, headerEnd).toString("utf8");
    this.#endPart(at);
    this.#rest = this.#rest.subarray(headerEnd - at + 4);
    this.#part = partOf(headers);
    return true;
  }

  /** Hands the first `length` bytes to the part, and drops them from the rest. */
  #take(length: number): void {
    const piece = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    const part = this.#part;
    if (!part) return;
    if (part.file) part.hash.update(piece);
    else if (part.bytes < MAX_FIELD_BYTES) part.text.push(Buffer.from(piece));
    part.bytes += piece.length;
  }

  /** Ends the part whose last byte is before `at`. The rest then begins at `at`. */
  #endPart(at: number): void {
    this.#take(at);
    if (this.#part) addField(this.#fields, this.#part.field, valueOf(this.#part));
    this.#part = undefined;
  }
}

function partOf(headers: string): Part | undefined {
  const disposition = /^content-disposition:\s*form-data;(.*)$/im.exec(headers)?.[1] ?? "";
  const field = /\bname="([^"]*)"/i.exec(disposition)?.[1];
  const name = /\bfilename="([^"]*)"/i.exec(disposition)?.[1];
  const mime = /^content-type:\s*(\S+)/im.exec(headers)?.[1];
  if (field === undefined) return undefined;
  const file = name === undefined ? undefined : { name, mime };
  return { field, file, hash: createHash("sha256"), text: [], bytes: 0 };
}

function valueOf({ file, hash, text, bytes }: Part): JsonValue {
  if (!file) return Buffer.concat(text).toString("utf8");
  const { name, mime } = file;
  return { name, ...(mime !== undefined && { mime }), bytes, sha256: hash.copy().digest("hex") };
}
