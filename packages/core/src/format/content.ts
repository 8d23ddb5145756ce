// The contents of an entry: text where the whole content is one string, otherwise canonical JSON.
import { hash } from "node:crypto";
import { canonicalJson, type JsonValue, toJson } from "./canonical.ts";

/** One of the contents of an entry. */
export type ContentField = "input" | "output" | "diagnostics";

/** Content in the form that is hashed, encrypted and kept. */
export interface Content {
  readonly text: string;
  /** `json` when `text` is canonical JSON; undefined when it is the caller's string. */
  readonly format: "json" | undefined;
}

/** A string is content as it is; any other JSON value is its canonical JSON. */
export function contentOf(value: JsonValue): Content {
  return typeof value === "string"
    ? { text: value, format: undefined }
    : { text: canonicalJson(value), format: "json" };
}

/** Content of any value of a program. */
export function contentOfAny(value: unknown): Content {
  return contentOf(toJson(value));
}

/** The value that `contentOf` was given; undefined when the text should be JSON and is not. */
export function valueOf({ text, format }: Content): JsonValue | undefined {
  if (format !== "json") return text;
  try {
    return toJson(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * SHA-256 of the UTF-8 text, as 64 lower-case hex digits.
 *
 * Short or guessable content can be found by trying guesses: see `digest: 'hmac-sha256'`.
 */
export function hashContent(text: string): string {
  return hash("sha256", text.toWellFormed());
}
