// Keys: do they exist, are they usable, do they fit the log?
import { contentOpener } from "../reading/content.ts";
import { stat } from "node:fs/promises";
import { EncryptionManager } from "@ai-audit/core";
import { lineToEntry } from "@ai-audit/core/format";
import { settingFailure } from "../failure.ts";
import { configuredTrust, encryptionKeys } from "../settings/keys.ts";
import { latestLines } from "../log/latest-lines.ts";
import type { Settings } from "../settings/settings.ts";
import { openStorage } from "../log/storage.ts";
import { shellWord } from "../output/format.ts";
import { passedOverFile } from "../verifying/trust.ts";
import { findSigner } from "../keeping/writing.ts";
import { type Finding, good, look, wrong } from "./finding.ts";

/** The signing key, and whether `verify` trusts it with these settings. */
export function examineSigning(settings: Settings): Finding[] {
  const signer = findSigner(settings);
  const trusted = configuredTrust(settings);
  const passedOver = passedOverFile(settings);
  if (signer === undefined) {
    if (trusted.length > 0 && passedOver !== undefined)
      return [notNamed("no signing key here", passedOver)];
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
    return [
      look(
        "signing",
        `${signer.vkey} signs and is not trusted here`,
        "add it to AUDIT_TRUSTED_KEYS",
      ),
    ];
  }
  return passedOver === undefined
    ? [good("signing", `${signer.name}, trusted`)]
    : [notNamed(`${signer.name} signs`, passedOver)];
}

/** `verify` uses no trusted keys of a settings file that was merely found. */
function notNamed(what: string, file: string): Finding {
  return look(
    "signing",
    `${what}; verify trusts the keys of ai-audit.env only when AUDIT_CONFIG names the file`,
    `if it is yours: export AUDIT_CONFIG=${shellWord(file)}`,
  );
}

/** The encryption key, tried on the newest encrypted content. */
export async function examineEncryption(
  settings: Settings,
  location: string | undefined,
): Promise<Finding[]> {
  const keys = encryptionKeys(settings);
  if (keys === undefined) {
    return [
      look(
        "encryption",
        "no key is set: encrypted content cannot be opened here",
        "set AUDIT_ENCRYPTION_KEY_FILE",
      ),
    ];
  }
  const encryption = await EncryptionManager.fromProvider(keys);
  const lines =
    location === undefined ? [] : await latestLines(await openStorage(location, settings), {}, 20);
  for (const line of lines.toReversed()) {
    const entry = lineToEntry(line);
    const field = entry && contentOpener(encryption).open(entry).input;
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

/** The secrets of data subjects: needed to find, export or erase the data of a person. */
export async function examineSubjects(
  settings: Settings,
  location: string | undefined,
): Promise<Finding[]> {
  const path = settings.path("AUDIT_SUBJECT_KEYS");
  if (path === undefined) {
    const lines =
      location === undefined
        ? []
        : await latestLines(await openStorage(location, settings), {}, 20);
    if (!lines.some((line) => lineToEntry(line)?.subject !== undefined)) return [];
    return [
      look(
        "subjects",
        "some entries are about a person, and no key store is set: such content cannot be opened, exported or erased here",
        "set AUDIT_SUBJECT_KEYS to the directory of the application's FileKeyStore",
      ),
    ];
  }
  const found = await stat(path).catch((error: unknown) => {
    throw settingFailure(
      "AUDIT_SUBJECT_KEYS",
      error,
      "set it to the directory of the application's FileKeyStore",
    );
  });
  if (!found.isDirectory()) {
    return [
      wrong(
        "subjects",
        `AUDIT_SUBJECT_KEYS is not a directory: ${path}`,
        "set it to that of the FileKeyStore",
      ),
    ];
  }
  if (process.platform !== "win32" && (found.mode & 0o077) !== 0) {
    const message = `${path} has mode ${(found.mode & 0o777).toString(8)}: users other than its owner may use the secrets`;
    return [wrong("subjects", message, `chmod 700 ${path}`)];
  }
  return [good("subjects", path)];
}
