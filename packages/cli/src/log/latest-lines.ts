// The newest lines of a log.
import { type Filter } from "@ai-audit/core/reading";
import type { AuditStorage, TimeRange } from "@ai-audit/core";

/** The newest `limit` lines that pass a filter, oldest first. */
export async function latestLines(
  storage: AuditStorage,
  range: TimeRange,
  limit: number,
  filter?: Filter,
): Promise<string[]> {
  const lines: string[] = [];
  for await (const page of storage.pages(range, "newest-first")) {
    const wanted =
      filter === undefined ? page : page.filter((line) => filter.entryOf(line) !== undefined);
    lines.push(...wanted.slice(0, limit - lines.length));
    if (lines.length >= limit) break;
  }
  return lines.toReversed();
}
