// Requests for a person's decision, and the decisions, from a log.
import type { AuditEntry } from "../format/entry.ts";
import { lineToEntry } from "../format/entry-line.ts";
import { joinReviews, type ReviewCase } from "../log/reviews.ts";
import type { AuditStorage, TimeRange } from "../storage/storage.ts";

/**
 * Requests of a time range, and all decisions about them.
 *
 * @param now milliseconds since the epoch, for requests that still wait
 */
export async function readReviews(
  storage: Pick<AuditStorage, "pages">,
  range: TimeRange,
  now: number,
): Promise<ReviewCase[]> {
  return joinReviews(candidatesIn(storage, range), now);
}

async function* candidatesIn(
  storage: Pick<AuditStorage, "pages">,
  { from, to = Infinity }: TimeRange,
): AsyncGenerator<AuditEntry, void, undefined> {
  for await (const page of storage.pages(from === undefined ? {} : { from }, "oldest-first")) {
    for (const line of page) {
      if (!mayConcernReview(line)) continue; // most lines are not parsed
      const entry = lineToEntry(line);
      if (entry && (entry.review || Date.parse(entry.timestamp) <= to)) yield entry;
    }
  }
}

/** Whether a line may be a request for a decision, or a decision. */
export function mayConcernReview(line: string): boolean {
  return CANDIDATE.test(line);
}

const CANDIDATE = /"(?:outcome": ?"interrupted|review(?:_required)?": ?[{t])/;
