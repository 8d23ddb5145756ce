// The README of a bundle, for a third party.
import type { BundledAnchors } from "./bundle-proofs.ts";

/** The bundle's README.md. */
export function bundleReadme({
  entries,
  isWhole,
  vkeys,
  unproven,
  hasFindings,
  hasPage,
  anchors,
}: {
  readonly entries: number;
  readonly isWhole: boolean;
  readonly vkeys: readonly string[];
  /** Selected entries that cannot be proven: only a bundle of whole files holds them. */
  readonly unproven: number;
  /** Whether there is a `findings.txt`. */
  readonly hasFindings: boolean;
  /** Whether there is an `audit.html`. */
  readonly hasPage: boolean;
  readonly anchors: BundledAnchors | undefined;
}): string {
  const keys =
    vkeys.length === 0
      ? "    (the log is not signed)"
      : vkeys.map((vkey) => `    ${vkey}`).join("\n");
  return `# Evidence from an audit log

${isWhole ? WHOLE : SELECTED} Entries: ${entries}.

| file | holds |
|---|---|
${isWhole ? FILES_WHOLE : FILES_SELECTED}${unproven === 0 || isWhole ? "" : `\n${filesUnproven(unproven)}`}${hasFindings ? `\n${filesFindings(unproven)}` : ""}
${anchors === undefined ? "" : isWhole ? FILES_ANCHOR_LOG : FILES_ANCHORS}${hasPage ? PAGE : ""}| \`keys.txt\` | the public keys that the log names. **Do not trust them because they are here**: compare with the owner |
| \`check.py\` | checks the bundle; Python 3.8 and the \`openssl\` command (3.0), nothing else |
| \`SHA256SUMS\` | hashes of all files |

## Check it

    sha256sum --check SHA256SUMS          # the bundle arrived as it was sent
    python3 check.py 'VKEY' …             # the entries are what was sealed

VKEY is a verification key that you have from the log's owner by another way than this bundle. The log says that it is
signed by:

${keys}

\`check.py\` is short: read it. It does what docs/format.md of ai-audit describes, with published formats alone:

1. A line's leaf hash is SHA-256 of a zero byte and the line; two nodes become SHA-256 of 01 and both (RFC 6962, section 2.1).
2. ${isWhole ? "The lines of a file up to each checkpoint have the root hash that the checkpoint names." : "A proof (C2SP tlog-proof) leads from the line to the root hash of a checkpoint (RFC 6962, section 2.1.1)."}
3. The checkpoint is signed with Ed25519 (C2SP signed-note, RFC 8032); openssl verifies it.

${anchors === undefined ? "" : existedBy(anchors, isWhole)}## What this shows, and its limits

${isWhole ? SHOWS_WHOLE : SHOWS_SELECTED}${hasFindings ? EXCEPT_FINDINGS : ""} It does not show that the log is complete: entries may
never have been written, and a holder of the signing key could have written another log. Content that is encrypted or kept as a
hash stays so here.
`;
}

const PAGE =
  "| `audit.html` | the entries to read in any browser, offline; it verifies them too, and `ai-audit check audit.html` decides on it |\n";
const WHOLE = "Whole files of a log, as they lie on disk.";
const SELECTED = "Selected entries of a log, each with a proof that it was sealed into the log.";
const SHOWS_WHOLE =
  "No line was changed, added or removed between the first and the last checkpoint of each file.";
const SHOWS_SELECTED =
  "Each entry was in the log when its checkpoint was signed, byte for byte as it is here.";
const EXCEPT_FINDINGS = " **This does not apply to the files that `findings.txt` names.**";
const FILES_WHOLE = "| `segments/` | the log, byte for byte |";
const FILES_SELECTED = `| \`entries.jsonl\` | the entries, one JSON object a line |
| \`proofs/<id>.tlog-proof\` | the proof of each |`;

const FILES_ANCHORS =
  "| `anchors/<hash>.tlog-proofs` | the ways from a state of the log to checkpoints of an anchor log; many entries share one |\n" +
  "| `anchors/*.note`, `anchors/*.tsr` | those checkpoints, and the time-stamps (RFC 3161) over them |\n";
const FILES_ANCHOR_LOG =
  "| `anchor/` | the anchor log: states of these files, and who confirmed them |\n";

/** Time-stamps that the README names: an anchor log has one an hour. */
const SHOWN_TOKENS = 3;

function existedBy({ tokens, unanchored }: BundledAnchors, isWhole: boolean): string {
  const shown = tokens.slice(-SHOWN_TOKENS);
  const verified = shown.map(
    (name) => `    openssl ts -verify -data ${name}.note -in ${name}.tsr -CAfile tsa.pem`,
  );
  const times = shown.map((name) => `    openssl ts -reply -in ${name}.tsr -text | grep Time`);
  const [time = ""] = times;
  const some = unanchored === 0 ? "" : ` Of ${unanchored} entries there is none yet.`;
  const byToken =
    tokens.length === 0
      ? "No time-stamping authority has confirmed it: `check.py` and `ai-audit check` show what witnesses say.\n"
      : `A time-stamping authority has signed the hash of a checkpoint together with the time. With OpenSSL alone, and the
authority's own certificates in \`tsa.pem\`, which you have from the authority:

${verified.join("\n")}
${time}
${tokens.length > shown.length ? `\nThe other ${tokens.length - shown.length} time-stamps are verified alike.\n` : ""}`;
  return `## By when it existed

An anchor log is a small log beyond the reach of the log's owner. It holds states of the log.${some} Whoever changed an entry
later would need the authority's or the witness' key as well.

${byToken}
What the checkpoint has to do with the ${isWhole ? "files" : "entries"}, and what witnesses say (their keys among the VKEYs):

    python3 check.py 'VKEY' … --tsa tsa.pem

${isWhole ? STATES_WHOLE : STATES_SELECTED}

`;
}

const STATES_WHOLE =
  "Each `anchor/leaf_…` holds the states of files at a time: name, lines, root hash. The root hash in its first line is that of a\ntree over them, and the checkpoint at its end that of a tree over all first lines.";
const STATES_SELECTED =
  "The proof of an entry leads to a state of its file: name, lines, root hash. A file of `anchors/` leads from there to a\nleaf of the anchor log, and from the leaf to the checkpoint.";

function filesUnproven(count: number): string {
  return `| \`unproven.txt\` | ${count} more that met the same conditions and cannot be proven: they are not here |`;
}

function filesFindings(unproven: number): string {
  const count = unproven === 0 ? "" : `; ${unproven} of the entries are not proven`;
  return `| \`findings.txt\` | problems found when the files were verified for this bundle${count} |`;
}
