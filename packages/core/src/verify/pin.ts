// Pins: states of a log that an auditor noted earlier. A signed log alone cannot show that its
// newest end was cut off.
import { AuditConfigError } from "../errors.ts";
import { emptyRoot } from "../seal/merkle.ts";
import { formatCheckpoint, formatNote, parseCheckpoint, parseNote } from "../seal/note.ts";
import { isCount, isRoot } from "../format/control-line.ts";
import type { Pin } from "./verification.ts";

/**
 * A pin as text: the log's own signed note of the checkpoint where the pin has it, else an unsigned
 * C2SP note.
 */
export function formatPin(pin: Pin): string {
  return pin.note ?? formatNote(formatCheckpoint(pin), []);
}

/**
 * Reads a pin: a checkpoint with or without signature lines. The signatures are not verified: the
 * auditor trusts a pin because of the place where it was kept.
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` when it is malformed.
 */
export function parsePin(text: string): Pin {
  const note = parseNote(text);
  const pin = note && parseCheckpoint(note.text);
  if (pin === undefined || !hasRootOfItsSize(pin)) throw malformed();
  return pin;
}

/**
 * Checks pins made by hand.
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` when one is malformed.
 */
export function checkPins(pins: readonly Pin[]): void {
  for (const pin of pins) {
    const { origin, size, root } = pin;
    if (typeof origin !== "string" || origin === "" || !isCount(size) || !isRoot(root))
      throw malformed();
    if (!hasRootOfItsSize(pin)) throw malformed();
  }
}

/** The empty tree has one root. RFC 6962, 2.1. */
function hasRootOfItsSize({ size, root }: Pin): boolean {
  return size > 0 || root === emptyRoot().toString("base64");
}

function malformed(): AuditConfigError {
  return new AuditConfigError(
    "A pin must be a checkpoint: an origin, a tree size and a base64 root hash, a line each",
  );
}
