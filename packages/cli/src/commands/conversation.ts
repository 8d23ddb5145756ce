// ai-audit conversation: what was said, as a transcript.
import { lineToEntry, safeLine, safeText } from "@ai-audit/core/format";
import type { Command } from "commander";
import { outcomeOf, outcomeStyle } from "../reading/entry-table.ts";
import { EXIT, Failure } from "../failure.ts";
import { addRangeOptions, Filter, type RangeFlags, rangeOf } from "../reading/filters.ts";
import { addLogOption } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import type { OpenedField } from "../reading/opened-content.ts";
import { formatMs, plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import { openedLine } from "../reading/print-entries.ts";
import type { Session } from "../session.ts";
import { type Message, Transcript } from "../reading/transcript.ts";

interface ConversationFlags extends RangeFlags {
  readonly log?: string;
  readonly decrypt?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addRangeOptions(addLogOption(command.argument("<id>", "id of the conversation")), session)
    .description("Shows what was said in a conversation, in its order, each message once.")
    .option("-d, --decrypt", "open encrypted content, with AUDIT_ENCRYPTION_KEY")
    .action((id: string, flags: ConversationFlags) => conversation(id, flags, session));
}

async function conversation(id: string, flags: ConversationFlags, session: Session): Promise<void> {
  const { out } = session;
  let calls = 0;
  const progress = new Progress(session, "searching", () => `${plural(calls, "call")} found`);
  const { storage, settings, location } = await openLog(flags.log, session, progress);
  const filter = await Filter.of(
    { conversation: id, ...(flags.decrypt && { decrypt: flags.decrypt }) },
    settings,
  );
  const transcript = new Transcript();
  for await (const page of storage.pages(rangeOf(flags), "oldest-first")) {
    for (const line of page.filter((candidate) => filter.entryOf(candidate) !== undefined)) {
      calls += 1;
      if (flags.json) await out.line(openedLine(line, filter.opener));
      else await printCall(line, transcript, filter, session);
    }
  }
  progress.clear();
  if (calls === 0)
    throw new Failure(
      EXIT.nothing,
      `no conversation ${id} in ${location}`,
      "ids are shown by: ai-audit list",
    );
  filter.check();
}

async function printCall(
  line: string,
  transcript: Transcript,
  filter: Filter,
  { out }: Session,
): Promise<void> {
  const entry = lineToEntry(line);
  if (entry === undefined || entry.run?.sameCallAs !== undefined) return; // the same call through another layer
  const content = filter.opener.open(entry);
  const outcome = outcomeOf(entry);
  const style = outcomeStyle(entry);
  const facts = [
    safeLine(entry.model ?? entry.provider ?? "-"),
    style === undefined ? outcome : out.style(style, outcome),
    formatMs(entry.latencyMs),
  ];
  await out.line(out.style("dim", `── ${entry.timestamp}  ${entry.id}  `) + facts.join("  "));
  for (const message of transcript.add(content.values.input, content.values.output))
    await printMessage(message, out);
  for (const field of ["input", "output"] as const) {
    const missing = whyMissing(content[field]);
    if (missing !== undefined) await out.line(`${out.style("bold", field)}  ${missing}`);
  }
  if (entry.blockReason !== null)
    await out.line(`${out.style("red", "blocked")}  ${safeLine(entry.blockReason)}`);
  if (entry.error?.message !== undefined)
    await out.line(`${out.style("red", "error")}  ${safeLine(entry.error.message)}`);
  await out.line();
}

async function printMessage({ role, text }: Message, out: Session["out"]): Promise<void> {
  await out.line(out.style("bold", safeLine(role)));
  for (const line of safeText(text).split("\n")) await out.line(`    ${line}`.trimEnd());
}

function whyMissing(field: OpenedField): string | undefined {
  if (field.state === "open") return undefined;
  return field.state === "hash-only" ? "(only its hash was kept)" : `(encrypted: ${field.reason})`;
}
