// Verifying a log with the keys and pins of the command line: what `verify` and `pin` share.
import { verifyLog } from "@ai-audit/core";
import { type Command, Option } from "commander";
import { collect } from "../arguments/values.ts";
import { EXIT, Failure } from "../failure.ts";
import { type JudgedVerification, judgeSince } from "./judge-since.ts";
import { trustedKeys } from "../settings/keys.ts";
import { resolveLocation } from "../log/location.ts";
import { Progress } from "../output/progress.ts";
import { readPins } from "./pins.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { s3Connection } from "../log/storage.ts";

export interface VerificationFlags {
  readonly trust: readonly string[];
  readonly pin: readonly string[];
  readonly lastSignature?: true;
  /** Milliseconds since the epoch: see `judgeSince()`. */
  readonly since?: number;
}

/** Gives a command the option --trust. */
export function addTrustOption(command: Command): Command {
  return command.addOption(
    new Option("-t, --trust <vkey>", "a verification key of those who may have signed; repeatable")
      .default([], "AUDIT_TRUSTED_KEYS")
      .argParser(collect),
  );
}

/** Gives a command the options of `verifyLocation()`. */
export function addVerificationOptions(command: Command): Command {
  return addTrustOption(command)
    .addOption(
      new Option("-p, --pin <file>", "pins: states of the log noted earlier; repeatable")
        .default([], "AUDIT_PINS")
        .argParser(collect),
    )
    .option(
      "--last-signature",
      "of each file check the last signature only, which is faster and covers all lines too",
    );
}

/**
 * Verifies the log at a location.
 *
 * @throws {Failure} with exit code 3 when there is nothing to verify: that is a verdict, not an error of usage
 */
export async function verifyLocation(
  given: string | undefined,
  flags: VerificationFlags,
  session: Session,
): Promise<JudgedVerification> {
  const settings = Settings.load(session.env);
  const location = locate(given, settings);
  let current = "";
  const progress = new Progress(session, "verifying", () => current);
  const ownPins = settings.path("AUDIT_PINS");
  const isOfSetting = flags.pin.length === 0 && ownPins !== undefined;
  const pinFiles = isOfSetting ? [ownPins] : flags.pin;
  try {
    const pins = pinFiles.flatMap((path) => readPins({ path, isOfSetting }));
    const signatures = flags.lastSignature ? "last" : "all";
    const result = await verifyLog(location, {
      trustedKeys: trustedKeys(flags.trust, settings, location),
      pins,
      s3: s3Connection(settings),
      signatures,
      now: session.now(),
      onProgress: ({ bytesRead, totalBytes, file }) => {
        current = file;
        progress.update(totalBytes === 0 ? 1 : bytesRead / totalBytes);
      },
    });
    return flags.since === undefined
      ? result
      : judgeSince(result, { since: flags.since, pins, signatures });
  } finally {
    progress.clear();
  }
}

function locate(given: string | undefined, settings: Settings): string {
  try {
    return resolveLocation(given, settings);
  } catch (error) {
    if (!(error instanceof Failure) || error.exitCode === EXIT.usage) throw error;
    throw new Failure(EXIT.notVerified, error.message, error.hint, { cause: error });
  }
}
