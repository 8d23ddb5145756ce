// A query: the entries that a caller asks for.
import type { AuditEntry, Outcome } from "../format/entry.ts";
import { AuditInputError } from "../errors.ts";
import { anything, callback, flag, optionsOf } from "../options.ts";
import type { TimeRange } from "../storage/storage.ts";

/** Conditions on an entry's fields; all given ones must hold. */
export interface EntryFilter {
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly safetyPassed?: boolean | undefined;
  readonly conversationId?: string | undefined;
  /** The person's name as given to `log()`. */
  readonly subject?: string | undefined;
  readonly where?: ((entry: AuditEntry) => boolean) | undefined;
}

/** A time range (both ends inclusive) and conditions. */
export interface EntryQuery extends EntryFilter {
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  /** @default false */
  readonly newestFirst?: boolean | undefined;
}

/** Callers without types may pass anything. */
export function isValidDate(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

const checkConditions: (given: unknown) => void = optionsOf<EntryQuery>(
  "query",
  {
    provider: anything,
    model: anything,
    outcome: anything,
    safetyPassed: anything,
    conversationId: anything,
    subject: anything,
    where: callback,
    from: anything,
    to: anything,
    newestFirst: flag,
  },
  { what: "condition", Failure: AuditInputError },
);

/**
 * Throws `AUDIT_INPUT_INVALID` for an invalid `Date`, for a range that ends before it begins, and
 * for an unknown condition: a misspelt one would match everything.
 */
export function rangeOf(query: EntryQuery): TimeRange {
  checkConditions(query);
  const { from, to } = query;
  for (const [name, date] of Object.entries({ from, to })) {
    if (date !== undefined && !isValidDate(date)) {
      throw new AuditInputError(`${name} is not a valid Date`);
    }
  }
  if (from && to && from > to) {
    throw new AuditInputError(`from (${from.toISOString()}) is after to (${to.toISOString()})`);
  }
  return { ...(from && { from: from.getTime() }), ...(to && { to: to.getTime() }) };
}

/** True when the query has a condition beyond its time range. */
export function hasConditions({
  from: _from,
  to: _to,
  newestFirst: _order,
  ...filter
}: EntryQuery): boolean {
  return Object.values(filter).some((condition) => condition !== undefined);
}

/**
 * Whether an entry meets the conditions. `subjectIds` are the key ids that stand for
 * `filter.subject`.
 */
export function meets(
  entry: AuditEntry,
  filter: EntryFilter,
  subjectIds: readonly string[],
): boolean {
  const { provider, model, outcome, safetyPassed, conversationId, subject, where } = filter;
  return (
    (provider === undefined || entry.provider === provider) &&
    (model === undefined || entry.model === model) &&
    (outcome === undefined || entry.outcome === outcome) &&
    (safetyPassed === undefined || entry.safetyPassed === safetyPassed) &&
    (conversationId === undefined || entry.conversationId === conversationId) &&
    (subject === undefined ||
      (entry.subject !== undefined && subjectIds.includes(entry.subject))) &&
    (where === undefined || where(entry))
  );
}
