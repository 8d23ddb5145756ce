// The location of the log.
import { readdirSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { Argument, type Command } from "commander";
import { EXIT, type ExitCode, Failure, systemFailure } from "../failure.ts";
import type { Settings } from "../settings/settings.ts";

const DEFAULT_LOCATION = "./audit-logs";

/** Gives a command the argument LOCATION: always the last one. */
export function addLocationArgument(command: Command): Command {
  return command.addArgument(
    new Argument("[location]", "directory of the log, or s3://bucket/prefix"),
  );
}

/** Whether a location is in a bucket. */
export function isBucket(location: string): boolean {
  return location.startsWith("s3://");
}

/**
 * The location of an existing log: the argument, or AUDIT_LOG, or `./audit-logs`. Directories are
 * absolute and are checked; a bucket is contacted only at the first read.
 *
 * @throws {Failure} that names the thing found instead
 */
export function resolveLocation(given: string | undefined, settings: Settings): string {
  const location = placeOf(given, settings);
  if (isBucket(location)) {
    if (/^s3:\/\/[^/]+/.test(location)) return location;
    throw new Failure(EXIT.usage, `no bucket is named: ${location}`, "such as s3://bucket/prefix");
  }
  checkDirectory(location, given === undefined);
  return location;
}

/** As `resolveLocation()`, for commands that need a directory. */
export function resolveDirectory(
  given: string | undefined,
  settings: Settings,
  what: string,
): string {
  const location = resolveLocation(given, settings);
  if (!isBucket(location)) return location;
  throw new Failure(EXIT.usage, `${what} works on a directory, not on a bucket: ${location}`);
}

function checkDirectory(path: string, isDefault: boolean): void {
  const hint = isDefault
    ? "give the log's directory, or set AUDIT_LOG"
    : "give the directory that the application logs to";
  let names: string[];
  try {
    if (!statSync(path).isDirectory())
      throw new Failure(EXIT.missing, `not a directory: ${path}`, hint);
    names = readdirSync(path);
  } catch (error) {
    const failure = systemFailure(error);
    if (failure === undefined) throw error;
    const [code, what]: [ExitCode, string] =
      failure.exitCode === EXIT.missing
        ? [EXIT.missing, "no log there"]
        : [failure.exitCode, "cannot be read"];
    throw new Failure(
      code,
      `${what}: ${path}`,
      failure.exitCode === EXIT.missing ? hint : failure.hint,
      {
        cause: error,
      },
    );
  }
  if (!names.some((name) => name.endsWith(".jsonl"))) {
    throw new Failure(EXIT.missing, `no log there, no .jsonl file: ${path}`, hint);
  }
}

/** The location of a log that need not exist yet. */
export function placeOf(given: string | undefined, settings: Settings): string {
  const own = given ?? settings.get("AUDIT_LOG")?.value;
  if (own !== undefined && isBucket(own)) return own;
  return given === undefined
    ? (settings.path("AUDIT_LOG") ?? resolve(DEFAULT_LOCATION))
    : resolve(given);
}
