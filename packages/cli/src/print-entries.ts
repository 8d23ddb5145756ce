// Entries on standard output: a table, details, or lines of JSON.
import { type AuditEntry, type EncryptionManager, lineToEntry } from "@ai-audit/core";
import { describeEntry } from "./entry-details.ts";
import { entryTable } from "./entry-table.ts";
import { openedContent } from "./opened-content.ts";
import { printFields } from "./output/fields.ts";
import type { Output } from "./output/output.ts";

export interface PrintFlags {
  /** The line of the log, one each. */
  readonly json?: true;
  /** Everything that an entry says. */
  readonly full?: true;
}

/** A function that prints pages of lines. With `encryption`, contents are opened and JSON has `input` and `output`. */
export function entryPrinter(
  out: Output,
  { json, full }: PrintFlags,
  encryption?: EncryptionManager,
): (lines: readonly string[]) => Promise<void> {
  const table = entryTable(out);
  return async (lines) => {
    if (json) {
      for (const line of lines) await out.line(encryption === undefined ? line : openedLine(line, encryption));
      return;
    }
    const entries = lines.map(lineToEntry).filter((entry) => entry !== undefined);
    if (!full) return table.rows(entries);
    for (const entry of entries) await printEntry(out, entry, encryption);
  };
}

/** The line of an entry with `input` and `output` as far as they can be opened. */
export function openedLine(line: string, encryption: EncryptionManager | undefined): string {
  const entry = lineToEntry(line);
  if (entry === undefined) return line;
  const record: unknown = JSON.parse(line);
  const { values } = openedContent(entry, encryption);
  return JSON.stringify(Object.assign({}, record, values));
}

async function printEntry(out: Output, entry: AuditEntry, encryption: EncryptionManager | undefined): Promise<void> {
  await printFields(out, describeEntry(entry, openedContent(entry, encryption)));
  await out.line();
}
