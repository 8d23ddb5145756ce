// ai-audit pin: the notes that an auditor keeps.
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Pin, Verification } from "@ai-audit/core/verify";
import type { Command } from "commander";
import { EXIT, Failure } from "../failure.ts";
import { addLocationArgument } from "../log/location.ts";
import { syncFile } from "../output/new-files.ts";
import { addOutputOption, withSink } from "../output/output-file.ts";
import { formatPins, readPins } from "../verifying/pins.ts";
import type { Session } from "../session.ts";
import {
  addVerificationOptions,
  type VerificationFlags,
  verifyLocation,
} from "../verifying/verification.ts";

interface PinFlags extends VerificationFlags {
  readonly output?: string;
  readonly append?: string;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addOutputOption(addVerificationOptions(addLocationArgument(command)))
    .description(
      "Verifies a log and writes pins of it: the log's own signed note of each writer's newest file, the date, and with " +
        "--retention your rule for files from this day on. Keep them where the log's keeper cannot change them. " +
        "`verify --pin` then notices when anything up to that point is altered or cut off, and says when a pinned file " +
        "was removed, also by the holder of the signing key. With --anchor one pin is enough: the anchor log's last " +
        "checkpoint. The exit code is the verdict.",
    )
    .option(
      "-a, --append <file>",
      "verify with the pins of this file, and add those that are new to it",
    )
    .action((location: string | undefined, flags: PinFlags) => pin(location, flags, session));
}

async function pin(given: string | undefined, flags: PinFlags, session: Session): Promise<void> {
  const { append, output } = flags;
  if (append !== undefined && output !== undefined)
    throw new Failure(EXIT.usage, "--append and --output exclude each other");
  const kept = append !== undefined && existsSync(append) ? append : undefined;
  const known = kept === undefined ? undefined : readPins({ path: kept, isOfSetting: false });
  const { result } = await verifyLocation(
    given,
    kept === undefined ? flags : { ...flags, pin: [...flags.pin, kept] },
    session,
  );
  if (result.exitCode === 1 || result.exitCode === 3) {
    throw new Failure(
      result.exitCode,
      `nothing was pinned. ${result.verdict}`,
      "see: ai-audit verify",
    );
  }
  const isKnown = (head: Pin): boolean =>
    known?.pins.some(
      ({ origin, size, root }) =>
        origin === head.origin && size === head.size && root === head.root,
    ) ?? false;
  // An anchor's last checkpoint covers all segments: it alone is to be kept.
  const anchors = result.anchors.flatMap(({ head }) => head ?? []);
  const heads = anchors.length > 0 ? anchors : newestHeads(result);
  const pins = heads.filter((head) => !isKnown(head));
  if (pins.length === 0 && known === undefined)
    throw new Failure(EXIT.notVerified, "nothing there can be pinned: no file has a checkpoint");
  const text = flags.json
    ? `${JSON.stringify(pins)}\n`
    : formatPins(pins, { now: session.now(), retentionDays: flags.retention });
  if (append === undefined) await withSink(output, session.out, (sink) => sink.write(text));
  else if (pins.length > 0 || flags.retention !== undefined) await appendDurably(append, text);
  await session.log.line(result.verdict);
  session.exitCode = result.exitCode;
}

async function appendDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "a", 0o600);
  try {
    await file.appendFile(text);
    await syncFile(file);
  } finally {
    await file.close();
  }
}

/**
 * The last state of each stream's newest file: it refers to the stream's earlier files by itself.
 */
function newestHeads({ files }: Verification): Pin[] {
  const newest = new Map<string, Pin>();
  for (const { head } of files) {
    if (head === undefined) continue;
    const stream = head.origin.slice(0, head.origin.lastIndexOf("/"));
    newest.delete(stream); // so that the map keeps the order of the files
    newest.set(stream, head);
  }
  return [...newest.values()];
}
