// The conditions that entries must meet: options, and the test of one line.
import type { Outcome, TimeRange } from "@ai-audit/core";
import { OUTCOMES } from "@ai-audit/core/format";
import { Filter } from "@ai-audit/core/reading";
import { type Command, Option } from "commander";
import { collectPairs } from "../arguments/values.ts";
import { usageFailure } from "../failure.ts";
import { loadEncryption, loadSubjectKeys } from "../settings/keys.ts";
import { contentOpener, requireOpened } from "./content.ts";
import type { Session } from "../session.ts";
import type { Settings } from "../settings/settings.ts";
import { parseTime, TIME_FORMS } from "../arguments/times.ts";

export interface RangeFlags {
  readonly since?: number;
  readonly until?: number;
}

export interface FilterFlags extends RangeFlags {
  readonly provider?: string;
  readonly model?: string;
  readonly operation?: string;
  readonly tool?: string;
  readonly agent?: string;
  readonly actor?: string;
  readonly outcome?: ShownOutcome;
  readonly flagged?: true;
  readonly detector?: string;
  readonly conversation?: string;
  readonly subject?: string;
  readonly thread?: string;
  readonly metadata?: readonly (readonly [string, string])[];
  readonly text?: string;
  readonly decrypt?: true;
}

/** The values of the column OUTCOME. */
type ShownOutcome = Outcome | "flagged";

const SHOWN_OUTCOMES: readonly ShownOutcome[] = [...OUTCOMES, "flagged"];

/** Gives a command --since and --until. */
export function addRangeOptions(command: Command, session: Session): Command {
  return command
    .addOption(
      new Option(
        "--since <time>",
        `not before: ${TIME_FORMS}; UTC unless a zone is given`,
      ).argParser((text) => parseTime(text, "from", session.now())),
    )
    .addOption(
      new Option("--until <time>", "not after").argParser((text) =>
        parseTime(text, "to", session.now()),
      ),
    );
}

/** Gives a command the options of a query. */
export function addFilterOptions(command: Command, session: Session): Command {
  return addRangeOptions(command, session)
    .option("--provider <name>", "of this provider")
    .option("--model <name>", "asking for this model, or served by it")
    .option("--operation <name>", "of this kind: chat, embeddings, execute_tool, human_review …")
    .option("--tool <name>", "calling this tool")
    .option("--agent <name>", "made by this agent")
    .option("--actor <id>", "by this actor, or with this metadata.user_id")
    .addOption(
      new Option(
        "--outcome <outcome>",
        "that ended like this; flagged: without an outcome, and a safety check was not passed",
      ).choices(SHOWN_OUTCOMES),
    )
    .option("--flagged", "that did not pass a safety check")
    .option("--detector <name>", "that triggered this detector")
    .option("--conversation <id>", "of this conversation")
    .option(
      "--subject <name>",
      "about this person; needs AUDIT_SUBJECT_KEYS and the encryption key",
    )
    .option("--thread <id>", "of this thread of a run")
    .addOption(
      new Option(
        "--metadata <key=value>",
        "with this metadata; a.b=x looks into a; repeatable",
      ).argParser(collectPairs),
    )
    .option("--text <text>", "with this text in input or output, in upper or lower case")
    .option("-d, --decrypt", "open encrypted content, with AUDIT_ENCRYPTION_KEY");
}

/** The range of --since and --until. @throws {Failure} when it ends before it begins */
export function rangeOf({ since, until }: RangeFlags): TimeRange {
  if (since !== undefined && until !== undefined && since > until) {
    throw usageFailure("--since is after --until");
  }
  return { ...(since !== undefined && { from: since }), ...(until !== undefined && { to: until }) };
}

/** The conditions of a command line. @throws {Failure} when a key is needed and not set */
export async function filterOf(flags: FilterFlags, settings: Settings): Promise<Filter> {
  const keys =
    flags.subject !== undefined
      ? await loadSubjectKeys(settings)
      : flags.decrypt && (await loadEncryption(settings));
  const subjectIds =
    flags.subject === undefined ? undefined : await keys?.subjectIds(flags.subject);
  const opening = flags.decrypt && keys;
  return new Filter({ ...flags, subjectIds }, contentOpener(opening), contentOpener(opening));
}

/** Ends a command whose keys did not open every content: see `requireOpened()`. */
export function requireSearched({ searcher, opener }: Filter): void {
  requireOpened(searcher);
  requireOpened(opener);
}
