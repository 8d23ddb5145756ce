// The keys that a verifier was given, each with the time for which it is trusted.
import { AuditConfigError } from "../errors.ts";
import { parseVkey, type VerificationKey } from "../seal/note.ts";
import { DAY_MS } from "../time.ts";

/** A key that is trusted, for a time. */
export interface TrustedKey extends VerificationKey {
  /** First and last millisecond for which it is trusted, since the epoch. */
  readonly from: number;
  readonly to: number;
}

/** The keys given, by `<name>+<key hash>`. Never filled from the log itself. */
export type TrustedKeys = ReadonlyMap<string, TrustedKey>;

/**
 * Reads the keys to trust: `vkey`, or `vkey@from..to` for one that is trusted for a time. Each
 * bound is an RFC 3339 time or a UTC day (a last day counts to its end), and either may be absent.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when one is malformed.
 */
export function readTrustedKeys(trustedKeys: readonly string[]): TrustedKeys {
  return new Map(
    trustedKeys.map(parseTrustedKey).map((key) => [`${key.name}+${key.keyHash}`, key]),
  );
}

/** Whether a key is trusted for what it signed at a time. */
export function isTrustedAt({ from, to }: TrustedKey, time: number): boolean {
  return from <= time && time <= to;
}

/** The time for which a key is trusted, for messages. */
export function spellValidity({ from, to }: TrustedKey): string {
  return `${spellTime(from)}..${spellTime(to)}`;
}

function spellTime(time: number): string {
  return Number.isFinite(time) ? new Date(time).toISOString() : "";
}

/** The validity behind a vkey: its base64 has no `@`. */
const VALIDITY = /@([0-9TZ:.+-]*)\.\.([0-9TZ:.+-]*)$/;

function parseTrustedKey(text: string): TrustedKey {
  const [validity = "", from = "", to = ""] = VALIDITY.exec(text) ?? [];
  const key = parseVkey(text.slice(0, text.length - validity.length));
  const window = { from: boundOf(from, -Infinity, 0), to: boundOf(to, Infinity, DAY_MS - 1) };
  if (!(window.from <= window.to)) {
    throw new AuditConfigError(
      `The validity of key ${key.name} must be <from>..<to>, each an RFC 3339 time, a UTC day (2026-11-23) or absent`,
      { code: "AUDIT_KEY_INVALID" },
    );
  }
  return { ...key, ...window };
}

function boundOf(text: string, open: number, afterDayMs: number): number {
  if (text === "") return open;
  const time = Date.parse(text);
  return /^\d{4}-\d\d-\d\d$/.test(text) ? time + afterDayMs : time;
}
