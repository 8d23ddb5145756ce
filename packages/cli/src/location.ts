// Where the log is.
import { readdirSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { Argument, type Command, Option } from "commander";
import { EXIT, type ExitCode, Failure, systemFailure } from "./failure.ts";
import type { Settings } from "./settings.ts";

const DEFAULT_LOCATION = "./audit-logs";

/** Gives a command the argument LOCATION. */
export function addLocationArgument(command: Command): Command {
  return command.addArgument(new Argument("[location]", "directory of the log"));
}

/** Gives a command whose argument is something else the option --log LOCATION. */
export function addLogOption(command: Command): Command {
  return command.addOption(new Option("--log <location>", "directory of the log"));
}

/**
 * The absolute path of a log that can be read: the directory given, or that of AUDIT_LOG, or `./audit-logs`.
 *
 * @throws {Failure} saying what is there instead
 */
export function resolveLocation(given: string | undefined, settings: Settings): string {
  const path = placeOf(given, settings);
  const hint =
    given === undefined
      ? "give the log's directory, or set AUDIT_LOG"
      : "give the directory that the application logs to";
  if (given?.startsWith("s3://")) throw new Failure(EXIT.usage, `only directories can be read: ${given}`, hint);
  let names: string[];
  try {
    if (!statSync(path).isDirectory()) throw new Failure(EXIT.missing, `not a directory: ${path}`, hint);
    names = readdirSync(path);
  } catch (error) {
    const failure = systemFailure(error);
    if (failure === undefined) throw error;
    const [code, what]: [ExitCode, string] =
      failure.exitCode === EXIT.missing ? [EXIT.missing, "no log there"] : [failure.exitCode, "cannot be read"];
    throw new Failure(code, `${what}: ${path}`, failure.exitCode === EXIT.missing ? hint : failure.hint, {
      cause: error,
    });
  }
  if (!names.some((name) => name.endsWith(".jsonl"))) {
    throw new Failure(EXIT.missing, `no log there, not one .jsonl file: ${path}`, hint);
  }
  return path;
}

/** The absolute path of a log that need not exist yet. */
export function placeOf(given: string | undefined, settings: Settings): string {
  return given === undefined ? (settings.path("AUDIT_LOG") ?? resolve(DEFAULT_LOCATION)) : resolve(given);
}
