// ai-audit reviews: requests for a person's decision, and the decisions.
import { actorOf, decisionOf, readReviews, titleOf } from "@ai-audit/core/reading";
import type { ReviewCase } from "@ai-audit/core";
import { type AuditEntry, entryToLine } from "@ai-audit/core/format";
import type { Command } from "commander";
import { EXIT } from "../failure.ts";
import { addLocationArgument } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import { formatMs, formatTime, plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import { Table } from "../output/table.ts";
import { addRangeOptions, type RangeFlags, rangeOf } from "../reading/filters.ts";
import type { Session } from "../session.ts";

interface ReviewsFlags extends RangeFlags {
  readonly open?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addRangeOptions(addLocationArgument(command), session)
    .description(
      "Lists what waited for a person, and who decided what after which time: interrupted calls, and entries with " +
        "review_required. --since and --until are about the requests; later decisions count.",
    )
    .option("--open", "only what nobody has decided on, or was escalated")
    .action((location: string | undefined, flags: ReviewsFlags) =>
      reviews(location, flags, session),
    );
}

async function reviews(
  given: string | undefined,
  flags: ReviewsFlags,
  session: Session,
): Promise<void> {
  const { out, log } = session;
  const progress = new Progress(session, "reading");
  const opened = await openLog(given, session, progress);
  const all = await readReviews(opened.storage, rangeOf(flags), session.now().getTime());
  progress.clear();
  const cases = flags.open ? all.filter(({ decided }) => !decided) : all;
  if (flags.json) {
    for (const one of cases) await out.json(jsonOf(one));
    return;
  }
  if (cases.length === 0) {
    session.exitCode = EXIT.nothing;
    return log.line(flags.open ? "nothing waits for a decision" : "nothing waited for a decision");
  }
  await new Table<ReviewCase>(out, [
    { title: "ASKED (UTC)", value: ({ entry }) => formatTime(entry.timestamp) },
    { title: "REQUEST", value: ({ entry }) => titleOf({ entry, beganAt: 0, children: [] }) },
    { title: "ASKED BY", value: ({ entry }) => actorOf(entry) ?? "-" },
    { title: "DECISION", value: verdictsOf },
    { title: "DECIDED BY", value: reviewersOf },
    { title: "AFTER", value: ({ waitedMs }) => formatMs(waitedMs), align: "right" },
    { title: "ENTRY", value: ({ entry }) => entry.id },
  ]).rows(cases);
  const open = all.filter(({ decided }) => !decided).length;
  await log.line(`${plural(all.length, "request")}, ${open} without a decision`);
}

function verdictsOf({ decisions, decided }: ReviewCase): string {
  const verdicts = decisions.map((entry) => decisionOf(entry)?.verdict ?? "decided").join(", ");
  return decided ? verdicts : [verdicts, "waiting"].filter((part) => part !== "").join(", ");
}

function reviewersOf({ decisions }: ReviewCase): string {
  const names = decisions.flatMap((entry) => actorOf(entry) ?? []);
  return names.length === 0 ? "-" : [...new Set(names)].join(", ");
}

function recordOf(entry: AuditEntry): unknown {
  return JSON.parse(entryToLine(entry));
}

function jsonOf({ entry, decisions, decided, waitedMs }: ReviewCase): object {
  return {
    request: recordOf(entry),
    decisions: decisions.map(recordOf),
    decided,
    waited_ms: waitedMs,
  };
}
