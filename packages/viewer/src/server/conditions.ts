// The conditions of a page, from its address: those of `ai-audit query`, and what the index adds.
import type { TimeRange } from "@ai-audit/core";
import { OUTCOMES } from "@ai-audit/core/format";
import type { FilterConditions } from "@ai-audit/core/reading";
import { RequestError } from "./answers.ts";
import type { IndexConditions } from "./entry-index.ts";

/** Conditions of an address. */
export interface Selection {
  /** Conditions that the index answers. */
  readonly clear: IndexConditions;
  /** Conditions that need the entries themselves; undefined if there are none. */
  readonly deep: Pick<FilterConditions, "metadata" | "text"> | undefined;
  readonly range: TimeRange;
}

const TEXTS = [
  "provider",
  "model",
  "operation",
  "tool",
  "agent",
  "actor",
  "detector",
  "conversation",
  "thread",
  "root",
] as const;

/** @throws {RequestError} 400 that names the parameter */
export function selectionOf(search: URLSearchParams): Selection {
  const texts = Object.fromEntries(
    TEXTS.flatMap((name) => {
      const value = search.get(name);
      return value === null || value === "" ? [] : [[name, value]];
    }),
  );
  const given = search.get("outcome") ?? "";
  const outcome = [...OUTCOMES, "flagged" as const].find((each) => each === given);
  if (given !== "" && outcome === undefined)
    throw new RequestError(400, `outcome is unknown; one of ${OUTCOMES.join(", ")}, flagged`);
  const metadata = search.getAll("metadata").map((pair): [string, string] => {
    const at = pair.indexOf("=");
    if (at < 1) throw new RequestError(400, "metadata must be key=value");
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  const subjects = search.getAll("subject").filter((id) => id !== "");
  const text = search.get("text") ?? "";
  const flag = (name: string): true | undefined => (search.get(name) === "1" ? true : undefined);
  return {
    clear: {
      ...texts,
      outcome,
      subjectIds: subjects.length === 0 ? undefined : subjects,
      flagged: flag("flagged"),
      blocked: flag("blocked"),
      failed: flag("failed"),
      undecided: flag("undecided"),
      marked: flag("marked"),
    },
    deep:
      text === "" && metadata.length === 0
        ? undefined
        : { ...(text !== "" && { text }), ...(metadata.length > 0 && { metadata }) },
    range: rangeOf(search),
  };
}

function rangeOf(search: URLSearchParams): TimeRange {
  const from = timeOf(search, "since", false);
  const to = timeOf(search, "until", true);
  if (from !== undefined && to !== undefined && from > to)
    throw new RequestError(400, "since is after until");
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

/** A UTC day, or a time in UTC. A day at the end of a range is its last millisecond. */
function timeOf(search: URLSearchParams, name: string, isEnd: boolean): number | undefined {
  const text = search.get(name) ?? "";
  if (text === "") return undefined;
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const zoned = isDay ? `${text}T${isEnd ? "23:59:59.999" : "00:00"}Z` : text;
  const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(zoned) ? zoned : `${zoned}Z`);
  if (Number.isNaN(time))
    throw new RequestError(400, `${name} must be a UTC day or time: 2026-11-23, 2026-11-23T14:30`);
  return time;
}
