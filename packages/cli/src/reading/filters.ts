// The conditions that entries must meet: options, and the test of one line.
import type { AuditEntry, EncryptionManager, Outcome, TimeRange } from "@ai-audit/core";
import { lineToEntry, OUTCOMES } from "@ai-audit/core/format";
import { type Command, Option } from "commander";
import { collectPairs } from "../arguments/values.ts";
import { actorOf, agentOf, toolOf } from "@ai-audit/viewer/figures";
import { outcomeOf } from "./entry-table.ts";
import { usageFailure } from "../failure.ts";
import { loadEncryption, loadSubjectKeys } from "../settings/keys.ts";
import { ContentOpener } from "./opened-content.ts";
import type { Session } from "../session.ts";
import type { Settings } from "../settings/settings.ts";
import { textOf } from "./text-of.ts";
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

type Condition = (entry: AuditEntry) => boolean;

/** The conditions of a query. */
export class Filter {
  /** Opens contents for printing; with keys only under --decrypt. */
  readonly opener: ContentOpener;
  /** The same for --text. */
  readonly #searcher: ContentOpener;
  /** Number of entries that --text could not search, without the key. */
  unopened = 0;
  readonly #conditions: readonly Condition[];
  /** Texts that the line of a matching entry contains. Other lines are not parsed. */
  readonly #needles: readonly RegExp[];

  private constructor(
    flags: FilterFlags,
    encryption: EncryptionManager | undefined,
    subjectIds: readonly string[] | undefined,
  ) {
    this.opener = new ContentOpener(encryption);
    this.#searcher = new ContentOpener(encryption);
    const {
      provider,
      model,
      operation,
      tool,
      agent,
      actor,
      outcome,
      flagged,
      detector,
      conversation,
      thread,
      text,
      metadata = [],
    } = flags;
    this.#conditions = [
      ...when(provider, (entry) => entry.provider === provider),
      ...when(model, (entry) => entry.model === model || entry.responseModel === model),
      ...when(operation, (entry) => entry.operation === operation),
      ...when(tool, (entry) => toolOf(entry) === tool),
      ...when(agent, (entry) => agentOf(entry) === agent),
      ...when(actor, (entry) => actorOf(entry) === actor),
      ...when(outcome, (entry) => outcomeOf(entry) === outcome),
      ...when(flagged, (entry) => !entry.safetyPassed),
      ...when(detector, (entry) => entry.detectorsTriggered.includes(detector ?? "")),
      ...when(conversation, (entry) => entry.conversationId === conversation),
      ...when(
        subjectIds,
        (entry) => entry.subject !== undefined && subjectIds?.includes(entry.subject) === true,
      ),
      ...when(thread, (entry) => entry.run?.threadId === thread),
      ...metadata.map<Condition>(
        ([path, value]) =>
          (entry) =>
            hasValue(entry.metadata, path.split("."), value),
      ),
      ...when(text, (entry) => this.#mentions(entry, text ?? "")),
    ];
    this.#needles = [
      ...[provider, model, operation, tool, agent, actor, detector, conversation, thread].flatMap(
        needleOf,
      ),
      ...(outcome === "flagged" ? [] : needleOf(outcome)), // not a value in the log
      // Python's json writes a space here.
      ...(flagged || outcome === "flagged" ? [/"safety_passed": ?false/] : []),
    ];
  }

  /** @throws {Failure} when a key is needed and not set */
  static async of(flags: FilterFlags, settings: Settings): Promise<Filter> {
    if (flags.subject !== undefined) {
      const keys = await loadSubjectKeys(settings);
      return new Filter(flags, flags.decrypt && keys, await keys.subjectIds(flags.subject));
    }
    return new Filter(flags, flags.decrypt && (await loadEncryption(settings)), undefined);
  }

  /** The line's entry, if it meets every condition. */
  entryOf(line: string): AuditEntry | undefined {
    if (!this.#needles.every((needle) => needle.test(line))) return undefined;
    const entry = lineToEntry(line);
    return entry !== undefined && this.meets(entry) ? entry : undefined;
  }

  /** Whether an entry meets every condition. */
  meets(entry: AuditEntry): boolean {
    return this.#conditions.every((condition) => condition(entry));
  }

  /** True without any condition. */
  get isEmpty(): boolean {
    return this.#conditions.length === 0;
  }

  /** Ends a command: see `ContentOpener.check()`. */
  check(): void {
    this.#searcher.check();
    this.opener.check();
  }

  #mentions(entry: AuditEntry, text: string): boolean {
    const { input, output, values } = this.#searcher.open(entry);
    if (input.state === "sealed" || output.state === "sealed") this.unopened += 1;
    const wanted = text.toLowerCase();
    return Object.values(values).some((value) => textOf(value).toLowerCase().includes(wanted));
  }
}

/** The condition, if its option was given. */
function when(given: unknown, condition: Condition): Condition[] {
  return given === undefined ? [] : [condition];
}

/** A value's JSON, if all JSON writers spell it alike. */
function needleOf(value: string | undefined): RegExp[] {
  if (value === undefined || !/^[ !#-.0-[\]-~]*$/.test(value)) return [];
  return [new RegExp(`"${value.replaceAll(/[.*+?^${}()|[\]]/g, String.raw`\$&`)}"`)];
}

function hasValue(value: unknown, path: readonly string[], wanted: string): boolean {
  const [key, ...rest] = path;
  if (key === undefined)
    return (typeof value === "string" ? value : JSON.stringify(value)) === wanted;
  return (
    typeof value === "object" &&
    value !== null &&
    Object.entries(value).some(([name, member]) => name === key && hasValue(member, rest, wanted))
  );
}
