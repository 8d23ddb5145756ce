// A response or a run that is fetched again reports its usage again: it is linked to the entry that
// has it already.
import { type CapturedFields, RecentMap } from "@ai-audit/core/capture";

interface Reported {
  /** The entry's id once it is written; undefined when it could not be. */
  readonly entry: Promise<string | undefined>;
  readonly terminal: boolean;
}

/** Polling happens soon after the call, so the oldest can be dropped. */
const MAX_REPORTED = 1000;

/** Operations that report a response or a run. */
const REPORTING = /^(?:responses|threads\.(?:runs\..+|create_and_run))/;

/** Those that fetch an existing one; all others are separate calls. */
const ASKING = /^(?:responses|threads\.runs)\.(?:retrieve|cancel)$/;

const PENDING: ReadonlySet<string> = new Set([
  "queued",
  "in_progress",
  "requires_action",
  "cancelling",
]);

/**
 * Entries by the id of the response or run that they report. The first one with its final state
 * counts.
 */
export class ReportedResponses {
  readonly #byId = new RecentMap<string, Reported>(MAX_REPORTED);

  /** The entry that already recorded this response, in the same or a later state. */
  known(operation: string, fields: CapturedFields): Promise<string | undefined> | undefined {
    const id = reportedId(operation, fields);
    if (id === undefined || !ASKING.test(operation)) return undefined;
    const before = this.#byId.get(id);
    return before && (before.terminal || !isTerminal(fields)) ? before.entry : undefined;
  }

  /** An entry is being written. */
  note(operation: string, fields: CapturedFields, written: Promise<string | undefined>): void {
    const id = reportedId(operation, fields);
    if (id === undefined) return;
    const terminal = isTerminal(fields);
    const before = this.#byId.get(id);
    if (before && ASKING.test(operation) && (before.terminal || !terminal)) return;
    this.#byId.set(id, { entry: written.catch(() => undefined), terminal }); // the writer is told
  }
}

function reportedId(
  operation: string,
  { responseId, finishReasons }: CapturedFields,
): string | undefined {
  return responseId !== undefined && finishReasons?.length && REPORTING.test(operation)
    ? responseId
    : undefined;
}

function isTerminal({ finishReasons = [] }: CapturedFields): boolean {
  return finishReasons.every((reason) => !PENDING.has(reason));
}
