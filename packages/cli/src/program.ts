// The command line, as commander parses it.
import { Command, Option } from "commander";
import { COMMANDS } from "./registry.ts";
import type { Session } from "./session.ts";
import { VERSION } from "./version.ts";

/**
 * The program with all its commands.
 * @param words the command line: only commands named in it are defined in full. `"all"` defines
 * every command.
 */
export async function buildProgram(
  session: Session,
  words: readonly string[] | "all",
): Promise<Command> {
  const program = new Command("ai-audit")
    .description("Reads, verifies and keeps the audit log of an LLM application.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .exitOverride()
    .configureOutput({ writeErr: () => undefined }) // run() reports
    .showSuggestionAfterError(true)
    .addHelpText("after", FOOTER)
    .hook("preAction", (_, command) => {
      const isMachine = command.opts()["json"] === true || session.env["TERM"] === "dumb";
      session.showsProgress = session.log.isTerminal && !isMachine;
    });
  for (const { name, summary, group, load } of COMMANDS) {
    const command = program.command(name).summary(summary).helpGroup(group);
    if (words !== "all" && !words.includes(name)) continue;
    (await load()).define(command, session, () => buildProgram(session, "all"));
    finish(command);
  }
  return program;
}

/** Adds the options of every command: help and --json. */
function finish(command: Command): void {
  command.helpOption("-h, --help", "print help").helpCommand(false);
  if (command.commands.length > 0) for (const child of command.commands) finish(child);
  else command.addOption(new Option("--json", "print JSON, for machines"));
}

const FOOTER = `
LOCATION is the directory of a log, or s3://bucket/prefix. Default: AUDIT_LOG, or else ./audit-logs.
Exit codes: verify and check give 0 proven, 1 altered, 2 not proven, 3 not verifiable. Elsewhere 0 is success and 1
means that nothing was found. 64 wrong arguments, 65 malformed data, 66 missing, 73 cannot create, 74 I/O, 77 no
permission, 78 wrong key or setting.`;
