// The conditions that entries must meet, and the test of one line.
import type { AuditEntry, Outcome } from "../format/entry.ts";
import { lineToEntry } from "../format/entry-line.ts";
import { actorOf, agentOf, outcomeOf, toolOf } from "./call.ts";
import type { ContentOpener } from "./opened-content.ts";
import { textOf } from "./text-of.ts";

/** Conditions on entries; all given ones must hold. */
export interface FilterConditions {
  readonly provider?: string | undefined;
  /** As requested, or as served. */
  readonly model?: string | undefined;
  readonly operation?: string | undefined;
  readonly tool?: string | undefined;
  readonly agent?: string | undefined;
  /** Id of the actor, or `metadata.user_id`. */
  readonly actor?: string | undefined;
  /** `flagged`: without an outcome, and a safety check was not passed. */
  readonly outcome?: Outcome | "flagged" | undefined;
  /** Entries that did not pass a safety check. */
  readonly flagged?: true | undefined;
  readonly detector?: string | undefined;
  readonly conversation?: string | undefined;
  /** Key ids of one data subject. */
  readonly subjectIds?: readonly string[] | undefined;
  /** Id of the thread of a run. */
  readonly thread?: string | undefined;
  /** Paths and values: `["a.b", "x"]` looks into `a`. */
  readonly metadata?: readonly (readonly [path: string, value: string])[] | undefined;
  /** Text in a content, in upper or lower case. */
  readonly text?: string | undefined;
}

type Condition = (entry: AuditEntry) => boolean;

/** The conditions of a query. */
export class Filter {
  readonly opener: ContentOpener;
  readonly searcher: ContentOpener;
  /** Number of entries that could not be searched for `text`, without the key. */
  unopened = 0;
  readonly #conditions: readonly Condition[];
  /** Texts that the line of a matching entry contains. Other lines are not parsed. */
  readonly #needles: readonly RegExp[];

  /**
   * @param opener opens contents for the reader
   * @param searcher opens contents for `text`
   */
  constructor(conditions: FilterConditions, opener: ContentOpener, searcher: ContentOpener) {
    this.opener = opener;
    this.searcher = searcher;
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
      subjectIds,
      metadata = [],
    } = conditions;
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

  #mentions(entry: AuditEntry, text: string): boolean {
    const { input, output, values } = this.searcher.open(entry);
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
