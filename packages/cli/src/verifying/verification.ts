// Verifies a log with the keys, pins and rules of the command line, for `verify` and `pin`.
import { type AnchorToVerify, type Verification, verifyLog } from "@ai-audit/core/verify";
import { type Command, Option } from "commander";
import { parseDuration } from "../arguments/times.ts";
import { collect, parseDays } from "../arguments/values.ts";
import { EXIT, Failure, usageFailure } from "../failure.ts";
import { resolveLocation } from "../log/location.ts";
import { s3Connection } from "../log/storage.ts";
import { Progress } from "../output/progress.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { addPartyOptions, anchorsAt, type PartyFlags } from "./anchors.ts";
import { readPins } from "./pins.ts";
import { findTrust, type Trust } from "./trust.ts";

export interface VerificationFlags extends PartyFlags {
  readonly trust: readonly string[];
  readonly pin: readonly string[];
  readonly anchor: readonly string[];
  /** Milliseconds. */
  readonly maxAnchorAge?: number;
  readonly retention?: number;
  readonly archive?: string;
  /** Milliseconds. */
  readonly maxAge?: number;
  readonly eachWriter?: true;
  readonly strict?: true;
  readonly allSignatures?: true;
  readonly withoutVersions?: true;
  /** Milliseconds since the epoch. */
  readonly since?: number;
}

/** Gives a command the option --trust. */
export function addTrustOption(command: Command): Command {
  return command.addOption(
    new Option(
      "-t, --trust <vkey>",
      "a verification key of those who may have signed, or vkey@from..to for one that is trusted for a time; repeatable",
    )
      .default([], "AUDIT_TRUSTED_KEYS")
      .argParser(collect),
  );
}

/** Gives a command the options of `verifyLocation()`. */
export function addVerificationOptions(command: Command): Command {
  const withAnchors = addTrustOption(command)
    .addOption(
      new Option("-p, --pin <file>", "pins: states of the log noted earlier; repeatable")
        .default([], "AUDIT_PINS")
        .argParser(collect),
    )
    .addOption(
      new Option(
        "--anchor <location>",
        "an anchor log of this log: a directory, or s3://bucket/prefix; what it holds counts as pinned; repeatable",
      )
        .default([], "none")
        .argParser(collect),
    );
  return addPartyOptions(withAnchors, "with --anchor: ")
    .option(
      "--max-anchor-age <duration>",
      "with --anchor: one that vouches for nothing newer than this (5m, 2h) is STALE, exit code 2",
      parseDuration,
    )
    .option(
      "--retention <days>",
      "your rule: files must be kept this long after their newest entry, and one removed earlier is MISSING",
      parseDays,
    )
    .option(
      "--archive <location>",
      "read files there that were moved to an archive (s3://bucket/prefix)",
    )
    .option(
      "--max-age <duration>",
      "a log whose newest sealed time is older than this (26h, 7d) is STALE, exit code 2",
      parseDuration,
    )
    .option(
      "--each-writer",
      "with --max-age: each writer that did not end in order, not the log as a whole",
    )
    .option(
      "--strict",
      "a file that its writer found shorter than it remembered counts, exit code 2",
    )
    .option(
      "--without-versions",
      "in a bucket: do not read versions of objects; the verdict says so",
    )
    .option(
      "--all-signatures",
      "check every signature: the last one of each file and all roots cover every line already",
    );
}

/** A verification, and the keys that it rests on. */
export interface VerifiedLocation {
  readonly result: Verification;
  readonly trust: Trust;
}

/**
 * Verifies the log at a location.
 *
 * @throws {Failure} with exit code 3 when there is nothing to verify: that is a verdict, not an
 * error of usage
 */
export async function verifyLocation(
  given: string | undefined,
  flags: VerificationFlags,
  session: Session,
): Promise<VerifiedLocation> {
  const settings = Settings.load(session.env);
  const location = locate(given, settings);
  let current = "";
  const progress = new Progress(session, "verifying", () => current);
  const ownPins = settings.path("AUDIT_PINS");
  const isOfSetting = flags.pin.length === 0 && ownPins !== undefined;
  const pinFiles = isOfSetting ? [ownPins] : flags.pin;
  try {
    const notes = pinFiles.map((path) => readPins({ path, isOfSetting }));
    const trust = findTrust(flags.trust, settings, location);
    const rules = flags.retention === undefined ? [] : [{ days: flags.retention }];
    const result = await verifyLog(location, {
      trustedKeys: trust.keys,
      ...(trust.by !== undefined && { trustedBy: trust.by }),
      pins: notes.flatMap(({ pins }) => pins),
      anchors: anchorsOf(flags),
      ...(flags.maxAnchorAge !== undefined && { maxAnchorAgeMs: flags.maxAnchorAge }),
      // A rule of the command line replaces those of pins.
      retention: rules.length > 0 ? rules : notes.flatMap((note) => note.rules),
      ...(flags.archive !== undefined && { archive: flags.archive }),
      ...(flags.maxAge !== undefined && { maxAgeMs: flags.maxAge }),
      eachWriter: flags.eachWriter ?? false,
      strict: flags.strict ?? false,
      withoutVersions: flags.withoutVersions ?? false,
      ...(flags.since !== undefined && { since: new Date(flags.since) }),
      s3: s3Connection(settings),
      signatures: flags.allSignatures ? "all" : "last",
      now: session.now(),
      onProgress: ({ bytesRead, totalBytes, file }) => {
        current = file;
        progress.update(totalBytes === 0 ? 1 : bytesRead / totalBytes);
      },
    });
    return { result, trust };
  } finally {
    progress.clear();
  }
}

/** The anchor logs of the command line. */
export function anchorsOf(flags: VerificationFlags): AnchorToVerify[] {
  const { anchor, anchorKey, witness, tsa, quorum, maxAnchorAge } = flags;
  const needsAnchor = [anchorKey[0], witness[0], tsa, quorum, maxAnchorAge];
  if (anchor.length === 0 && needsAnchor.some((value) => value !== undefined))
    throw usageFailure("no anchor log is given", "give --anchor LOCATION");
  return anchorsAt(anchor, flags);
}

function locate(given: string | undefined, settings: Settings): string {
  try {
    return resolveLocation(given, settings);
  } catch (error) {
    if (!(error instanceof Failure) || error.exitCode === EXIT.usage) throw error;
    throw new Failure(EXIT.notVerified, error.message, error.hint, { cause: error });
  }
}
