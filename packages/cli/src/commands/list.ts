// ai-audit list: the latest entries.
import { type Command, Option } from "commander";
import { parseCount } from "../arguments/values.ts";
import { EXIT } from "../failure.ts";
import { latestLines } from "../log/latest-lines.ts";
import { addLocationArgument } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import { plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import { entryPrinter } from "../reading/print-entries.ts";
import type { Session } from "../session.ts";

interface ListFlags {
  readonly limit: number;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addLocationArgument(command)
    .description(
      "Shows the latest entries, the newest last. `query` finds older ones, `tail -f` waits for new ones.",
    )
    .addOption(new Option("-n, --limit <count>", "how many").default(20).argParser(parseCount))
    .action((location: string | undefined, flags: ListFlags) => list(location, flags, session));
}

async function list(given: string | undefined, flags: ListFlags, session: Session): Promise<void> {
  const { out, log } = session;
  const progress = new Progress(session, "reading");
  const { storage, location } = await openLog(given, session, progress);
  const lines = await latestLines(storage, {}, flags.limit);
  progress.clear();
  if (lines.length === 0) {
    session.exitCode = EXIT.nothing;
    return log.line(`no entries in ${location}`);
  }
  await entryPrinter(out, flags)(lines);
  if (flags.json) return;
  const total = await storage.count({});
  if (total > lines.length)
    await log.line(`the latest ${lines.length} of ${plural(total, "entry", "entries")}`);
}
