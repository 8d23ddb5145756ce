// Words and figures that the formats of a report share.
import { formatCount, formatTime, plural } from "../data/format.ts";
import type { CheckState } from "./check.ts";
import type { Report, ReportedReview, RequirementState } from "./report.ts";

/** Colours of a finding: classes of report.css. */
export type Tone = "good" | "warn" | "bad" | "none";

/** A word and its colour. */
export interface Word {
  readonly word: string;
  readonly tone: Tone;
}

/** The states of requirements. */
export const REQUIREMENT_WORDS: Readonly<Record<RequirementState, Word>> = {
  met: { word: "met", tone: "good" },
  partly: { word: "partly", tone: "warn" },
  "not met": { word: "not met", tone: "bad" },
  "no case": { word: "no case", tone: "none" },
  outside: { word: "not a matter of logs", tone: "none" },
};

/** The states of checks. */
export const CHECK_WORDS: Readonly<Record<CheckState, Word>> = {
  pass: { word: "shown", tone: "good" },
  partial: { word: "in part", tone: "warn" },
  fail: { word: "not shown", tone: "bad" },
  none: { word: "no case", tone: "none" },
};

/** The verdicts, by exit code. */
export const VERDICT_WORDS: readonly Word[] = [
  { word: "Proven", tone: "good" },
  { word: "Altered or incomplete", tone: "bad" },
  { word: "Not proven", tone: "warn" },
  { word: "Not verified", tone: "bad" },
];

/** The period in words. */
export function periodOf({ period: { from, to } }: Report): string {
  const begin = from === null ? "the first entry" : `${formatTime(from)} UTC`;
  const end = to === null ? "the last entry" : `${formatTime(to)} UTC`;
  return `${begin} to ${end}`;
}

/** The requirements counted by state: `3 met, 5 partly`. */
export function stateCounts({ requirements }: Report): string {
  return Object.entries(REQUIREMENT_WORDS)
    .flatMap(([state, { word }]) => {
      const found = requirements.filter((requirement) => requirement.state === state).length;
      return found === 0 ? [] : [`${formatCount(found)} ${word}`];
    })
    .join(", ");
}

/** The decisions about a request. */
export function decisionsOf({ decisions }: ReportedReview): string {
  if (decisions.length === 0) return "nobody has decided";
  return decisions
    .map(({ verdict, by, role, time }) => {
      const person = `${by ?? "a person who is not named"}${role === null ? "" : ` (${role})`}`;
      return `${verdict} by ${person} on ${formatTime(time)}`;
    })
    .join("; ");
}

/** A note on lists that are cut; undefined where they are whole. */
export function cutNote(listed: number, all: number): string | undefined {
  if (listed >= all) return undefined;
  return `The first ${plural(listed, "entry", "entries")} of ${formatCount(all)} are listed; the digest below is over all of them.`;
}

/** The limits of every report. */
export const LIMITS: readonly string[] = [
  "A log shows what was written to it. It does not show calls that never reached it, and it does not judge whether a decision was right.",
  "The verdict is about the whole log. The figures are about the period.",
  "Entries hold what the application said of itself: actors, models and outcomes are as recorded.",
  "A requirement is met only where checks by machine pass and no part of it is left that a log cannot show.",
];
