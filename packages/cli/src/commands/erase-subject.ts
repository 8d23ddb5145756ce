// ai-audit erase-subject: the right to erasure.
import { AuditLogger } from "@ai-audit/core";
import type { Command } from "commander";
import { EXIT, Failure } from "../failure.ts";
import { loadSubjectKeys } from "../settings/keys.ts";
import { addLocationArgument, resolveLocation } from "../log/location.ts";
import { plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { openStorage, reportingReads } from "../log/storage.ts";
import { addActorOption, defaultActor, needSigner } from "../keeping/writing.ts";

interface EraseFlags {
  readonly reason: string;
  readonly actor?: string;
  readonly yes?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addActorOption(
    addLocationArgument(
      command.argument("<name>", "the person, as the application names them to log()"),
    ),
  )
    .description(
      "Destroys the secret of one person: that person's content can never be opened again. The log records the erasure. The log still verifies, and the content of all others still opens. A backup of the key store undoes the erasure.",
    )
    .requiredOption("--reason <text>", "why, for the log; it must not name the person")
    .option("-y, --yes", "do it: it cannot be undone")
    .action((name: string, location: string | undefined, flags: EraseFlags) =>
      erase(name, location, flags, session),
    );
}

async function erase(
  name: string,
  given: string | undefined,
  flags: EraseFlags,
  session: Session,
): Promise<void> {
  const settings = Settings.load(session.env);
  const location = resolveLocation(given, settings);
  const encryption = await loadSubjectKeys(settings);
  const signer = await needSigner(location, settings);
  const { onProgress } = new Progress(session, "counting");
  const storage = reportingReads(await openStorage(location, settings, signer), onProgress);
  const logger = new AuditLogger(storage, { encryption });
  try {
    if ((await encryption.subjectIds(name)).length === 0) {
      throw new Failure(
        EXIT.nothing,
        "there is no secret of that person",
        "spell the name as the application does",
      );
    }
    const entries = await logger.count({ subject: name });
    if (!flags.yes) throw notConfirmed(entries);
    const { reason, actor = defaultActor() } = flags;
    const subjects = await logger.eraseSubject(name, { actor, reason });
    await print(subjects, entries, flags, session);
  } finally {
    await logger.close();
  }
}

function notConfirmed(entries: number): Failure {
  return new Failure(
    EXIT.usage,
    `${plural(entries, "entry", "entries")} of that person would become unreadable permanently; nothing was done`,
    "to do it, add --yes; to write everything first: ai-audit export-subject",
  );
}

async function print(
  subjects: readonly string[],
  entries: number,
  { json }: EraseFlags,
  { out }: Session,
): Promise<void> {
  if (json) return out.json({ subjects, entries });
  await out.line(
    `erased: ${plural(entries, "entry", "entries")} of ${subjects.join(", ")} can no longer be opened`,
  );
}
