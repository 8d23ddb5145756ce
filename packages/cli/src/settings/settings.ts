// Settings: environment variables, and a file of the same names for those that the environment
// lacks.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseEnv } from "node:util";
import { EXIT, Failure, settingFailure, systemFailure } from "../failure.ts";
import type { Session } from "../session.ts";

/** Name of the file that is read from the working directory. */
export const SETTINGS_FILE = "ai-audit.env";

/** The purpose of each setting; `init` writes these lines into the file. */
export const SETTINGS = {
  AUDIT_LOG: "directory of the log, or s3://bucket/prefix, for commands that are given none",
  AWS_ENDPOINT_URL_S3:
    "URL of the server that speaks S3, where it is not AWS; region and credentials are the AWS SDK's",
  AUDIT_ARCHIVE: "s3://bucket/prefix that closed segments are shipped to",
  AUDIT_TRUSTED_KEYS:
    "verification keys (vkeys) of those who may have signed the log, separated by spaces",
  AUDIT_PINS: "file of pins: states of the log that an auditor noted earlier",
  AUDIT_SIGNING_NAME: "name of the signing key",
  AUDIT_SIGNING_KEY:
    "the signing key itself, PKCS#8 PEM: better in the environment, from a secret store",
  AUDIT_SIGNING_KEY_FILE: "or a file that holds it",
  AUDIT_ENCRYPTION_KEY:
    "key of the content, base64url: better in the environment, from a secret store",
  AUDIT_ENCRYPTION_KEY_FILE: "or a file that holds it",
  AUDIT_SUBJECT_KEYS: "directory with the secrets of data subjects",
  AUDIT_RETENTION_DAYS: "days that entries are kept",
  AUDIT_RETENTION_FLOOR_DAYS:
    "days that entries must be kept by law; doctor warns of a shorter retention",
} as const;

/** The source of a setting that is in no file. */
const ENVIRONMENT = "the environment";

export type SettingName = keyof typeof SETTINGS;

/** A setting's value, and its source for messages. */
export interface Setting {
  readonly value: string;
  /** `the environment`, or a path. */
  readonly source: string;
  /** Directory that a relative path in the value starts from. */
  readonly base: string;
}

export class Settings {
  readonly #env: Session["env"];
  readonly #file: string | undefined;
  readonly #values: Readonly<Partial<Record<string, string>>>;

  private constructor(
    env: Session["env"],
    file: string | undefined,
    values: Readonly<Partial<Record<string, string>>>,
  ) {
    this.#env = env;
    this.#file = file;
    this.#values = values;
  }

  /**
   * Reads the file that AUDIT_CONFIG names, or else `ai-audit.env` of the working directory, if
   * there is one.
   *
   * @throws {Failure} when the file that AUDIT_CONFIG names, or that of the working directory,
   * cannot be read
   */
  static load(env: Session["env"]): Settings {
    const named = env["AUDIT_CONFIG"];
    const file = resolve(named ?? SETTINGS_FILE);
    try {
      return new Settings(env, file, parseEnv(readFileSync(file, "utf8")));
    } catch (error) {
      const failure = systemFailure(error);
      if (failure === undefined) throw error;
      if (named === undefined && failure.exitCode === EXIT.missing)
        return new Settings(env, undefined, {});
      throw named === undefined
        ? settingFailure(SETTINGS_FILE, error, "its owner alone may read it", file)
        : settingFailure(
            "AUDIT_CONFIG",
            error,
            "name a settings file, as `ai-audit init` writes one, or unset it",
            file,
          );
    }
  }

  /** The file that was read. */
  get file(): string | undefined {
    return this.#file;
  }

  /** Whether AUDIT_CONFIG names that file. Otherwise it was found in the working directory. */
  get isNamed(): boolean {
    return this.#env["AUDIT_CONFIG"] !== undefined;
  }

  /** The environment's value, or else the file's; an empty one counts as none. */
  get(name: SettingName): Setting | undefined {
    const own = this.#env[name];
    if (own !== undefined && own.trim() !== "") {
      return { value: own.trim(), source: ENVIRONMENT, base: process.cwd() };
    }
    const value = this.#values[name]?.trim();
    if (value === undefined || value === "" || this.#file === undefined) return undefined;
    return { value, source: this.#file, base: dirname(this.#file) };
  }

  /** Whole days. @throws {Failure} for any other value */
  days(name: "AUDIT_RETENTION_DAYS" | "AUDIT_RETENTION_FLOOR_DAYS"): number | undefined {
    const setting = this.get(name);
    if (setting === undefined) return undefined;
    const days = Number(setting.value);
    if (Number.isInteger(days) && days >= 0) return days;
    throw new Failure(
      EXIT.config,
      `${name} of ${setting.source} is not a number of days: ${setting.value}`,
      "set it to a whole number, such as 365",
    );
  }

  /**
   * A key: its text, or the file that holds it. The environment wins over the settings file, and
   * within either the key itself over the file.
   */
  key(
    name: "AUDIT_ENCRYPTION_KEY" | "AUDIT_SIGNING_KEY",
  ): { readonly text: string } | { readonly path: string } | undefined {
    const direct = this.get(name);
    const file = this.get(`${name}_FILE`);
    const isOutdone = file?.source === ENVIRONMENT && direct?.source !== ENVIRONMENT;
    if (direct !== undefined && !isOutdone) return { text: direct.value };
    return file && { path: resolve(file.base, file.value) };
  }

  /** A path. */
  path(name: SettingName): string | undefined {
    const setting = this.get(name);
    return setting && resolve(setting.base, setting.value);
  }
}
