// The README of a bundle, for a third party.

/** The bundle's README.md. */
export function bundleReadme({
  entries,
  isWhole,
  vkeys,
  unproven,
  hasFindings,
  hasPage,
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
${hasPage ? PAGE : ""}| \`keys.txt\` | the public keys that the log names. **Do not trust them because they are here**: compare with the owner |
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

## What this shows, and its limits

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

function filesUnproven(count: number): string {
  return `| \`unproven.txt\` | ${count} more that met the same conditions and cannot be proven: they are not here |`;
}

function filesFindings(unproven: number): string {
  const count = unproven === 0 ? "" : `; ${unproven} of the entries are not proven`;
  return `| \`findings.txt\` | problems found when the files were verified for this bundle${count} |`;
}
