// ai-audit pin: the note that an auditor keeps.
import type { Pin, Verification } from "@ai-audit/core/verify";
import type { Command } from "commander";
import { EXIT, Failure } from "../failure.ts";
import { addLocationArgument } from "../log/location.ts";
import { addOutputOption, withSink } from "../output/output-file.ts";
import { formatPins } from "../verifying/pins.ts";
import type { Session } from "../session.ts";
import {
  addVerificationOptions,
  type VerificationFlags,
  verifyLocation,
} from "../verifying/verification.ts";

interface PinFlags extends VerificationFlags {
  readonly output?: string;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addOutputOption(addVerificationOptions(addLocationArgument(command)))
    .description(
      "Verifies a log and writes the pins of what is there: the origin, size and root of each writer's newest file. " +
        "Keep them where the log's keeper cannot change them. `verify --pin` then notices if anything up to that point " +
        "is altered, removed or cut off, by whoever holds the signing key too. The exit code is the verdict.",
    )
    .action((location: string | undefined, flags: PinFlags) => pin(location, flags, session));
}

async function pin(given: string | undefined, flags: PinFlags, session: Session): Promise<void> {
  const result = await verifyLocation(given, flags, session);
  if (result.exitCode === 1 || result.exitCode === 3) {
    throw new Failure(
      result.exitCode,
      `nothing was pinned. ${result.verdict}`,
      "see: ai-audit verify",
    );
  }
  const pins = newestHeads(result);
  if (pins.length === 0)
    throw new Failure(EXIT.notVerified, "nothing there can be pinned: no file has a checkpoint");
  const text = flags.json ? `${JSON.stringify(pins)}\n` : formatPins(pins);
  await withSink(flags.output, session.out, (sink) => sink.write(text));
  await session.log.line(result.verdict);
  session.exitCode = result.exitCode;
}

/** The last state of each stream's newest file: it refers to the stream's earlier files by itself. */
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
