// ai-audit check: checks a proof or a bundle without the log.
import { contentOpener, requireOpened } from "../reading/content.ts";
import { type ContentOpener } from "@ai-audit/core/reading";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { lineToEntry } from "@ai-audit/core/format";
import { checkProof, type ExitCode, type ProofCheck } from "@ai-audit/core/verify";
import type { Command } from "commander";
import { describeEntry } from "../reading/entry-details.ts";
import { EXIT, Failure } from "../failure.ts";
import { loadEncryption } from "../settings/keys.ts";
import { printFields } from "../output/fields.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { addTrustOption } from "../verifying/verification.ts";
import { type BundleVerdict, checkBundle } from "../verifying/check-bundle.ts";
import { readProof, readProofFrom } from "../verifying/read-evidence.ts";
import { addPartyOptions, type PartyFlags, partiesOf } from "../verifying/anchors.ts";
import { findTrust, type Trust } from "../verifying/trust.ts";
import { loadViewer } from "../viewer.ts";
import { remedyOf, styledVerdict } from "../verifying/verdict-style.ts";

interface CheckFlags extends PartyFlags {
  readonly trust: readonly string[];
  readonly decrypt?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  const argument = "file of a proof, an audit.html, directory of a bundle, or - for standard input";
  addPartyOptions(addTrustOption(command.argument("<proof>", argument)), "where it is anchored: ")
    .description(
      "Checks the proof of one entry, an audit.html (its data, not its script), or a whole bundle, with only the keys that you trust, without the log. The " +
        "exit code is the verdict: 0 proven, 1 refuted or incomplete, 2 consistent but signed by no key that you trust, 3 not " +
        "a proof, a page or a bundle. With --witness or --tsa it says by when an entry existed, and who says so.",
    )
    .option("-d, --decrypt", "open encrypted content, with AUDIT_ENCRYPTION_KEY")
    .action((path: string, flags: CheckFlags) => check(path, flags, session));
}

async function check(path: string, flags: CheckFlags, session: Session): Promise<void> {
  const { trust, decrypt, json } = flags;
  if (path !== "-" && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    return checkDirectory(path, flags, session);
  const text = path === "-" ? await readProofFrom(session.stdin) : await readProof(path);
  if (looksLikePage(text)) return checkPageText(text, flags, session);
  const settings = Settings.load(session.env);
  const { keys, by, passedOver } = findTrust(trust, settings, undefined);
  const result = checkProof(text, keys, {
    ...partiesOf(flags),
    ...(by !== undefined && { trustedBy: by }),
  });
  session.exitCode = result.exitCode;
  if (json) return session.out.json(result);
  await session.out.line(styledVerdict(result, session.out));
  const remedy = remedyOf(result, result.state === "UNKNOWN_KEY", passedOver);
  if (remedy !== undefined) await session.log.line(remedy);
  const opener = contentOpener(decrypt ? await loadEncryption(settings) : undefined);
  await printEntry(result, opener, session);
  if (result.exitCode === 0) requireOpened(opener); // a verdict that is worse comes first
}

/** Whether a text is an `audit.html`: no proof begins like this. */
function looksLikePage(text: string): boolean {
  return text.trimStart().startsWith("<");
}

/** An `audit.html`: its data decide, and its script is not run. The worst verdict counts. */
async function checkPageText(
  text: string,
  { trust, json }: CheckFlags,
  session: Session,
): Promise<void> {
  const { checkPage } = await loadViewer();
  const found = findTrust(trust, Settings.load(session.env), undefined);
  const options = found.by === undefined ? {} : { trustedBy: found.by };
  await printVerdicts(checkPage(text, found.keys, options), found, json === true, session);
}

/** 1 beats 3: an alteration that was found outweighs parts that could not be checked. */
const WORST_FIRST: readonly ExitCode[] = [1, 3, 2, 0];

/** A bundle: the worst verdict counts, and 1 beats 3. An empty bundle proves nothing. */
async function checkDirectory(path: string, flags: CheckFlags, session: Session): Promise<void> {
  const { trust, json } = flags;
  const found = findTrust(trust, Settings.load(session.env), undefined);
  if (!existsSync(join(path, "SHA256SUMS"))) {
    throw new Failure(
      EXIT.notVerified,
      `not a bundle, or not a whole one: ${path} has no SHA256SUMS`,
      "bundles are written by: ai-audit export --format bundle",
    );
  }
  await printVerdicts(checkBundle(path, found, flags), found, json === true, session);
}

/** Prints each verdict, and takes the worst as the exit code. */
async function printVerdicts(
  verdicts: AsyncIterable<BundleVerdict> | Iterable<BundleVerdict>,
  found: Trust,
  isJson: boolean,
  session: Session,
): Promise<void> {
  const codes = new Set<ExitCode>();
  for await (const { exitCode, verdict } of verdicts) {
    codes.add(exitCode);
    if (isJson) await session.out.json({ exitCode, verdict });
    else await session.out.line(styledVerdict({ exitCode, verdict }, session.out));
  }
  if (codes.size === 0) {
    throw new Failure(
      EXIT.notVerified,
      "it holds neither files nor entries, and so it proves nothing",
      "ask for it once more",
    );
  }
  session.exitCode = WORST_FIRST.find((code) => codes.has(code)) ?? 3;
  const remedy = remedyOf(
    { exitCode: codes.has(2) ? 2 : 0, verdict: "" },
    found.keys.length === 0,
    found.passedOver,
  );
  if (remedy !== undefined) await session.log.line(remedy);
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
