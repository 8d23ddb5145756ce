// The keys a command works with, from the settings.
import { readFileSync } from "node:fs";
import { sep } from "node:path";
import { EncryptionManager } from "@ai-audit/core";
import { EXIT, Failure, systemFailure } from "./failure.ts";
import type { SettingName, Settings } from "./settings.ts";

/**
 * What opens encrypted content; undefined where no key is set.
 *
 * @throws {Failure} when a key is set that cannot be used
 */
export function findEncryption(settings: Settings): EncryptionManager | undefined {
  const secret = readSecret(settings, "AUDIT_ENCRYPTION_KEY", "AUDIT_ENCRYPTION_KEY_FILE");
  if (secret === undefined) return undefined;
  try {
    return new EncryptionManager(secret.text);
  } catch (cause) {
    throw new Failure(
      EXIT.config,
      `${secret.where} does not hold a key of 32 bytes as base64url`,
      "new keys are made by: ai-audit init",
      { cause },
    );
  }
}

/** As `findEncryption()`, where there is nothing to do without a key. */
export function needEncryption(settings: Settings): EncryptionManager {
  const encryption = findEncryption(settings);
  if (encryption !== undefined) return encryption;
  throw new Failure(
    EXIT.config,
    "no key to decrypt with",
    "set AUDIT_ENCRYPTION_KEY, or AUDIT_ENCRYPTION_KEY_FILE to a file that holds the key",
  );
}

/** A secret's text, and where it was found, for messages. */
interface Secret {
  readonly text: string;
  readonly where: string;
}

/** A secret from a setting, or from the file that another setting names. */
export function readSecret(settings: Settings, name: SettingName, fileName: SettingName): Secret | undefined {
  const direct = settings.get(name);
  if (direct !== undefined) return { text: direct.value, where: `${name} of ${direct.source}` };
  const path = settings.path(fileName);
  if (path === undefined) return undefined;
  try {
    return { text: readFileSync(path, "utf8").trim(), where: path };
  } catch (error) {
    const failure = systemFailure(error);
    throw new Failure(EXIT.config, `${fileName} cannot be read: ${failure?.message ?? path}`, failure?.hint, {
      cause: error,
    });
  }
}

/**
 * The verification keys to trust: those given, or else those of AUDIT_TRUSTED_KEYS. A settings file that lies in the
 * log itself (`location`) is not believed: whoever can change the log could change it too.
 *
 * @throws {Failure} for such a file, and for a key that is none
 */
export function trustedKeys(
  given: readonly string[],
  settings: Settings,
  location: string | undefined,
): readonly string[] {
  const setting = given.length > 0 ? undefined : settings.get("AUDIT_TRUSTED_KEYS");
  if (setting !== undefined && location !== undefined && setting.source.startsWith(location + sep)) {
    throw new Failure(
      EXIT.config,
      `trusted keys must not come from the log itself: ${setting.source}`,
      "give the key that you know from elsewhere with --trust, or set AUDIT_TRUSTED_KEYS",
    );
  }
  return setting?.value.split(/\s+/) ?? given;
}
