// ai-audit conversation: a conversation as a transcript.
import { logSources } from "../log/storage.ts";
import { contentOpener, requireOpened } from "../reading/content.ts";
import { buildTree, readEntries, readRuns, rootsOf } from "@ai-audit/core/reading";
import type { Command } from "commander";
import { EXIT, Failure } from "../failure.ts";
import { addLocationArgument } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import { plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import { addRangeOptions, type RangeFlags, rangeOf } from "../reading/filters.ts";
import { printTranscript, printTreeJson } from "../reading/print-tree.ts";
import type { Session } from "../session.ts";
import { loadEncryption } from "../settings/keys.ts";

interface ConversationFlags extends RangeFlags {
  readonly decrypt?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addRangeOptions(addLocationArgument(command.argument("<id>", "id of the conversation")), session)
    .description(
      "Shows a conversation as a transcript: who said what, which agent called which tool with what result, which person " +
        "was asked and decided what. Calls are in the order of their beginning, each indented below the call that made it. " +
        "Messages that a later call sends again are shown once. With --json: a line for each call.",
    )
    .option("-d, --decrypt", "open encrypted content, with AUDIT_ENCRYPTION_KEY")
    .action((id: string, location: string | undefined, flags: ConversationFlags) =>
      conversation(id, location, flags, session),
    );
}

async function conversation(
  id: string,
  given: string | undefined,
  flags: ConversationFlags,
  session: Session,
): Promise<void> {
  let found = 0;
  const progress = new Progress(session, "searching", () => `${plural(found, "call")} found`);
  const log = await openLog(given, session, progress);
  const opener = contentOpener(flags.decrypt ? await loadEncryption(log.settings) : undefined);
  const entries = await readEntries(
    log.storage,
    rangeOf(flags),
    id,
    ({ conversationId }) => conversationId === id,
    (count) => (found = count),
  );
  const runs = await readRuns(await logSources(log), rootsOf(entries));
  progress.clear();
  if (entries.length === 0)
    throw new Failure(
      EXIT.nothing,
      `no conversation ${id} in ${log.location}`,
      "to see ids: ai-audit list",
    );
  const tree = buildTree(entries, runs);
  await (flags.json
    ? printTreeJson(session.out, tree, opener)
    : printTranscript(session.out, tree, opener));
  requireOpened(opener);
}
