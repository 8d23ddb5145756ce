// ai-audit list: the latest entries.
import { lineToEntry } from "@ai-audit/core";
import { type Command, Option } from "commander";
import { parseCount } from "../arguments.ts";
import { entryTable } from "../entry-table.ts";
import { EXIT } from "../failure.ts";
import { addLocationArgument } from "../location.ts";
import { openLog } from "../log.ts";
import { plural } from "../output/format.ts";
import type { Session } from "../session.ts";

interface ListFlags {
  readonly limit: number;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addLocationArgument(command)
    .description("Shows the latest entries, the newest last. `query` finds older ones.")
    .addOption(new Option("-n, --limit <count>", "how many").default(20).argParser(parseCount))
    .action((location: string | undefined, flags: ListFlags) => list(location, flags, session));
}

async function list(given: string | undefined, { limit, json }: ListFlags, session: Session): Promise<void> {
  const { out, log } = session;
  const { storage, location } = openLog(given, session);
  const lines: string[] = [];
  for await (const page of storage.pages({}, "newest-first")) {
    lines.push(...page.slice(0, limit - lines.length));
    if (lines.length >= limit) break;
  }
  lines.reverse();
  if (lines.length === 0) {
    session.exitCode = EXIT.nothing;
    await log.line(`no entries in ${location}`);
  } else if (json) {
    for (const line of lines) await out.line(line);
  } else {
    await entryTable(out).rows(lines.map(lineToEntry).filter((entry) => entry !== undefined));
    const total = await storage.count({});
    if (total > lines.length) await log.line(`the latest ${lines.length} of ${plural(total, "entry", "entries")}`);
  }
}
