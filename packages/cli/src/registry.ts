// Every command's name and summary. A command's module is loaded when it is used, for a short
// start.
import type { Command } from "commander";
import type { WholeProgram } from "./completion/script.ts";
import type { Session } from "./session.ts";

/** The export of a command's module: it adds arguments, options and the action to a command. */
export interface CommandModule {
  readonly define: (command: Command, session: Session, wholeProgram: WholeProgram) => void;
}

/** One command. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Heading in the help. */
  readonly group: "Auditing:" | "Reading:" | "Moving:" | "Keeping:";
  readonly load: () => Promise<CommandModule>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "verify",
    summary: "check that a log is complete and unaltered",
    group: "Auditing:",
    load: () => import("./commands/verify.ts"),
  },
  {
    name: "pin",
    summary: "note the present state of the log, to compare it later",
    group: "Auditing:",
    load: () => import("./commands/pin.ts"),
  },
  {
    name: "anchor",
    summary: "keep signed states of the log beyond its owner's reach",
    group: "Auditing:",
    load: () => import("./commands/anchor.ts"),
  },
  {
    name: "prove",
    summary: "write the proof of one entry",
    group: "Auditing:",
    load: () => import("./commands/prove.ts"),
  },
  {
    name: "check",
    summary: "check the proof of one entry, without the log",
    group: "Auditing:",
    load: () => import("./commands/check.ts"),
  },
  {
    name: "report",
    summary: "report figures, findings, and the requirements that a log speaks for",
    group: "Auditing:",
    load: () => import("./commands/report.ts"),
  },
  {
    name: "list",
    summary: "show the latest entries, or what the log records about itself",
    group: "Reading:",
    load: () => import("./commands/list.ts"),
  },
  {
    name: "show",
    summary: "show one entry in full",
    group: "Reading:",
    load: () => import("./commands/show.ts"),
  },
  {
    name: "query",
    summary: "find entries that meet conditions",
    group: "Reading:",
    load: () => import("./commands/query.ts"),
  },
  {
    name: "tail",
    summary: "show the latest entries, and new ones as they come",
    group: "Reading:",
    load: () => import("./commands/tail.ts"),
  },
  {
    name: "conversation",
    summary: "show a conversation as a transcript",
    group: "Reading:",
    load: () => import("./commands/conversation.ts"),
  },
  {
    name: "run",
    summary: "show one invocation as a tree of calls",
    group: "Reading:",
    load: () => import("./commands/run.ts"),
  },
  {
    name: "reviews",
    summary: "list what waited for a person, and the decisions",
    group: "Reading:",
    load: () => import("./commands/reviews.ts"),
  },
  {
    name: "view",
    summary: "look at the log in a browser",
    group: "Reading:",
    load: () => import("./commands/view.ts"),
  },
  {
    name: "stats",
    summary: "count calls, tokens, errors and blocks by time, model or actor",
    group: "Reading:",
    load: () => import("./commands/stats.ts"),
  },
  {
    name: "sql",
    summary: "query entries in SQL, with DuckDB",
    group: "Reading:",
    load: () => import("./commands/sql.ts"),
  },
  {
    name: "export",
    summary: "write entries for other systems, or as evidence",
    group: "Moving:",
    load: () => import("./commands/export.ts"),
  },
  {
    name: "import",
    summary: "import logs of rotalabs-comply",
    group: "Moving:",
    load: () => import("./commands/import.ts"),
  },
  {
    name: "ship",
    summary: "copy closed segments to an archive now",
    group: "Moving:",
    load: () => import("./commands/ship.ts"),
  },
  {
    name: "export-subject",
    summary: "write all entries of one person, opened",
    group: "Moving:",
    load: () => import("./commands/export-subject.ts"),
  },
  {
    name: "init",
    summary: "make keys and settings for a new log",
    group: "Keeping:",
    load: () => import("./commands/init.ts"),
  },
  {
    name: "doctor",
    summary: "look for problems and name remedies",
    group: "Keeping:",
    load: () => import("./commands/doctor.ts"),
  },
  {
    name: "keys",
    summary: "list, rotate and export keys",
    group: "Keeping:",
    load: () => import("./commands/keys.ts"),
  },
  {
    name: "cleanup",
    summary: "remove files past retention",
    group: "Keeping:",
    load: () => import("./commands/cleanup.ts"),
  },
  {
    name: "hold",
    summary: "keep entries from removal",
    group: "Keeping:",
    load: () => import("./commands/hold.ts"),
  },
  {
    name: "erase-subject",
    summary: "make the content of one person unreadable, permanently",
    group: "Keeping:",
    load: () => import("./commands/erase-subject.ts"),
  },
  {
    name: "completion",
    summary: "print a completion script for a shell",
    group: "Keeping:",
    load: () => import("./commands/completion.ts"),
  },
];
