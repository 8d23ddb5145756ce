// ai-audit stats: figures by time, model, actor …
import { logSources } from "../log/storage.ts";
import {
  figureFactsOf,
  type GroupFigures,
  groupingOf,
  readFacts,
  Statistics,
  summaryOf,
} from "@ai-audit/core/reading";
import type { AuditEntry } from "@ai-audit/core";
import { type Command, Option } from "commander";
import { parseCount } from "../arguments/values.ts";
import { EXIT, usageFailure } from "../failure.ts";
import { addFilterOptions, type FilterFlags, filterOf, rangeOf } from "../reading/filters.ts";
import { addLocationArgument } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import { formatCount, formatMs, plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import { type Column, Table } from "../output/table.ts";
import type { Session } from "../session.ts";

interface StatsFlags extends FilterFlags {
  readonly by: string;
  readonly limit: number;
  readonly json?: true;
}

const GROUPS =
  "hour, day, month, model, provider, operation, tool, agent, actor, outcome, conversation, or metadata.KEY";

export function define(command: Command, session: Session): void {
  addFilterOptions(addLocationArgument(command), session)
    .description(
      "Counts calls, tokens, errors and blocks and measures latency, over the entries that meet all conditions. A call " +
        "that two layers recorded counts once. Reviews and guardrails are events, not calls. Errors are failures and " +
        "time-outs; stopped are calls that the caller aborted or abandoned, or that wait for a person. Percentiles are " +
        "within 1 %.",
    )
    .addOption(new Option("-b, --by <group>", GROUPS).default("day"))
    .addOption(
      new Option("-n, --limit <count>", "number of groups printed, those with the most calls first")
        .default(30)
        .argParser(parseCount),
    )
    .action((location: string | undefined, flags: StatsFlags) => stats(location, flags, session));
}

async function stats(
  given: string | undefined,
  flags: StatsFlags,
  session: Session,
): Promise<void> {
  const { out, log } = session;
  const groupOf = grouping(flags.by);
  let read = 0;
  const progress = new Progress(session, "counting", () => `${formatCount(read)} entries`);
  const { storage, settings, location } = await openLog(given, session, progress);
  const filter = await filterOf(flags, settings);
  const statistics = new Statistics();
  for await (const page of storage.pages(rangeOf(flags), "oldest-first")) {
    for (const line of page) {
      const entry = filter.entryOf(line);
      if (entry !== undefined) statistics.add(groupOf(entry), figureFactsOf(entry));
    }
    read += page.length;
  }
  progress.clear();
  const all = statistics.groups();
  const most = all
    .toSorted((a, b) => b.calls - a.calls || compare(a.group, b.group))
    .slice(0, flags.limit);
  const groups = isTime(flags.by) ? most.toSorted((a, b) => compare(a.group, b.group)) : most;
  const facts = await readFacts(await logSources({ location, settings }), rangeOf(flags));
  if (flags.json) {
    const recorded = facts.map(({ file, line }) => ({ file, ...line }));
    return out.json({ by: flags.by, total: statistics.total(), groups, log: recorded });
  }
  if (groups.length === 0) {
    session.exitCode = EXIT.nothing;
    return log.line("no such entry");
  }
  await table(flags.by, groups, session).rows([...groups, statistics.total()]);
  if (groups.length < all.length)
    await log.line(`${plural(all.length - groups.length, "further group")}: raise --limit`);
  for (const sentence of summaryOf(facts)) await log.line(sentence);
}

function grouping(by: string): (entry: AuditEntry) => string {
  const groupOf = groupingOf(by);
  if (groupOf === undefined) throw usageFailure(`--by ${by} is unknown`, `one of ${GROUPS}`);
  return groupOf;
}

function isTime(by: string): boolean {
  return by === "hour" || by === "day" || by === "month";
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

const BAR_CELLS = 16;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar, to an eighth of a cell. A share above 0 has at least the smallest one. */
function bar(share: number): string {
  const eighths = Math.max(share > 0 ? 1 : 0, Math.round(share * BAR_CELLS * 8));
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}

function count(
  title: string,
  value: (figures: GroupFigures) => number | null,
): Column<GroupFigures> {
  return { title, value: (figures) => formatFigure(value(figures)), align: "right" };
}

function table(by: string, groups: readonly GroupFigures[], { out }: Session): Table<GroupFigures> {
  const most = Math.max(...groups.map(({ calls }) => calls));
  return new Table<GroupFigures>(out, [
    { title: by.toUpperCase(), value: ({ group }) => group, maxWidth: 40 },
    count("CALLS", ({ calls }) => calls),
    {
      title: "",
      value: ({ group, calls }) => (group === "total" ? "" : bar(calls / most)),
      style: () => "cyan",
    },
    count("IN", ({ inputTokens }) => inputTokens),
    count("OUT", ({ outputTokens }) => outputTokens),
    { title: "P50", value: ({ latencyMs }) => formatMs(latencyMs.p50), align: "right" },
    { title: "P95", value: ({ latencyMs }) => formatMs(latencyMs.p95), align: "right" },
    { title: "P99", value: ({ latencyMs }) => formatMs(latencyMs.p99), align: "right" },
    count("ERRORS", ({ errors }) => errors),
    count("STOPPED", ({ stopped }) => stopped),
    {
      ...count("BLOCKED", ({ blocked }) => blocked),
      style: ({ blocked }) => (blocked > 0 ? "red" : undefined),
    },
    {
      ...count("FLAGGED", ({ flagged }) => flagged),
      style: ({ flagged }) => (flagged > 0 ? "red" : undefined),
    },
    count("EVENTS", ({ events }) => events),
  ]);
}

function formatFigure(value: number | null): string {
  return value === null ? "-" : formatCount(value);
}
