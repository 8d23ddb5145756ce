// The actor and the signing key of commands that append to a log.
import { readFileSync, statSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { Signer } from "@ai-audit/core";
import { type Command, Option } from "commander";
import { EXIT, Failure, settingFailure } from "../failure.ts";
import { configuredTrust } from "../settings/keys.ts";
import { isBucket } from "../log/location.ts";
import { listLogFiles } from "../log/log-files.ts";
import type { Settings } from "../settings/settings.ts";

/** Gives a command the option --actor. */
export function addActorOption(command: Command): Command {
  return command.addOption(
    new Option("--actor <name>", "who does this, for the log").default(undefined, "user@host"),
  );
}

/** The default actor. */
export function defaultActor(): string {
  return `${userInfo().username}@${hostname()}`;
}

/**
 * The signing key of the settings; undefined if none is set.
 *
 * @throws {Failure} for a key without a name, or a file that cannot be read
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` for an invalid key
 */
export function findSigner(settings: Settings): Signer | undefined {
  const key = settings.key("AUDIT_SIGNING_KEY");
  if (key === undefined) return undefined;
  const name = settings.get("AUDIT_SIGNING_NAME")?.value;
  if (name === undefined) {
    throw new Failure(
      EXIT.config,
      "a signing key is set, but not its name",
      "set AUDIT_SIGNING_NAME to the part of its vkey before the first +",
    );
  }
  if ("text" in key)
    return Signer.fromEnv(name, "AUDIT_SIGNING_KEY", { AUDIT_SIGNING_KEY: key.text });
  return Signer.fromPem(name, readKeyFile(key.path));
}

/**
 * The signing key for a log that is about to be appended to; undefined if the log is not signed.
 *
 * @throws {Failure} when the log is signed and there is no key: one unsigned segment would lower
 * its verdict
 */
export async function needSigner(
  location: string,
  settings: Settings,
): Promise<Signer | undefined> {
  const signer = findSigner(settings);
  if (signer !== undefined) return signer;
  if (isBucket(location)) {
    throw new Failure(
      EXIT.config,
      "no signing key is set, and records in a bucket must be signed",
      SET_KEY,
    );
  }
  const vkey = (await listLogFiles(location)).findLast(({ kind }) => kind === "segment")?.vkey;
  if (vkey === undefined) return undefined;
  throw new Failure(
    EXIT.config,
    `the log is signed by ${vkey.split("+")[0] ?? vkey}, and the records of this command must be signed too`,
    SET_KEY,
  );
}

/**
 * The signing key for a record that permits a removal. Verifiers must trust it: otherwise the
 * record would not count, and the removed files would be MISSING permanently.
 *
 * @throws {Failure} as `needSigner()`, and for a key that AUDIT_TRUSTED_KEYS lacks or, where that
 * is not set, that sealed no file of a directory whose files others sealed
 */
export async function needTrustedSigner(
  location: string,
  settings: Settings,
): Promise<Signer | undefined> {
  const signer = await needSigner(location, settings);
  if (signer === undefined) return undefined;
  const trusted = configuredTrust(settings);
  if (trusted.includes(signer.vkey)) return signer;
  if (trusted.length > 0) {
    throw new Failure(
      EXIT.config,
      `${signer.vkey} signs and is not trusted here: verifiers would not believe its records`,
      "set the key that the application signs with, or add this one to AUDIT_TRUSTED_KEYS",
    );
  }
  const seals = isBucket(location)
    ? []
    : (await listLogFiles(location)).flatMap(({ vkey }) => vkey ?? []);
  if (seals.length === 0 || seals.includes(signer.vkey)) return signer;
  throw new Failure(
    EXIT.config,
    `${signer.vkey} signs here and sealed no file of this log: verifiers would not believe its records`,
    "set the key that the application signs with; or, where this is its new key, put both into AUDIT_TRUSTED_KEYS",
  );
}

const SET_KEY = "set AUDIT_SIGNING_NAME, and AUDIT_SIGNING_KEY or AUDIT_SIGNING_KEY_FILE";

function readKeyFile(path: string): string {
  try {
    if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
      throw new Failure(
        EXIT.config,
        `AUDIT_SIGNING_KEY_FILE: users other than its owner may use ${path}: anybody who reads it can forge the log`,
        `chmod 600 ${path}`,
      );
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw settingFailure(
      "AUDIT_SIGNING_KEY_FILE",
      error,
      "name the file that holds the key, as `ai-audit init` writes it",
      path,
    );
  }
}
