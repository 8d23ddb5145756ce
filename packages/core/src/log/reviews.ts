// Decisions of people: their entries, and what still waits for one.
import type { OpenRequest } from "../capture/call-sink.ts";
import type { CapturedFields } from "../capture/fields.ts";
import { AuditInputError } from "../errors.ts";
import {
  type Actor,
  type AuditEntry,
  REVIEW_VERDICTS,
  type Review,
  type ReviewVerdict,
} from "../format/entry.ts";
import { lineToEntry } from "../format/entry-line.ts";
import { openContent } from "./content.ts";
import type { ReadableLog } from "./reading.ts";
import { nameOf } from "../capture/payload/read.ts";
import { anything, oneOf, optionsOf, text } from "../options.ts";
import type { AuditStorage } from "../storage/storage.ts";
import { DAY_MS } from "../time.ts";

/** A person's decision, as `AuditLogger.review()` takes it. */
export interface ReviewDecision {
  /** Id of the entry, run or interrupt that was decided on. */
  readonly of: string;
  /** The person; a string is the id of a user. */
  readonly by: Actor | string;
  readonly verdict: ReviewVerdict;
  /** The proposal before and after the decision. */
  readonly before?: unknown;
  readonly after?: unknown;
  /** The content that the person saw when deciding. */
  readonly shown?: unknown;
  readonly reason?: string | undefined;
  /** The role in which the person decided: `credit officer`, say. */
  readonly role?: string | undefined;
}

const checkDecision: (given: unknown) => void = optionsOf<ReviewDecision>(
  "review()",
  {
    of: (value) =>
      typeof value === "string" && value !== ""
        ? undefined
        : "must be the id of the entry, run or interrupt that was decided on",
    by: anything,
    verdict: oneOf(...REVIEW_VERDICTS),
    before: anything,
    after: anything,
    shown: anything,
    reason: text,
    role: text,
  },
  { what: "field", Failure: AuditInputError },
);

/** Days in which a run or an interrupt is looked for. An entry's id leads to it at any age. */
const SEARCH_DAYS = 30;

/**
 * The fields of a decision's entry, joined to the entry that it is about.
 * @throws `AUDIT_INPUT_INVALID` for a decision that cannot be used
 */
export async function reviewFields(
  storage: AuditStorage,
  decision: ReviewDecision,
): Promise<CapturedFields & { readonly input: unknown; readonly output: unknown }> {
  checkDecision(decision);
  const { of, by, verdict, before, after, shown, reason, role } = decision;
  if (of === undefined || by === undefined || verdict === undefined)
    throw new AuditInputError("review(): of, by and verdict are required");
  const actor: Actor = typeof by === "string" ? { id: by, kind: "user" } : by;
  const { found, alerts } = await searchReviewed(storage, of);
  return {
    operation: "human_review",
    outcome: "ok",
    input: given({ before, shown }),
    output: given({ after, reason }),
    actor: role === undefined || actor?.role !== undefined ? actor : { ...actor, role },
    review: { of, verdict, ...(role !== undefined && { role }), ...hashesOf(found, of) },
    safetyChecks: [],
    ...placeOf(found),
    alerts,
  };
}

/** A search that fails must not cost the decision its entry. */
async function searchReviewed(
  storage: AuditStorage,
  of: string,
): Promise<{ readonly found?: AuditEntry; readonly alerts: readonly string[] }> {
  try {
    const found = await findReviewed(storage, of);
    if (found) return { found, alerts: [] };
    return { alerts: [`ai-audit: this id was not found in the last ${SEARCH_DAYS} days`] };
  } catch (error) {
    return { alerts: [`ai-audit: the log could not be searched (${nameOf(error)})`] };
  }
}

function given(parts: Readonly<Record<string, unknown>>): unknown {
  const stated = Object.entries(parts).filter(([, part]) => part !== undefined);
  return stated.length === 0 ? "" : Object.fromEntries(stated);
}

/** The hashes of the very entry that was decided on. */
function hashesOf(entry: AuditEntry | undefined, of: string): Partial<Review> {
  if (entry === undefined || !idsOf(entry).includes(of)) return {};
  return { inputHash: entry.inputHash, outputHash: entry.outputHash };
}

/** A decision belongs to the invocation and conversation of its subject. */
function placeOf(entry: AuditEntry | undefined): CapturedFields {
  if (entry === undefined) return {};
  const { run, conversationId } = entry;
  const { id, rootId, threadId } = run ?? {};
  return {
    ...(conversationId !== null && { conversationId }),
    ...(run !== undefined && {
      run: {
        id: crypto.randomUUID(),
        ...(id !== undefined && { parentId: id }),
        ...(rootId !== undefined && { rootId }),
        ...(threadId !== undefined && { threadId }),
      },
    }),
  };
}

