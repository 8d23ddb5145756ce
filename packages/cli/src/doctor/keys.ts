// Keys: are they there, are they usable, do they fit the log?
import { lineToEntry } from "@ai-audit/core";
import { encryptionKeys, loadEncryption } from "../keys.ts";
import { latestLines } from "../latest.ts";
import { ContentOpener } from "../opened-content.ts";
import type { Settings } from "../settings.ts";
import { openStorage } from "../storage.ts";
import { findSigner } from "../writing.ts";
import { type Finding, good, look, wrong } from "./finding.ts";

/** The signing key, and whether we trust ourselves. */
export function examineSigning(settings: Settings): Finding[] {
  const signer = findSigner(settings);
  const trusted = settings.get("AUDIT_TRUSTED_KEYS")?.value.split(/\s+/) ?? [];
  if (signer === undefined) {
    return trusted.length > 0
      ? [good("signing", `no signing key here; ${trusted.length} trusted for verifying`)]
      : [
          look(
            "signing",
            "no signing key and no trusted key is set",
            "make keys: ai-audit init; or set AUDIT_TRUSTED_KEYS",
          ),
        ];
  }
  if (!trusted.includes(signer.vkey)) {
    return [look("signing", `${signer.vkey} signs and is not trusted here`, "add it to AUDIT_TRUSTED_KEYS")];
  }
  return [good("signing", `${signer.name}, trusted`)];
}

/** The encryption key, and whether it opens what was written last. */
export async function examineEncryption(settings: Settings, location: string | undefined): Promise<Finding[]> {
  if (encryptionKeys(settings) === undefined) {
    return [
      look("encryption", "no key is set: encrypted content cannot be opened here", "set AUDIT_ENCRYPTION_KEY_FILE"),
    ];
  }
  const encryption = await loadEncryption(settings);
  const lines = location === undefined ? [] : await latestLines(await openStorage(location, settings), {}, 20);
  for (const line of lines.toReversed()) {
    const entry = lineToEntry(line);
    const field = entry && new ContentOpener(encryption).open(entry).input;
    if (entry?.inputContent == null || field === undefined || entry.subject !== undefined) continue;
    return field.state === "sealed"
      ? [
          wrong(
            "encryption",
            `the key does not open the newest entry: ${field.reason}`,
            "set the key that the application uses",
          ),
        ]
      : [good("encryption", `${encryption.keyId} opens the newest entry with content`)];
  }
  return [good("encryption", `${encryption.keyId}; no content to try it on`)];
}
