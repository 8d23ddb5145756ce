// ai-audit import: logs of the Python original, sealed from now on.
import { FileStorage } from "@ai-audit/core";
import type { Command } from "commander";
import { EXIT } from "../failure.ts";
import { importLines } from "../import/importer.ts";
import { encryptionKeys, loadEncryption } from "../keys.ts";
import { addLogOption, placeOf, resolveDirectory } from "../location.ts";
import { formatCount, plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings.ts";
import { openStorage } from "../storage.ts";
import { findSigner } from "../writing.ts";

interface ImportFlags {
  readonly log?: string;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addLogOption(command.argument("<source>", "directory of audit_*.jsonl files as rotalabs-comply writes them"))
    .description(
      "Writes the entries of a log of rotalabs-comply into a log of ours, under their own time. They get new ids; the old one " +
        "is kept as metadata.imported_id. Content is encrypted when AUDIT_ENCRYPTION_KEY is set, and Fernet content is opened " +
        "with it. Entries that were imported before are skipped. The seals show that nothing changed since the import.",
    )
    .action((source: string, flags: ImportFlags) => importLog(source, flags, session));
}

async function importLog(source: string, flags: ImportFlags, session: Session): Promise<void> {
  const settings = Settings.load(session.env);
  const from = resolveDirectory(source, settings, "import");
  const signer = findSigner(settings);
  const encryption = encryptionKeys(settings) === undefined ? undefined : await loadEncryption(settings);
  const storage = await openStorage(placeOf(flags.log, settings), settings, signer);
  const progress = new Progress(session.log, "importing");
  try {
    const { imported, skipped, altered } = await importLines(new FileStorage({ path: from }), storage, {
      encryption,
      onEntry: (count) => {
        progress.update(count, 0, `entries (${formatCount(count)})`);
      },
    });
    progress.clear();
    if (flags.json) return await session.out.json({ imported, skipped, altered });
    await session.out.line(
      `${plural(imported, "entry", "entries")} imported, ${formatCount(skipped)} were there already`,
    );
    if (altered > 0) {
      session.exitCode = EXIT.data;
      await session.log.line(
        `${plural(altered, "entry", "entries")} had content that is not of its hash: imported with an alert that says so`,
      );
    }
  } finally {
    await storage.close();
  }
}
