// The keys a command works with, from the settings.
import { existsSync, realpathSync, statSync } from "node:fs";
import { sep } from "node:path";
import {
  EncryptionManager,
  environmentKeys,
  FileKeyStore,
  fileKeys,
  type KeyProvider,
  type Keys,
} from "@ai-audit/core";
import { EXIT, Failure, settingFailure } from "../failure.ts";
import type { Settings } from "./settings.ts";

/** The source of the encryption keys; undefined if none are set. */
export function encryptionKeys(settings: Settings): KeyProvider | undefined {
  const key = settings.key("AUDIT_ENCRYPTION_KEY");
  if (key === undefined) return undefined;
  if ("text" in key)
    return environmentKeys("AUDIT_ENCRYPTION_KEY", { AUDIT_ENCRYPTION_KEY: key.text });
  return { load: () => keysInFile(key.path) };
}

async function keysInFile(path: string): Promise<Keys> {
  try {
    return await fileKeys(path).load();
  } catch (error) {
    const system = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw settingFailure(
      "AUDIT_ENCRYPTION_KEY_FILE",
      system,
      "name the file that holds the key, as `ai-audit init` writes it",
      path,
    );
  }
}

/**
 * The keys that open encrypted content.
 *
 * @throws {Failure} when no key is set
 * @throws {AuditError} `AUDIT_CONFIG_INVALID` or `AUDIT_KEY_INVALID` for keys that cannot be used
 */
export async function loadEncryption(settings: Settings): Promise<EncryptionManager> {
  const provider = encryptionKeys(settings);
  if (provider === undefined) {
    throw new Failure(
      EXIT.config,
      "no encryption key is set",
      "set AUDIT_ENCRYPTION_KEY, or AUDIT_ENCRYPTION_KEY_FILE to a file that holds the key",
    );
  }
  const path = settings.path("AUDIT_SUBJECT_KEYS");
  // A missing store would look like an empty one: an access request would get a false answer.
  if (path !== undefined && !statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Failure(
      EXIT.config,
      `AUDIT_SUBJECT_KEYS: no such directory: ${path}`,
      "set it to the application's key store",
    );
  }
  return EncryptionManager.fromProvider(
    provider,
    path === undefined ? {} : { subjects: new FileKeyStore({ path }) },
  );
}

/** As `loadEncryption()`, for commands about data subjects. */
export async function loadSubjectKeys(settings: Settings): Promise<EncryptionManager> {
  if (settings.get("AUDIT_SUBJECT_KEYS") === undefined) {
    throw new Failure(
      EXIT.config,
      "no key store of data subjects is set",
      "set AUDIT_SUBJECT_KEYS to the directory of the application's FileKeyStore",
    );
  }
  return loadEncryption(settings);
}

/** The verification keys of AUDIT_TRUSTED_KEYS; empty if it is not set. */
export function configuredTrust(settings: Settings): readonly string[] {
  return settings.get("AUDIT_TRUSTED_KEYS")?.value.split(/\s+/) ?? [];
}

/**
 * The verification keys to trust: those given, or else those of AUDIT_TRUSTED_KEYS. A settings file
 * in the log itself (`location`) is not trusted: an attacker who can change the log could change it
 * too.
 *
 * @throws {Failure} for such a file, and for an invalid key
 */
export function trustedKeys(
  given: readonly string[],
  settings: Settings,
  location: string | undefined,
): readonly string[] {
  const setting = given.length > 0 ? undefined : settings.get("AUDIT_TRUSTED_KEYS");
  if (setting !== undefined && location !== undefined && liesIn(setting.source, location)) {
    throw new Failure(
      EXIT.config,
      `trusted keys must not come from the log itself: ${setting.source}`,
      "give the key that you know from elsewhere with --trust, or set AUDIT_TRUSTED_KEYS",
    );
  }
  return setting === undefined ? given : configuredTrust(settings);
}

/** Also by way of links. */
function liesIn(file: string, directory: string): boolean {
  if (!existsSync(file) || !existsSync(directory)) return false; // the environment, a bucket
  return realpathSync(file).startsWith(realpathSync(directory) + sep);
}
