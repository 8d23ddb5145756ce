// ai-audit run: one invocation as a tree.
import type { Command } from "commander";
import type { AuditEntry } from "@ai-audit/core/format";
import { EXIT, Failure } from "../failure.ts";
import { addLocationArgument } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import { formatCount, formatMs, formatTime, plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import { actorOf, interruptsOf } from "@ai-audit/viewer/figures";
import { buildTree, type CallNode } from "../reading/call-tree.ts";
import { addRangeOptions, type RangeFlags, rangeOf } from "../reading/filters.ts";
import { ContentOpener } from "../reading/opened-content.ts";
import { figuresOf, printTree, printTreeJson } from "../reading/print-tree.ts";
import { readEntries, readRuns, rootsOf } from "../reading/read-calls.ts";
import type { Session } from "../session.ts";
import { loadEncryption } from "../settings/keys.ts";

interface RunFlags extends RangeFlags {
  readonly decrypt?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addRangeOptions(
    addLocationArgument(
      command.argument(
        "<root>",
        "id of the invocation (run.root_id), or of a run or an entry in it",
      ),
    ),
    session,
  )
    .description(
      "Shows one invocation of an application as a tree: which agent, tool and model was called by which, when, with what " +
        "outcome, latency and number of tokens. With --json: a line for each call, with its depth.",
    )
    .option("-d, --decrypt", "with --json: open encrypted content, with AUDIT_ENCRYPTION_KEY")
    .action((root: string, location: string | undefined, flags: RunFlags) =>
      run(root, location, flags, session),
    );
}

async function run(
  given: string,
  location: string | undefined,
  flags: RunFlags,
  session: Session,
): Promise<void> {
  const { out } = session;
  let found = 0;
  const progress = new Progress(session, "searching", () => `${plural(found, "call")} found`);
  const log = await openLog(location, session, progress);
  const opener = new ContentOpener(flags.decrypt ? await loadEncryption(log.settings) : undefined);
  const search = (id: string): Promise<AuditEntry[]> =>
    readEntries(
      log,
      rangeOf(flags),
      id,
      (entry) => entry.id === id || entry.run?.id === id || entry.run?.rootId === id,
      (count) => (found = count),
    );
  let entries = await search(given);
  const root = entries.flatMap((entry) => entry.run?.rootId ?? [])[0] ?? given;
  if (root !== given) entries = await search(root);
  entries = await withResumed(entries, search, (of) =>
    readEntries(log, rangeOf(flags), of, ({ review }) => review?.of === of),
  );
  const runs = await readRuns(log, new Set([root, ...rootsOf(entries)]));
  progress.clear();
  if (entries.length === 0)
    throw new Failure(
      EXIT.nothing,
      `no run ${given} in ${log.location}`,
      "run.root_id is shown by: ai-audit show ID",
    );
  const tree = buildTree(entries, runs);
  if (flags.json) await printTreeJson(out, tree, opener);
  else {
    await out.line(summaryOf(root, tree));
    await out.line();
    await printTree(out, tree);
  }
  opener.check();
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

/**
 * `run ROOT, 2026-11-30 12:00:01 UTC, 8.2 s; by ada; 5 entries; 1,204 tokens in, 310 out; 1 error`.
 */
function summaryOf(root: string, tree: readonly CallNode[]): string {
  const { entries, inputTokens, outputTokens, errors, blocked, stopped, endedAt } = figuresOf(tree);
  const began = tree[0]?.beganAt ?? endedAt;
  const actors = new Set(tree.flatMap(({ entry }) => (entry && actorOf(entry)) ?? []));
  return [
    `run ${root}, ${formatTime(new Date(began).toISOString())} UTC, ${formatMs(endedAt - began)}`,
    ...(actors.size === 0 ? [] : [`by ${[...actors].join(", ")}`]),
    plural(entries, "entry", "entries"),
    ...(inputTokens === null && outputTokens === null
      ? []
      : [`${formatCount(inputTokens ?? 0)} tokens in, ${formatCount(outputTokens ?? 0)} out`]),
    ...(errors > 0 ? [plural(errors, "error")] : []),
    ...(blocked > 0 ? [`${formatCount(blocked)} blocked`] : []),
    ...(stopped > 0 ? [`${formatCount(stopped)} stopped`] : []),
  ].join("; ");
}
