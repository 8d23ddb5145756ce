// Completion scripts for shells, made from the definitions of the commands.
import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell that a completion script can be made for. */
export type Shell = (typeof SHELLS)[number];

/** Builds the program with every command defined in full. */
export type WholeProgram = () => Promise<Command>;

interface OptionWords {
  /** `-f` and `--format`, or one of them. */
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  /** Accepted values; empty if it takes any value, or none. */
  readonly choices: readonly string[];
}

interface Words {
  /** `export`, or `hold place`. */
  readonly path: string;
  readonly summary: string;
  /** Subcommands. */
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  /** Values that its arguments can have. */
  readonly choices: readonly string[];
  readonly options: readonly OptionWords[];
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
    commands: commands.map((child) => ({
      name: child.name(),
      summary: child.summary() || child.description(),
    })),
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    options: help
      .visibleOptions(command)
      .map(({ short, long, description, required, optional, argChoices }) => ({
        flags: [short, long].filter((flag) => flag !== undefined && flag !== null),
        description,
        takesValue: required || optional,
        choices: argChoices ?? [],
      })),
  };
  return [
    own,
    ...command.commands.flatMap((child) => wordsOf(child, `${path} ${child.name()}`.trim())),
  ];
}

/**
 * A `case` branch for each command, with the words that can follow. File names if there are none.
 */
function cases(words: readonly Words[]): string {
  return words
    .map(({ path, commands, choices, options }) => {
      const long = options.flatMap(({ flags }) => flags.at(-1) ?? []);
      const next = [...commands.map(({ name }) => name), ...choices, ...long].join(" ");
      return `    ${JSON.stringify(path)}) next=${JSON.stringify(next)} ;;`;
    })
    .join("\n");
}

/**
 * A `case` branch for each option that takes a value, with the accepted values. Any value if there
 * are none.
 */
function valueCases(words: readonly Words[]): string {
  return words
    .flatMap(({ path, options }) =>
      options
        .filter(({ takesValue }) => takesValue)
        .map(({ flags, choices }) => {
          const patterns = flags.map((flag) => JSON.stringify(`${path} ${flag}`)).join("|");
          return `    ${patterns}) next=${JSON.stringify(choices.join(" "))} ;;`;
        }),
    )
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

/** The word before the cursor's decides: bash takes `--format=csv` for three words, zsh for one. */
function bashFunction(words: readonly Words[]): string {
  return `_ai_audit() {
  local typed="" word next="" lead="" current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    case "\${typed:+$typed }$word" in
    ${paths(words)}) typed="\${typed:+$typed }$word" ;;
    esac
  done
  if [[ "$current" == "=" ]]; then
    current=""
  elif [[ "$before" == "=" ]]; then
    before="\${COMP_WORDS[COMP_CWORD-2]}"
  elif [[ "$current" == --*=* ]]; then
    before="\${current%%=*}" lead="\${current%%=*}=" current="\${current#*=}"
  fi
  case "$typed" in
${cases(words)}
  esac
  case "$typed $before" in
${valueCases(words)}
  esac
  COMPREPLY=($(compgen -P "$lead" -W "$next" -- "$current"))
}
complete -o default -F _ai_audit ai-audit
`;
}

/** zsh runs bash's completions; `words` and `path` are special there, hence other names. */
function zshScript(words: readonly Words[]): string {
  return `# ai-audit completion zsh >> ~/.zshrc
(( $+functions[compdef] )) || { autoload -U +X compinit && compinit; }
autoload -U +X bashcompinit && bashcompinit
${bashFunction(words)}`;
}

function fishScript(words: readonly Words[]): string {
  const lines = words.flatMap(({ path, commands, choices, options }) => {
    const line = `complete -c ai-audit -n ${quote(path === "" ? "__fish_use_subcommand" : conditionOf(path))}`;
    return [
      ...commands.map(({ name, summary }) => `${line} -a ${quote(name)} -d ${quote(summary)}`),
      ...(choices.length > 0 ? [`${line} -f -a ${quote(choices.join(" "))}`] : []),
      ...options.map((option) => `${line} ${fishOption(option)}`),
    ];
  });
  return `# ai-audit completion fish > ~/.config/fish/completions/ai-audit.fish\n${lines.join("\n")}\n`;
}

/** `-r`: a value follows; `-x`: the value is not a file. */
function fishOption({ flags, description, takesValue, choices }: OptionWords): string {
  const names = flags.map((flag) =>
    flag.startsWith("--") ? `-l ${quote(flag.slice(2))}` : `-s ${quote(flag.slice(1))}`,
  );
  const value =
    choices.length > 0 ? ["-x", "-a", quote(choices.join(" "))] : takesValue ? ["-r"] : [];
  return [...names, ...value, "-d", quote(description)].join(" ");
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
