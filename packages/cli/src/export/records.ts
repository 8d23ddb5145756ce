// The records of an export: the log's entries, opened and redacted as asked for, a page at a time.
import { type Filter } from "@ai-audit/core/reading";
import type { AuditStorage, TimeRange } from "@ai-audit/core";
import { lineToEntry } from "@ai-audit/core/format";
import { type LogRecord, redactor } from "./redact.ts";

export interface RecordOptions {
  readonly storage: AuditStorage;
  readonly range: TimeRange;
  readonly filter: Filter;
  /** Paths of the members that are left out. */
  readonly redact: readonly string[];
  readonly onPage: (read: number, found: number) => void;
}

/**
 * Pages of records. With the filter's keys, they have `input` and `output` if these could be
 * opened.
 */
export async function* exportRecords(
  options: RecordOptions,
): AsyncGenerator<LogRecord[], void, undefined> {
  const { storage, range, filter, redact, onPage } = options;
  const redacted = redactor(redact);
  let read = 0;
  let found = 0;
  for await (const page of storage.pages(range, "oldest-first")) {
    const lines = page.filter((line) => filter.entryOf(line) !== undefined);
    read += page.length;
    found += lines.length;
    onPage(read, found);
    if (lines.length > 0) yield lines.map((line) => redacted(recordOf(line, filter)));
  }
}

/**
 * A line as the record that is exported. With the filter's keys, it has `input` and `output` if
 * these could be opened.
 */
export function recordOf(line: string, { opener }: Filter): LogRecord {
  const record: unknown = JSON.parse(line);
  const entry = opener.hasKeys ? lineToEntry(line) : undefined;
  return Object.assign({}, record, entry && opener.open(entry).values);
}
