// ai-audit check: a proof, with nothing else at hand.
import { readFileSync } from "node:fs";
import { text as readAll } from "node:stream/consumers";
import { lineToEntry } from "@ai-audit/core/format";
import { checkProof, type ProofCheck } from "@ai-audit/core/verify";
import type { Command } from "commander";
import { describeEntry } from "../reading/entry-details.ts";
import { EXIT, Failure, systemFailure } from "../failure.ts";
import { loadEncryption } from "../settings/keys.ts";
import { ContentOpener } from "../reading/opened-content.ts";
import { printFields } from "../output/fields.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { addTrustOption } from "../verifying/verification.ts";
import { findTrust } from "../verifying/trust.ts";
import { remedyOf, styledVerdict } from "../verifying/verdict-style.ts";

interface CheckFlags {
  readonly trust: readonly string[];
  readonly decrypt?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addTrustOption(command.argument("<proof>", "file of a proof, or - for standard input"))
    .description(
      "Checks the proof of one entry from its text and the keys that you trust, without the log. The exit code is the " +
        "verdict: 0 proven, 1 refuted, 2 consistent but signed by nobody you trust, 3 not a proof.",
    )
    .option("-d, --decrypt", "open encrypted content, with AUDIT_ENCRYPTION_KEY")
    .action((path: string, flags: CheckFlags) => check(path, flags, session));
}

async function check(
  path: string,
  { trust, decrypt, json }: CheckFlags,
  session: Session,
): Promise<void> {
  const text = path === "-" ? await readAll(session.stdin) : readProof(path);
  const settings = Settings.load(session.env);
  const { keys, by, passedOver } = findTrust(trust, settings, undefined);
  const result = checkProof(text, keys, by === undefined ? {} : { trustedBy: by });
  session.exitCode = result.exitCode;
  if (json) return session.out.json(result);
  await session.out.line(styledVerdict(result, session.out));
  const remedy = remedyOf(result, result.state === "UNKNOWN_KEY", passedOver);
  if (remedy !== undefined) await session.log.line(remedy);
  const opener = new ContentOpener(decrypt ? await loadEncryption(settings) : undefined);
  await printEntry(result, opener, session);
  if (result.exitCode === 0) opener.check(); // a verdict that is worse comes first
}

async function printEntry(
  { line }: ProofCheck,
  opener: ContentOpener,
  { out }: Session,
): Promise<void> {
  const entry = line === undefined ? undefined : lineToEntry(line);
  if (entry === undefined) return;
  await out.line();
  await printFields(out, describeEntry(entry, opener.open(entry)));
}

function readProof(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const failure = systemFailure(error, path);
    if (failure === undefined) throw error;
    throw new Failure(EXIT.notVerified, failure.message, "proofs are written by: ai-audit prove", {
      cause: error,
    });
  }
}
