// Files of pins: notes one after another, as an auditor keeps them.
import { readFileSync } from "node:fs";
import { formatPin, parsePin, type Pin } from "@ai-audit/core";
import { EXIT, Failure, systemFailure } from "./failure.ts";

/** Where the next note begins: an origin, a size and a root, a line each. */
const NEXT_NOTE = /\n(?=\S[^\n]*\n\d+\n[A-Za-z0-9+/]{43}=\n)/;

/**
 * The pins of a file.
 *
 * @throws {Failure} for a file that cannot be read or holds something else: a verifier cannot work with half its pins
 */
export function readPins(path: string): Pin[] {
  try {
    return readFileSync(path, "utf8")
      .split(NEXT_NOTE)
      .map((note) => parsePin(`${note.trim()}\n`));
  } catch (error) {
    const message = systemFailure(error)?.message ?? `not a file of pins: ${path}`;
    throw new Failure(EXIT.notVerified, message, "pins are written by: ai-audit pin", { cause: error });
  }
}

/** Pins as the text of such a file. */
export function formatPins(pins: readonly Pin[]): string {
  return pins.map(formatPin).join("");
}
