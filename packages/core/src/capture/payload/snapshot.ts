// A copy of a payload as JSON without bulky binaries. SDKs change the objects that they returned
// later.
import { type JsonValue, toJson } from "../../format/canonical.ts";
import { digestMember, outlineBlob } from "./binary.ts";

/** A copy of any value as JSON in which binaries of more than 2 KB are digests. */
export function snapshot(value: unknown): JsonValue {
  return toJson(value, outline);
}

function outline(
  value: string | object,
  key: string | number | undefined,
  holder: object | undefined,
): unknown {
  if (typeof value === "string") return digestMember(value, key, holder) ?? value;
  return value instanceof Blob ? outlineBlob(value) : value;
}
