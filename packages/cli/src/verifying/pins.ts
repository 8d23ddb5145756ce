// Files of pins: an auditor's notes of a log, with the date and the rule that the auditor keeps
// with them.
import { readFileSync } from "node:fs";
import { formatPin, parsePin, type Pin, type RetentionRule } from "@ai-audit/core/verify";
import { EXIT, Failure, systemFailure } from "../failure.ts";

/** The beginning of the next note: origin, size and root, a line each. */
const NEXT_NOTE = /\n(?=\S[^\n]*\n\d+\n[A-Za-z0-9+/]{43}=\n)/;
/** A statement of the auditor between notes. An origin has no space. */
const STATEMENT = /^# .*$/;
const RULE = /^# retention (\d+) days for files since (\d{4}-\d\d-\d\d)$/;

/** A file of pins, and the source of its name. */
export interface PinFile {
  readonly path: string;
  /** Whether a setting named it, not the command line. */
  readonly isOfSetting: boolean;
}

/** The content of a file of pins. */
export interface PinNotes {
  readonly pins: readonly Pin[];
  /** Rules that the auditor wrote down, oldest first. */
  readonly rules: readonly RetentionRule[];
}

/**
 * Reads a file of pins.
 *
 * @throws {Failure} for a file that cannot be read or holds something else: a verifier cannot work
 * with half its pins. A file that a setting names is a mistake in the settings.
 */
export function readPins({ path, isOfSetting }: PinFile): PinNotes {
  try {
    return parsePins(readFileSync(path, "utf8"));
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

function parsePins(text: string): PinNotes {
  const lines = text.split("\n");
  const rules = lines.flatMap((line) => {
    const [, days, since] = RULE.exec(line) ?? [];
    return days === undefined || since === undefined ? [] : [{ days: Number(days), since }];
  });
  const notes = lines.filter((line) => !STATEMENT.test(line)).join("\n");
  return { pins: notes.split(NEXT_NOTE).map((note) => parsePin(`${note.trim()}\n`)), rules };
}

/**
 * Pins as the text of such a file: the date, a rule that binds files from that day on, and the
 * log's own notes.
 */
export function formatPins(
  pins: readonly Pin[],
  { now, retentionDays }: { readonly now: Date; readonly retentionDays?: number | undefined },
): string {
  const time = now.toISOString();
  const rule =
    retentionDays === undefined
      ? ""
      : `# retention ${retentionDays} days for files since ${time.slice(0, 10)}\n`;
  return `# noted ${time}\n${rule}${pins.map(formatPin).join("")}`;
}
