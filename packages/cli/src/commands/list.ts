// ai-audit list: the latest entries, or the log's records about itself.
import { logSources } from "../log/storage.ts";
import { type Fact, factText, readFacts } from "@ai-audit/core/reading";
import { type Command, Option } from "commander";
import { parseCount } from "../arguments/values.ts";
import { EXIT } from "../failure.ts";
import { latestLines } from "../log/latest-lines.ts";
import { addLocationArgument } from "../log/location.ts";
import {
  addFilterOptions,
  type FilterFlags,
  filterOf,
  rangeOf,
  requireSearched,
} from "../reading/filters.ts";
import { openLog } from "../log/open-log.ts";
import { formatTime, plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import { Table } from "../output/table.ts";
import { entryPrinter } from "../reading/print-entries.ts";
import type { Session } from "../session.ts";

interface ListFlags extends FilterFlags {
  readonly limit: number;
  readonly control?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addFilterOptions(addLocationArgument(command), session)
    .description(
      "Shows the latest entries that meet all conditions, the newest last. `query` finds older ones, `tail -f` waits for new ones.",
    )
    .addOption(
      new Option("-n, --limit <count>", "number of entries").default(20).argParser(parseCount),
    )
    .option(
      "--control",
      "instead: list what the log records about itself: losses, calls without an end, removals, holds, erasures",
    )
    .action((location: string | undefined, flags: ListFlags) =>
      flags.control ? listControl(location, flags, session) : list(location, flags, session),
    );
}

async function list(given: string | undefined, flags: ListFlags, session: Session): Promise<void> {
  const { out, log } = session;
  const progress = new Progress(session, "reading");
  const { storage, settings, location } = await openLog(given, session, progress);
  const filter = await filterOf(flags, settings);
  const lines = await latestLines(storage, rangeOf(flags), flags.limit, filter);
  progress.clear();
  if (lines.length === 0) {
    session.exitCode = EXIT.nothing;
    return log.line(filter.isEmpty ? `no entries in ${location}` : "no such entry");
  }
  await entryPrinter(out, flags, filter.opener)(lines);
  requireSearched(filter);
  if (flags.json || !filter.isEmpty) return;
  const total = await storage.count(rangeOf(flags));
  if (total > lines.length)
    await log.line(`the latest ${lines.length} of ${plural(total, "entry", "entries")}`);
}

async function listControl(
  given: string | undefined,
  flags: ListFlags,
  session: Session,
): Promise<void> {
  const { out, log } = session;
  const { settings, location } = await openLog(given, session);
  const facts = (await readFacts(await logSources({ location, settings }), rangeOf(flags))).slice(
    -flags.limit,
  );
  if (flags.json) {
    for (const { file, line } of facts) await out.json({ file, ...line });
    return;
  }
  if (facts.length === 0) {
    session.exitCode = EXIT.nothing;
    return log.line("the log records no loss, removal, hold, erasure or call without an end");
  }
  await new Table<Fact>(out, [
    { title: "TIME (UTC)", value: ({ at }) => (at.includes("T") ? formatTime(at) : at), width: 19 },
    { title: "KIND", value: ({ line }) => line.type },
    { title: "FACT", value: factText },
    { title: "RECORDED IN", value: ({ file }) => file },
  ]).rows(facts);
}
