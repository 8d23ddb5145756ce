// ai-audit query: entries that meet conditions.
import { isDuplicate } from "@ai-audit/core/reading";
import { type Command, Option } from "commander";
import { parseCount } from "../arguments/values.ts";
import { EXIT } from "../failure.ts";
import {
  addFilterOptions,
  type FilterFlags,
  filterOf,
  rangeOf,
  requireSearched,
} from "../reading/filters.ts";
import { addLocationArgument } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import { formatCount, plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import { entryPrinter } from "../reading/print-entries.ts";
import type { Session } from "../session.ts";

interface QueryFlags extends FilterFlags {
  readonly limit?: number;
  readonly newestFirst?: true;
  readonly count?: true;
  readonly full?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addFilterOptions(addLocationArgument(command), session)
    .description("Finds the entries that meet all conditions, oldest first.")
    .addOption(new Option("-n, --limit <count>", "number of entries at most").argParser(parseCount))
    .option("-r, --newest-first", "newest first")
    .option("-c, --count", "print only their number; a call that two layers recorded counts once")
    .option("--full", "print all fields of each entry")
    .action((location: string | undefined, flags: QueryFlags) => query(location, flags, session));
}

async function query(
  given: string | undefined,
  flags: QueryFlags,
  session: Session,
): Promise<void> {
  const { out, log } = session;
  let found = 0;
  const progress = new Progress(session, "searching", () => `${formatCount(found)} found`);
  const { storage, settings } = await openLog(given, session, progress);
  const filter = await filterOf(flags, settings);
  const print = entryPrinter(out, flags, filter.opener);
  const { limit = Infinity } = flags;
  for await (const page of storage.pages(
    rangeOf(flags),
    flags.newestFirst ? "newest-first" : "oldest-first",
  )) {
    const wanted: string[] = [];
    for (const line of page) {
      const entry = filter.entryOf(line);
      if (entry === undefined || (flags.count && isDuplicate(entry))) continue;
      if (found >= limit) break;
      found += 1;
      wanted.push(line);
    }
    if (wanted.length > 0 && !flags.count) await print(wanted);
    if (found >= limit) break;
  }
  progress.clear();
  if (flags.count) await (flags.json ? out.json({ count: found }) : out.line(String(found)));
  requireSearched(filter);
  if (filter.unopened > 0) {
    await log.line(
      `${plural(filter.unopened, "entry", "entries")} could not be searched for text: encrypted`,
    );
    if (!filter.opener.hasKeys) await log.line("  --decrypt opens them, with AUDIT_ENCRYPTION_KEY");
  }
  if (found > 0 || flags.count) return;
  session.exitCode = EXIT.nothing;
  await log.line("no such entry");
}
