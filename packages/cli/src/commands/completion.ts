// ai-audit completion: for the shell.
import { Argument, type Command } from "commander";
import { completionScript, type Shell, SHELLS, type WholeProgram } from "../completion/script.ts";
import type { Session } from "../session.ts";

export function define(command: Command, session: Session, wholeProgram: WholeProgram): void {
  command
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .description("Prints a completion script for a shell. Its first line says where to put it.")
    .action(async (shell: Shell, { json }: { readonly json?: true }) => {
      const script = completionScript(await wholeProgram(), shell);
      await (json ? session.out.json({ shell, script }) : session.out.write(script));
    });
}
