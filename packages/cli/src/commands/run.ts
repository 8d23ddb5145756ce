// ai-audit run: one invocation as a tree.
import { logSources } from "../log/storage.ts";
import { contentOpener, requireOpened } from "../reading/content.ts";
import {
  buildTree,
  type CallNode,
  figuresOf,
  readInvocation,
  readRuns,
  rootsOf,
} from "@ai-audit/core/reading";
import type { Command } from "commander";
import { EXIT, Failure } from "../failure.ts";
import { addLocationArgument } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import { formatCount, formatMs, formatTime, plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import { addRangeOptions, type RangeFlags, rangeOf } from "../reading/filters.ts";
import { printTree, printTreeJson } from "../reading/print-tree.ts";
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
  const opener = contentOpener(flags.decrypt ? await loadEncryption(log.settings) : undefined);
  const { root, entries } = await readInvocation(log.storage, rangeOf(flags), given, (count) => {
    found = count;
  });
  const runs = await readRuns(await logSources(log), new Set([root, ...rootsOf(entries)]));
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
  requireOpened(opener);
}

/**
 * `run ROOT, 2026-11-30 12:00:01 UTC, 8.2 s; asked by ada; decided by bob; 5 entries; 1,204 tokens
 * in, 310 out; 1 error; 2 questions to a person`.
 */
function summaryOf(root: string, tree: readonly CallNode[]): string {
  const {
    entries,
    inputTokens,
    outputTokens,
    errors,
    blocked,
    stopped,
    asked,
    endedAt,
    ...people
  } = figuresOf(tree);
  const began = tree[0]?.beganAt ?? endedAt;
  return [
    `run ${root}, ${formatTime(new Date(began).toISOString())} UTC, ${formatMs(endedAt - began)}`,
    ...(people.askers.length === 0 ? [] : [`asked by ${people.askers.join(", ")}`]),
    ...(people.deciders.length === 0 ? [] : [`decided by ${people.deciders.join(", ")}`]),
    plural(entries, "entry", "entries"),
    ...(inputTokens === null && outputTokens === null
      ? []
      : [`${formatCount(inputTokens ?? 0)} tokens in, ${formatCount(outputTokens ?? 0)} out`]),
    ...(errors > 0 ? [plural(errors, "error")] : []),
    ...(blocked > 0 ? [`${formatCount(blocked)} blocked`] : []),
    ...(asked > 0 ? [plural(asked, "question to a person", "questions to a person")] : []),
    ...(stopped > 0 ? [`${formatCount(stopped)} stopped`] : []),
  ].join("; ");
}
