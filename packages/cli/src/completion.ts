// Completion scripts for shells, made from the definitions of the commands.
import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell that a completion script can be made for. */
export type Shell = (typeof SHELLS)[number];

interface Words {
  /** `export`, or `hold place`. */
  readonly path: string;
  readonly summary: string;
  /** Subcommands. */
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly { readonly flag: string; readonly description: string }[];
}

/** The script for a shell to load. */
export function completionScript(program: Command, shell: Shell): string {
  const words = wordsOf(program, "");
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](words);
}

function wordsOf(command: Command, path: string): Words[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const own = {
    path,
    summary: command.summary(),
    commands: commands.map((child) => ({ name: child.name(), summary: child.summary() || child.description() })),
    options: help
      .visibleOptions(command)
      .flatMap(({ long, description }) => (long == null ? [] : [{ flag: long, description }])),
  };
  return [own, ...command.commands.flatMap((child) => wordsOf(child, `${path} ${child.name()}`.trim()))];
}

/** A `case` branch for each command: what can come next. File names are always offered besides. */
function cases(words: readonly Words[]): string {
  return words
    .map(({ path, commands, options }) => {
      const next = [...commands.map(({ name }) => name), ...options.map(({ flag }) => flag)].join(" ");
      return `    ${JSON.stringify(path)}) next=${JSON.stringify(next)} ;;`;
    })
    .join("\n");
}

/** Words that lead to another command: the path so far is made of them alone. */
function paths(words: readonly Words[]): string {
  return words
    .filter(({ path }) => path !== "")
    .map(({ path }) => JSON.stringify(path))
    .join("|");
}

function bashScript(words: readonly Words[]): string {
  return `# ai-audit completion bash >> ~/.bashrc\n${bashFunction(words)}`;
}

function bashFunction(words: readonly Words[]): string {
  return `_ai_audit() {
  local typed="" word next=""
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    case "\${typed:+$typed }$word" in
    ${paths(words)}) typed="\${typed:+$typed }$word" ;;
    esac
  done
  case "$typed" in
${cases(words)}
  esac
  COMPREPLY=($(compgen -W "$next" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _ai_audit ai-audit
`;
}

/** zsh runs bash's completions; `words` and `path` are special there, hence other names. */
function zshScript(words: readonly Words[]): string {
  return `# ai-audit completion zsh >> ~/.zshrc
autoload -U +X compinit && compinit
autoload -U +X bashcompinit && bashcompinit
${bashFunction(words)}`;
}

function fishScript(words: readonly Words[]): string {
  const lines = words.flatMap(({ path, commands, options }) => {
    const condition = path === "" ? "__fish_use_subcommand" : conditionOf(path);
    return [
      ...commands.map(
        ({ name, summary }) => `complete -c ai-audit -n ${quote(condition)} -a ${quote(name)} -d ${quote(summary)}`,
      ),
      ...options.map(
        ({ flag, description }) =>
          `complete -c ai-audit -n ${quote(condition)} -l ${quote(flag.slice(2))} -d ${quote(description)}`,
      ),
    ];
  });
  return `# ai-audit completion fish > ~/.config/fish/completions/ai-audit.fish\n${lines.join("\n")}\n`;
}

function conditionOf(path: string): string {
  return path
    .split(" ")
    .map((name) => `__fish_seen_subcommand_from ${name}`)
    .join("; and ");
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
