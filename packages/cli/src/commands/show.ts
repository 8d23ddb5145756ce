// ai-audit show: one entry in full.
import { contentOpener, requireOpened } from "../reading/content.ts";
import { lineToEntry } from "@ai-audit/core/format";
import type { Command } from "commander";
import { describeEntry } from "../reading/entry-details.ts";
import { findEntryLine } from "../log/find-entry.ts";
import { loadEncryption } from "../settings/keys.ts";
import { addLocationArgument } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import { printFields } from "../output/fields.ts";
import { openedLine } from "../reading/print-entries.ts";
import type { Session } from "../session.ts";

interface ShowFlags {
  readonly decrypt?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addLocationArgument(command.argument("<id>", "id of the entry"))
    .description("Shows one entry in full. With --json: its line in the log.")
    .option(
      "-d, --decrypt",
      "open encrypted content, with AUDIT_ENCRYPTION_KEY; JSON then has `input` and `output` as well",
    )
    .action((id: string, location: string | undefined, flags: ShowFlags) =>
      show(id, location, flags, session),
    );
}

async function show(
  id: string,
  given: string | undefined,
  { decrypt, json }: ShowFlags,
  session: Session,
): Promise<void> {
  const { storage, location, settings } = await openLog(given, session);
  const opener = contentOpener(decrypt ? await loadEncryption(settings) : undefined);
  const line = await findEntryLine(storage, location, id);
  const entry = lineToEntry(line);
  if (entry === undefined) return;
  if (json) await session.out.write(`${decrypt ? openedLine(line, opener) : line}\n`);
  else await printFields(session.out, describeEntry(entry, opener.open(entry)));
  requireOpened(opener);
}
