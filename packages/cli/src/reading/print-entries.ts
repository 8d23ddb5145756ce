// Entries on standard output: a table, details, or lines of JSON.
import { contentOpener } from "./content.ts";
import { type ContentOpener } from "@ai-audit/core/reading";
import type { AuditEntry } from "@ai-audit/core";
import { lineToEntry } from "@ai-audit/core/format";
import { describeEntry } from "./entry-details.ts";
import { entryTable } from "./entry-table.ts";
import { printFields } from "../output/fields.ts";
import type { Output } from "../output/output.ts";

export interface PrintFlags {
  /** The line of the log, one each. */
  readonly json?: true;
  /** All fields of an entry. */
  readonly full?: true;
}

/**
 * A function that prints pages of lines. If the opener has keys, contents are opened and JSON has
 * `input` and `output`.
 */
export function entryPrinter(
  out: Output,
  { json, full }: PrintFlags,
  opener: ContentOpener = contentOpener(undefined),
): (lines: readonly string[]) => Promise<void> {
  const table = entryTable(out);
  return async (lines) => {
    if (json) {
      for (const line of lines)
        await out.write(`${opener.hasKeys ? openedLine(line, opener) : line}\n`);
      return;
    }
    const entries = lines.map(lineToEntry).filter((entry) => entry !== undefined);
    if (!full) return table.rows(entries);
    for (const entry of entries) await printEntry(out, entry, opener);
  };
}

/** The line of an entry with `input` and `output` as far as they can be opened. */
export function openedLine(line: string, opener: ContentOpener): string {
  const entry = lineToEntry(line);
  if (entry === undefined) return line;
  const record: unknown = JSON.parse(line);
  const { values } = opener.open(entry);
  return JSON.stringify(Object.assign({}, record, values));
}

async function printEntry(out: Output, entry: AuditEntry, opener: ContentOpener): Promise<void> {
  await printFields(out, describeEntry(entry, opener.open(entry)));
  await out.line();
}
