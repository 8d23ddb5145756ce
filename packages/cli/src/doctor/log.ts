// The log itself: permissions, files, its records about itself, retention.
import { type Fact, readFacts, summaryOf } from "@ai-audit/core/reading";
import { stat } from "node:fs/promises";
import { listHolds } from "@ai-audit/core";
import { configuredTrust } from "../settings/keys.ts";
import { listLogFiles, type LogFile } from "../log/log-files.ts";
import { plural } from "../output/format.ts";
import { DEFAULT_RETENTION_DAYS } from "../keeping/retention.ts";
import type { Settings } from "../settings/settings.ts";
import { logSources, s3Connection } from "../log/storage.ts";
import { type Finding, good, look, wrong } from "./finding.ts";

/** Permission bits of users other than the owner. */
const OTHERS = 0o077;

/** Permissions for the owner alone. */
export async function examinePermissions(location: string): Promise<Finding[]> {
  if (process.platform === "win32") return []; // the mode has no meaning there
  const { mode } = await stat(location);
  const open = (await listLogFiles(location)).filter((file) => (file.mode & OTHERS) !== 0);
  const findings: Finding[] = [];
  if ((mode & OTHERS) !== 0) {
    findings.push(
      look(
        "permissions",
        `the directory has mode ${(mode & 0o777).toString(8)}: others may list it`,
        `chmod 700 ${location}`,
      ),
    );
  }
  if (open.length > 0) {
    const [first] = open;
    findings.push(
      look(
        "permissions",
        `${plural(open.length, "file")} can be used by others, ${first?.file ?? ""} first`,
        `chmod 600 ${location}/*.jsonl, unless a group of auditors is meant to read them`,
      ),
    );
  }
  return findings.length > 0 ? findings : [good("permissions", "the owner alone reads and writes")];
}

/** Whether all files are segments signed by trusted keys. */
export async function examineContents(location: string, settings: Settings): Promise<Finding[]> {
  const files = await listLogFiles(location);
  const trusted = configuredTrust(settings);
  const segments = files.filter(({ kind }) => kind === "segment");
  const findings = [
    ...findingOf(
      files.filter(({ kind }) => kind === "unreadable"),
      wrong,
      "cannot be read",
      "run as the user that owns them",
    ),
    ...findingOf(
      files.filter(({ kind }) => kind === "empty"),
      look,
      "empty: a crash right after the file was made",
      "verify reports them; they can be removed",
    ),
    ...findingOf(
      files.filter(({ kind }) => kind === "foreign"),
      look,
      "not written by this library, without any proof",
      "move them elsewhere; to import them from there: ai-audit import",
    ),
    ...findingOf(
      files.filter(({ kind, isNamed }) => kind === "segment" && !isNamed),
      look,
      "without the name of a segment: not read",
      "rename them (the first line has the name), or move them elsewhere",
    ),
    ...findingOf(
      segments.filter(({ vkey }) => vkey === undefined),
      look,
      "not signed: an attacker can recompute the tree unnoticed",
      "give the application's FileStorage a signer; to make keys: ai-audit init",
    ),
    ...findingOf(
      segments.filter(({ vkey }) => vkey !== undefined && !trusted.includes(vkey)),
      look,
      "signed by a key that is not trusted here",
      "if you have that key from its owner, add it to AUDIT_TRUSTED_KEYS",
    ),
  ];
  return findings.length > 0
    ? findings
    : [
        good(
          "files",
          `${plural(segments.length, "segment")}, signed by keys of AUDIT_TRUSTED_KEYS`,
        ),
      ];
}

function findingOf(
  files: readonly LogFile[],
  kind: typeof look,
  what: string,
  remedy: string,
): Finding[] {
  const [first] = files;
  return first === undefined
    ? []
    : [kind("files", `${plural(files.length, "file")} ${what} (${first.file})`, remedy)];
}

/** The log's records about itself. A loss, or a file that became shorter, needs a look. */
export async function examineFacts(location: string, settings: Settings): Promise<Finding[]> {
  const facts = await readFacts(await logSources({ location, settings }));
  if (facts.length === 0) return [good("record", "no loss, removal, hold, erasure or open call")];
  const trouble = summaryOf(facts.filter(isTrouble));
  const others = summaryOf(facts.filter((fact) => !isTrouble(fact)));
  const remedy = "see: ai-audit list --control";
  return [
    ...trouble.map((sentence) => look("record", sentence, remedy)),
    ...others.map((sentence) => good("record", sentence)),
  ];
}

function isTrouble({ line }: Fact): boolean {
  return TROUBLE.has(line.type);
}

const TROUBLE: ReadonlySet<string> = new Set(["loss", "segment.gap", "call.started"]);

/**
 * The retention setting beside the legal minimum, and the holds in force. `vkey`: of the signing
 * key.
 */
export async function examineRetention(
  settings: Settings,
  location: string | undefined,
  vkey: string | undefined,
): Promise<Finding[]> {
  const days = settings.days("AUDIT_RETENTION_DAYS") ?? DEFAULT_RETENTION_DAYS;
  const floor = settings.days("AUDIT_RETENTION_FLOOR_DAYS");
  const holds =
    location === undefined ? [] : await listHolds(location, { vkey, s3: s3Connection(settings) });
  const held = holds.length === 0 ? "" : `; ${plural(holds.length, "hold")} in force`;
  if (floor === undefined) {
    return [
      look(
        "retention",
        `${days} days${held}; the legal minimum is not set`,
        "set AUDIT_RETENTION_FLOOR_DAYS (EU AI Act, articles 19 and 26: six months at least, that is 184)",
      ),
    ];
  }
  return days < floor
    ? [
        wrong(
          "retention",
          `${days} days, and ${floor} days are the legal minimum${held}`,
          "raise AUDIT_RETENTION_DAYS",
        ),
      ]
    : [good("retention", `${days} days; the legal minimum is ${floor}${held}`)];
}
