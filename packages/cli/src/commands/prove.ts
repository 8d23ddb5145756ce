// ai-audit prove: writes the proof of one entry, which is checked without the log.
import { checkProof, proveEntry } from "@ai-audit/core/verify";
import type { Command } from "commander";
import { addAnchorOptions, type AnchorFlags, anchorOf } from "../verifying/anchors.ts";
import { EXIT, Failure } from "../failure.ts";
import { addLocationArgument, resolveLocation } from "../log/location.ts";
import { addOutputOption, withSink } from "../output/output-file.ts";
import { Progress } from "../output/progress.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { s3Connection } from "../log/storage.ts";

interface ProveFlags extends AnchorFlags {
  readonly output?: string;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  const located = addLocationArgument(command.argument("<id>", "id of the entry"));
  addOutputOption(addAnchorOptions(located, ""))
    .description(
      "Writes the proof of one entry, a C2SP tlog-proof: the entry's line, its audit path and the signed checkpoint over " +
        "it. It is checked with the log's verification key alone, without the log: `ai-audit check`. With --anchor, proofs " +
        "and time-stamps of an anchor log follow: they show by when the entry existed.",
    )
    .action((id: string, location: string | undefined, flags: ProveFlags) =>
      prove(id, location, flags, session),
    );
}

async function prove(
  id: string,
  given: string | undefined,
  flags: ProveFlags,
  session: Session,
): Promise<void> {
  const { output, json } = flags;
  const anchor = anchorOf(flags);
  const settings = Settings.load(session.env);
  const location = resolveLocation(given, settings);
  let current = "";
  const progress = new Progress(session, "searching", () => current);
  const proof = await proveEntry(location, id.toLowerCase(), {
    s3: s3Connection(settings),
    ...(anchor && { anchor }),
    // Which files will be read is not known before: each has its bar.
    onRead: (file, share) => {
      current = file;
      progress.update(share);
    },
  });
  if (proof === undefined) {
    throw new Failure(EXIT.nothing, `no entry ${id} in ${location}`, "to see ids: ai-audit list");
  }
  const { state, anchors } = checkProof(proof, []);
  if (state === "TAMPERED") {
    throw new Failure(
      EXIT.data,
      `entry ${id} does not match its seal and cannot be proven`,
      `ai-audit verify ${location}`,
    );
  }
  if (anchor !== undefined && anchors.length === 0) {
    throw new Failure(
      EXIT.data,
      `entry ${id} is not anchored: it is newer than the last run, or its file is not what was anchored`,
      `ai-audit verify ${location} --anchor ${anchor.location}`,
    );
  }
  const text = json ? `${JSON.stringify({ id, proof })}\n` : proof;
  await withSink(output, session.out, (sink) => sink.write(text));
  if (output !== undefined)
    await session.log.line(`written; to check it: ai-audit check ${output} --trust VKEY`);
}
