// docs/cli.md from the definitions of the commands: node --conditions=ai-audit-source packages/cli/scripts/reference.ts
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { Output } from "../src/output/output.ts";
import { buildProgram } from "../src/program.ts";
import { SETTINGS, SETTINGS_FILE } from "../src/settings/settings.ts";

/** Where the reference lies. */
export const REFERENCE_PATH: string = fileURLToPath(
  new URL("../../../docs/cli.md", import.meta.url),
);

/** The reference's text. */
export async function reference(): Promise<string> {
  const session = {
    env: {},
    now: () => new Date(0),
    out: new Output(process.stdout, 1),
    log: new Output(process.stderr, 2),
    stdin: process.stdin,
    showsProgress: false,
    exitCode: 0 as const,
  };
  const program = await buildProgram(session, "all");
  const commands = program.commands.flatMap((command) =>
    command.commands.length > 0 ? command.commands : [command],
  );
  return `${INTRODUCTION}
${tableOf(program.commands)}
${SETTINGS_TEXT}
${commands.map(section).join("\n")}`;
}

const INTRODUCTION = `# The \`ai-audit\` command

<!-- Made by packages/cli/scripts/reference.ts from the definitions of the commands. Change those, not this. -->

\`LOCATION\` is the directory of a log, or \`s3://bucket/prefix\` (then the package @aws-sdk/client-s3 is needed); without it \`AUDIT_LOG\` is taken, or else \`./audit-logs\`.
It is the last argument of every command. Every command prints JSON with \`--json\`: one object, or a line for each entry.
Results go to standard output, remarks and progress to standard error. Colours show on a terminal unless \`NO_COLOR\` is set.
Times without a zone are UTC. Control characters in text from the log are spelled out on a terminal, so that
nothing that a user or a model wrote can steer it.

## Exit codes

| code | meaning |
|---|---|
| 0 | success; \`verify\`, \`pin\` and \`check\`: proven by a key that was given |
| 1 | nothing was found, or \`doctor\` found something wrong; \`verify\`, \`pin\` and \`check\`: **altered** or incomplete |
| 2 | \`verify\`, \`pin\` and \`check\` only: nothing wrong was found, and it is not proven (docs/format.md says by which states) |
| 3 | \`verify\`, \`pin\` and \`check\` only: they could not do their work |
| 64 | wrong arguments |
| 65 | a file is not what it should be |
| 66 | a location or file does not exist |
| 69 | a service does not answer |
| 70 | a mistake in this program; \`AUDIT_DEBUG=1\` shows where |
| 73 | a file cannot be made, or exists already |
| 74 | reading or writing failed |
| 77 | the operating system refused |
| 78 | a key or a setting is missing or wrong |
| 141 | the reader of the output has gone |

The codes from 64 on are those of sysexits.h: no failure is ever taken for a verdict.

## Commands
`;

const SETTINGS_TEXT = `## Settings

Environment variables, or lines of \`${SETTINGS_FILE}\` in the working directory (or of the file that \`AUDIT_CONFIG\` names). The
environment wins. \`ai-audit init\` writes that file. Trusted keys from a settings file that lies in the log itself are refused:
anybody who can change the log could change it too.

| setting | for |
|---|---|
${Object.entries(SETTINGS)
  .map(([name, purpose]) => `| \`${name}\` | ${purpose} |`)
  .join("\n")}
`;

function tableOf(commands: readonly Command[]): string {
  const rows = commands.map((command) => {
    const [first = command] = command.commands.length > 0 ? command.commands : [command];
    return `| [\`${command.name()}\`](#${anchor(pathOf(first))}) | ${command.summary()} |`;
  });
  return `| command | to |\n|---|---|\n${rows.join("\n")}\n`;
}

function section(command: Command): string {
  const help = command.createHelp();
  const args = help.visibleArguments(command);
  const rows = [
    ...args.map((argument) => [help.argumentTerm(argument), help.argumentDescription(argument)]),
    ...help
      .visibleOptions(command)
      .map((option) => [help.optionTerm(option), help.optionDescription(option)]),
  ];
  const usage = `${pathOf(command)} ${command.usage()}`;
  return `## ${pathOf(command)}

    ${usage}

${command.description()}

| | |
|---|---|
${rows.map(([term = "", text = ""]) => `| \`${term}\` | ${text.replaceAll("|", "\\|")} |`).join("\n")}
`;
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function anchor(title: string): string {
  return title.replaceAll(" ", "-");
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await writeFile(REFERENCE_PATH, await reference());
