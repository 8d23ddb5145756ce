// ai-audit export-subject: the right of access.
import { AuditLogger } from "@ai-audit/core";
import { entryToLine } from "@ai-audit/core/format";
import type { Command } from "commander";
import { EXIT } from "../failure.ts";
import { loadSubjectKeys } from "../settings/keys.ts";
import { addLocationArgument } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import { plural } from "../output/format.ts";
import { addOutputOption, withSink } from "../output/output-file.ts";
import { Progress } from "../output/progress.ts";
import type { Session } from "../session.ts";

interface ExportSubjectFlags {
  readonly output?: string;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addOutputOption(
    addLocationArgument(
      command.argument("<name>", "the person, as the application names them to log()"),
    ),
  )
    .description(
      "Writes all entries of one person, opened, as lines of JSON: the answer to an access request.",
    )
    .action((name: string, location: string | undefined, flags: ExportSubjectFlags) =>
      exportSubject(name, location, flags, session),
    );
}

async function exportSubject(
  name: string,
  given: string | undefined,
  flags: ExportSubjectFlags,
  session: Session,
): Promise<void> {
  let count = 0;
  const progress = new Progress(
    session,
    "searching",
    () => `${plural(count, "entry", "entries")} found`,
  );
  const { storage, settings } = await openLog(given, session, progress);
  const encryption = await loadSubjectKeys(settings);
  const logger = new AuditLogger(storage, { encryption });
  await withSink(flags.output, session.out, async (sink) => {
    for await (const { entry, ...contents } of logger.exportSubject(name)) {
      const record: unknown = JSON.parse(entryToLine(entry));
      await sink.write(`${JSON.stringify(Object.assign({}, record, contents))}\n`);
      count += 1;
    }
  });
  progress.clear();
  if (count === 0) session.exitCode = EXIT.nothing;
  await session.log.line(
    count === 0
      ? "there is no entry of that person"
      : `${plural(count, "entry", "entries")} exported`,
  );
}
