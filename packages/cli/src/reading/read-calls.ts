// Entries and run beginnings of one conversation or one invocation, from a log.
import { type AuditEntry, lineToEntry } from "@ai-audit/core/format";
import { logSourcesAt } from "@ai-audit/core/verify";
import type { TimeRange } from "@ai-audit/core";
import { controlLines } from "../log/control-lines.ts";
import type { OpenLog } from "../log/open-log.ts";
import { s3Connection } from "../log/storage.ts";
import type { RunStarted } from "./call-tree.ts";

/** The entries whose line contains `needle` and which meet a condition, oldest first. */
export async function readEntries(
  { storage }: Pick<OpenLog, "storage">,
  range: TimeRange,
  needle: string,
  meets: (entry: AuditEntry) => boolean,
  onFound: (count: number) => void = () => undefined,
): Promise<AuditEntry[]> {
  const text = JSON.stringify(needle);
  const found: AuditEntry[] = [];
  for await (const page of storage.pages(range, "oldest-first")) {
    for (const line of page) {
      // Only plain text is spelled alike by every writer of JSON.
      if (PLAIN.test(needle) && !line.includes(text)) continue;
      const entry = lineToEntry(line);
      if (entry !== undefined && meets(entry)) found.push(entry);
    }
    onFound(found.length);
  }
  return found;
}

const PLAIN = /^[\w:.-]*$/;

/** The beginnings of the runs of these roots. @param roots all if undefined */
export async function readRuns(
  { location, settings }: Pick<OpenLog, "location" | "settings">,
  roots: ReadonlySet<string> | undefined,
): Promise<RunStarted[]> {
  if (roots?.size === 0) return [];
  const runs = new Map<string, RunStarted>();
  for (const source of await logSourcesAt(location, { s3: s3Connection(settings) })) {
    for await (const { line } of controlLines(source, ["run.started"])) {
      if (roots?.has(line.root) !== false && !runs.has(line.run)) runs.set(line.run, line);
    }
  }
  return [...runs.values()];
}

/** The ids of the invocations that these entries belong to. */
export function rootsOf(entries: readonly AuditEntry[]): Set<string> {
  return new Set(entries.flatMap(({ run }) => run?.rootId ?? []));
}
