// Entries and run beginnings of one conversation or one invocation, from a log.
import type { AuditEntry } from "../format/entry.ts";
import { lineToEntry } from "../format/entry-line.ts";
import type { AuditStorage, TimeRange } from "../storage/storage.ts";
import type { LogSource } from "../verify/log-source.ts";
import { interruptsOf } from "./call.ts";
import type { RunStarted } from "./call-tree.ts";
import { controlLines } from "./control-lines.ts";

/** The entries whose line contains `needle` and which meet a condition, oldest first. */
export async function readEntries(
  storage: Pick<AuditStorage, "pages">,
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
  sources: readonly LogSource[],
  roots: ReadonlySet<string> | undefined,
): Promise<RunStarted[]> {
  if (roots?.size === 0) return [];
  const runs = new Map<string, RunStarted>();
  for (const source of sources) {
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

/** The entries of one invocation. */
export interface Invocation {
  /** Its `run.rootId`, or the id that was given where no entry names one. */
  readonly root: string;
  readonly entries: readonly AuditEntry[];
}

/**
 * The invocation with this root, or to which a run or an entry of this id belongs, and those that
 * continued it. No entries if there is none.
 */
export async function readInvocation(
  storage: Pick<AuditStorage, "pages">,
  range: TimeRange,
  id: string,
  onFound: (count: number) => void = () => undefined,
): Promise<Invocation> {
  const search = (of: string): Promise<AuditEntry[]> =>
    readEntries(
      storage,
      range,
      of,
      (entry) => entry.id === of || entry.run?.id === of || entry.run?.rootId === of,
      onFound,
    );
  const found = await search(id);
  const root = found.flatMap((entry) => entry.run?.rootId ?? [])[0] ?? id;
  const entries = await withResumed(root === id ? found : await search(root), search, (of) =>
    readEntries(storage, range, of, ({ review }) => review?.of === of),
  );
  return { root, entries };
}

/**
 * The entries of an invocation, and of those that continued it: a person's decision on one of its
 * requests may begin another one.
 */
async function withResumed(
  entries: readonly AuditEntry[],
  search: (root: string) => Promise<AuditEntry[]>,
  decisionsOn: (request: string) => Promise<AuditEntry[]>,
): Promise<AuditEntry[]> {
  const all = new Map(entries.map((entry) => [entry.id, entry]));
  const roots = rootsOf(entries);
  for (const entry of all.values()) {
    if (entry.outcome !== "interrupted") continue;
    for (const of of [entry.id, ...interruptsOf(entry)]) {
      for (const decision of await decisionsOn(of)) {
        all.set(decision.id, decision);
        const root = decision.run?.rootId;
        if (root === undefined || roots.has(root)) continue;
        roots.add(root);
        for (const later of await search(root)) all.set(later.id, later);
      }
    }
  }
  return [...all.values()];
}
