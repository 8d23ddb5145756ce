// Files of pins: notes one after another, as an auditor keeps them.
import { readFileSync } from "node:fs";
import { formatPin, parsePin, type Pin } from "@ai-audit/core/verify";
import { EXIT, Failure, systemFailure } from "../failure.ts";

/** Where the next note begins: an origin, a size and a root, a line each. */
const NEXT_NOTE = /\n(?=\S[^\n]*\n\d+\n[A-Za-z0-9+/]{43}=\n)/;

/** A file of pins, and who named it. */
export interface PinFile {
  readonly path: string;
  /** The setting, and not the command line. */
  readonly isOfSetting: boolean;
}

/**
 * The pins of a file.
 *
 * @throws {Failure} for a file that cannot be read or holds something else: a verifier cannot work with half its pins.
 * One that a setting names is a mistake in the settings.
 */
export function readPins({ path, isOfSetting }: PinFile): Pin[] {
  try {
    return readFileSync(path, "utf8")
      .split(NEXT_NOTE)
      .map((note) => parsePin(`${note.trim()}\n`));
  } catch (error) {
    const message = systemFailure(error, path)?.message ?? `not a file of pins: ${path}`;
    throw isOfSetting
      ? new Failure(
          EXIT.config,
          `AUDIT_PINS: ${message}`,
          "pins are written by: ai-audit pin -o FILE",
          {
            cause: error,
          },
        )
      : new Failure(EXIT.notVerified, message, "pins are written by: ai-audit pin", {
          cause: error,
        });
  }
}

/** Pins as the text of such a file. */
export function formatPins(pins: readonly Pin[]): string {
  return pins.map(formatPin).join("");
}