/** The entry of an id, of a run or with an interrupt; else any entry within that run. */
async function findReviewed(storage: AuditStorage, of: string): Promise<AuditEntry | undefined> {
  const line = await storage.get(of);
  if (line !== undefined) return lineToEntry(line);
  const quoted = JSON.stringify(of);
  let within: AuditEntry | undefined;
  const range = { from: Date.now() - SEARCH_DAYS * DAY_MS };
  for await (const page of storage.pages(range, "newest-first")) {
    for (const each of page) {
      if (!each.includes(quoted)) continue; // most lines are not parsed
      const entry = lineToEntry(each);
      if (entry === undefined || entry.review !== undefined) continue;
      if (idsOf(entry).includes(of)) return entry;
      if (entry.run?.parentId === of || entry.run?.rootId === of) within ??= entry;
    }
  }
  return within;
}

/** The ids by which a review can name an entry: its own, its run's, its interrupts'. */
export function idsOf({ id, run, metadata }: AuditEntry): readonly string[] {
  const interrupts = metadata["interrupt_ids"];
  return [
    id,
    ...(run?.id === undefined ? [] : [run.id]),
    ...(Array.isArray(interrupts) ? interrupts.filter((each) => typeof each === "string") : []),
  ];
}

/** The undecided requests of a thread's latest invocation. */
export async function openRequests(log: ReadableLog, threadId: string): Promise<OpenRequest[]> {
  const quoted = JSON.stringify(threadId);
  const decided = new Set<string>();
  const found: AuditEntry[] = [];
  const range = { from: Date.now() - SEARCH_DAYS * DAY_MS };
  for await (const page of log.storage.pages(range, "newest-first")) {
    for (const line of page) {
      if (!line.includes(quoted)) continue;
      const entry = lineToEntry(line);
      if (entry?.run?.threadId !== threadId) continue;
      const [latest] = found;
      if (latest && rootOf(latest) !== rootOf(entry)) return opened(found, log);
      if (entry.review) decided.add(entry.review.of);
      else if (entry.operation === "human_review" && !idsOf(entry).some((id) => decided.has(id)))
        found.push(entry);
    }
  }
  return opened(found, log);
}

function opened(entries: readonly AuditEntry[], log: ReadableLog): OpenRequest[] {
  return entries.map((entry) => ({ entry, input: openContent(entry, log.encryption).input }));
}

/** Something that waits or waited for a person, and the decisions about it. */
export interface ReviewCase {
  /** The request, or the entry that has `reviewRequired`. */
  readonly entry: AuditEntry;
  /** Entries of the decisions, the first one first. */
  readonly decisions: readonly AuditEntry[];
  /** False while nobody has decided, and after an escalation. */
  readonly decided: boolean;
  /** Milliseconds from the request to the last decision, or until now. */
  readonly waitedMs: number;
}

/**
 * Joins requests and decisions. Holds the requests in memory, and no other entries.
 *
 * @param entries oldest first; decisions follow what they are about
 * @param now milliseconds since the epoch, for what still waits
 */
export async function joinReviews(
  entries: AsyncIterable<AuditEntry>,
  now: number,
): Promise<ReviewCase[]> {
  const cases: { readonly entry: AuditEntry; readonly decisions: AuditEntry[] }[] = [];
  const byId = new Map<string, (typeof cases)[number]>();
  /** Invocations in which a person was asked. */
  const asked = new Set<string>();
  for await (const entry of entries) {
    if (entry.review) {
      byId.get(entry.review.of)?.decisions.push(entry);
      continue;
    }
    if (!wantsReview(entry) || entry.run?.sameCallAs !== undefined) continue;
    const one = { entry, decisions: [] };
    cases.push(one);
    for (const id of idsOf(entry)) byId.set(id, one);
    if (entry.operation === "human_review") asked.add(rootOf(entry));
  }
  return cases
    .filter(({ entry }) => isRequest(entry) || !asked.has(rootOf(entry)))
    .map(({ entry, decisions }) => {
      const last = decisions.at(-1);
      const decided = last !== undefined && last.review?.verdict !== "escalated";
      const until = last && decided ? Date.parse(last.timestamp) : now;
      return { entry, decisions, decided, waitedMs: until - Date.parse(entry.timestamp) };
    });
}

function wantsReview({ outcome, reviewRequired }: AuditEntry): boolean {
  return outcome === "interrupted" || reviewRequired === true;
}

/**
 * A tool call or an agent ended by an interrupt waits for the same decision as the request beside
 * it.
 */
function isRequest({ operation, reviewRequired }: AuditEntry): boolean {
  return operation === "human_review" || reviewRequired === true;
}

function rootOf({ id, run }: AuditEntry): string {
  return run?.rootId ?? id;
}
