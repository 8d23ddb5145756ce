// One run: from the words typed to the exit code.
import { type Command, CommanderError } from "commander";
import { EXIT, type ExitCode, Failure, systemFailure } from "./failure.ts";
import { Output } from "./output/output.ts";
import { buildProgram } from "./program.ts";
import { serviceFailure } from "./service-failure.ts";
import type { Session } from "./session.ts";

/** Runs the command line. Resolves to the process's exit code; never rejects. */
export async function run(words: readonly string[]): Promise<number> {
  const log = new Output(process.stderr, 2);
  const session: Session = {
    env: process.env,
    now: () => new Date(),
    out: new Output(process.stdout, 1, log),
    log,
    stdin: process.stdin,
    showsProgress: false,
    exitCode: EXIT.ok,
  };
  let program: Command | undefined;
  try {
    program = await buildProgram(session, words);
    program.configureOutput({ writeOut: (text) => process.stdout.write(text) });
    await program.parseAsync(wordsToParse(words, program), { from: "user" });
    await session.out.flush();
    await session.log.flush();
    return session.exitCode;
  } catch (error) {
    return await report(session, asFailure(error, typedIn(words, program)), error);
  } finally {
    log.overwrite(""); // removes a progress bar that nothing has replaced
  }
}

/** With `--help` commander prints general help for a misspelt command: it is asked without. */
function wordsToParse(words: readonly string[], program: Command): readonly string[] {
  if (words.length === 0) return ["--help"];
  const { command = program, next = "-" } = typedIn(words, program);
  const isMisspelt = command.commands.length > 0 && !next.startsWith("-") && words[0] !== "help";
  return isMisspelt ? words.filter((word) => word !== "-h" && word !== "--help") : words;
}

/** Prints one line with the failure and one with the next step. */
async function report(session: Session, failure: Failure, error: unknown): Promise<ExitCode> {
  if (failure.exitCode === EXIT.ok || failure.exitCode === EXIT.brokenPipe) return failure.exitCode;
  try {
    await session.out.flush(); // results found before the failure
  } catch {
    return failure.exitCode; // the reader has gone
  }
  // Messages repeat words of the command line, which may come from an attacker.
  const { safeText } = await import("@ai-audit/core/format");
  const message = safeText(failure.message);
  await session.log.line(`${session.log.style("red", "error:")} ${message}`);
  if (failure.hint !== undefined) await session.log.line(`  ${safeText(failure.hint)}`);
  if (failure.exitCode === EXIT.internal && session.env["AUDIT_DEBUG"] && error instanceof Error) {
    await session.log.line(error.stack ?? "");
  }
  await session.log.flush();
  return failure.exitCode;
}

/** The commands named by the typed words. */
interface Typed {
  readonly path: string;
  readonly command: Command | undefined;
  /** The first word that is not a command. */
  readonly next: string | undefined;
}

function typedIn(words: readonly string[], program: Command | undefined): Typed {
  let command = program;
  let path = "ai-audit";
  for (const word of words) {
    const child = command?.commands.find((each) => each.name() === word);
    if (child === undefined) return { path, command, next: word === "help" ? words[1] : word };
    command = child;
    path += ` ${word}`;
  }
  return { path, command, next: undefined };
}

function asFailure(error: unknown, typed: Typed): Failure {
  if (error instanceof Failure)
    return error.exitCode === EXIT.io ? (serviceFailure(error) ?? error) : error;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return new Failure(EXIT.ok, "");
    return usageError(error, typed);
  }
  const audit = auditFailure(error);
  if (audit !== undefined) return audit;
  const other =
    systemFailure(error) ?? (error instanceof Error ? serviceFailure(error) : undefined);
  if (other !== undefined) return other;
  const message = error instanceof Error ? error.message : String(error);
  return new Failure(
    EXIT.internal,
    `unexpected: ${message}`,
    "set AUDIT_DEBUG=1 to see where it happened",
  );
}

/** Arguments that commander refuses. The hint names the spelling that it would take. */
function usageError(error: CommanderError, typed: Typed): Failure {
  const { path, command, next } = typed;
  const [message = "", ...more] = error.message.replace(/^error: /, "").split("\n");
  if (error.code === "commander.help")
    return new Failure(EXIT.usage, lacking(typed), seeHelp(path));
  if (error.code === "commander.excessArguments" && next !== undefined) {
    if (command !== undefined && command.commands.length > 0)
      return new Failure(EXIT.usage, lacking(typed), seeHelp(path));
    return new Failure(EXIT.usage, message, `usage: ${path} ${command?.usage() ?? ""}`);
  }
  if (message.startsWith("unknown option '--log'"))
    return new Failure(
      EXIT.usage,
      message,
      `the location is the last argument: ${path} ${command?.usage() ?? ""}`,
    );
  return new Failure(EXIT.usage, message, more.join(" ").replaceAll(/[()]/g, "") || seeHelp(path));
}

function seeHelp(path: string): string {
  return `see: ${path} --help`;
}

/** No command of a group was named, or help was asked for on an unknown one. */
function lacking({ path, command, next }: Typed): string {
  if (next !== undefined) return `unknown command '${next}'`;
  return `${path} needs one of: ${command?.commands.map((each) => each.name()).join(", ") ?? ""}`;
}

/** An `AuditError`, known by its code, without loading the library for it. */
function auditFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string")
    return undefined;
  if (!error.code.startsWith("AUDIT_")) return undefined;
  const system = systemFailure(error.cause) ?? serviceFailure(error);
  if (system !== undefined) return system;
  const [exitCode, hint] = AUDIT_ERRORS[error.code] ?? [EXIT.data];
  return new Failure(exitCode, error.message, hint, { cause: error });
}

const AUDIT_ERRORS: Readonly<Partial<Record<string, readonly [ExitCode, string?]>>> = {
  AUDIT_CONFIG_INVALID: [EXIT.config],
  AUDIT_KEY_INVALID: [
    EXIT.config,
    "`ai-audit init` makes keys, `ai-audit keys export` prints the verification key",
  ],
  AUDIT_KEY_MISSING: [EXIT.config, "put the key into AUDIT_ENCRYPTION_KEY"],
  AUDIT_INPUT_INVALID: [EXIT.usage],
  AUDIT_ANCHOR_REFUSED: [1],
  AUDIT_READ_FAILED: [EXIT.io],
  AUDIT_WRITE_FAILED: [EXIT.io],
};
