// A finding of the verifier as one line.
import { safeLine } from "@ai-audit/core/format";
import type { Problem } from "@ai-audit/core/verify";

/** `FILE, lines 4 to 5, entry ID: problem`. */
export function problemText(file: string, { line, lastLine, entryId, message }: Problem): string {
  const place =
    line === 0 ? "" : lastLine === undefined ? `, line ${line}` : `, lines ${line} to ${lastLine}`;
  const entry = entryId === undefined ? "" : `, entry ${entryId}`;
  return safeLine(`${file}${place}${entry}: ${message}`);
}
