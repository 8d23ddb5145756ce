// Ids: entries are UUIDv7 (RFC 9562), everything else is random base64url.
import { randomBytes } from "node:crypto";
import { v7 } from "uuid";

/**
 * A new entry id. Ids of one process ascend strictly, also within a millisecond and when the clock steps back,
 * which is what lets a segment be searched by bisection.
 */
export function newEntryId(): string {
  return v7();
}

/** Milliseconds since the epoch that a UUIDv7 holds; undefined for any other id. */
export function timeOfId(id: string): number | undefined {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)
    ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
    : undefined;
}

/** The time of a UUIDv7 as an entry writes it: RFC 3339, UTC, milliseconds. */
export function timestampOf(id: string): string {
  return new Date(timeOfId(id) ?? Number.NaN).toISOString();
}

/** 96 random bits as 16 base64url characters: names a writer's life; no two are expected to be equal. */
export function newStream(): string {
  return randomBytes(12).toString("base64url");
}
