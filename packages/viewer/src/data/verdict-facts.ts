// The facts of a verification that a reader asks for first.
import type { FileState, Verification } from "@ai-audit/core/verify";
import { anchoringOf } from "./anchoring.ts";
import { formatCount, formatTime, plural } from "./format.ts";

/** Colour of a fact. */
export type Tone = "good" | "warn" | "bad" | "none";

/** A fact beside the verdict. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  readonly tone?: Tone;
}

const STATES_OF_ALTERATION: ReadonlySet<FileState> = new Set([
  "TAMPERED",
  "FORK",
  "ROLLBACK",
  "MISSING",
]);

/** The colour of a file's state. */
export function toneOf(state: FileState): Tone {
  if (state === "OK" || state === "OPEN" || state === "PRUNED" || state === "ARCHIVED")
    return "good";
  return STATES_OF_ALTERATION.has(state) ? "bad" : "warn";
}

/** The facts of a verification that a reader asks for first. */
export function factsOf(result: Verification): readonly Fact[] {
  const { files, losses, removals, newest } = result;
  const anchoring = anchoringOf(result);
  const signers = [...new Set(files.flatMap(({ signedBy }) => signedBy ?? []))];
  const lost = losses.reduce((sum, { entries }) => sum + entries, 0);
  const altered = files.filter(
    ({ state }) => toneOf(state) === "bad" && state !== "MISSING",
  ).length;
  const missing = files.filter(({ state }) => state === "MISSING").length;
  const removers = [...new Set(removals.flatMap(({ actor }) => actor ?? []))];
  return [
    { label: "Entries sealed", value: formatCount(result.entries) },
    {
      label: "Signed by",
      value: signers.length === 0 ? "no trusted key" : signers.join(", "),
      ...(signers.length === 0 && { tone: "warn" }),
    },
    {
      label: "Anchored",
      value: anchoring.short,
      ...(anchoring.state !== "pass" && { tone: "warn" }),
    },
    ...(anchoring.unprotected === undefined
      ? []
      : [{ label: "Unprotected end", value: anchoring.unprotected }]),
    {
      label: "Sealed through",
      value: newest === undefined ? "unknown" : `${formatTime(newest)} UTC`,
    },
    ...(altered > 0
      ? [{ label: "Altered", value: plural(altered, "file"), tone: "bad" as const }]
      : []),
    ...(missing > 0
      ? [{ label: "Missing", value: plural(missing, "file"), tone: "bad" as const }]
      : []),
    ...(lost > 0
      ? [{ label: "Lost", value: plural(lost, "entry", "entries"), tone: "warn" as const }]
      : []),
    ...(removals.length > 0
      ? [
          {
            label: "Removed",
            value: `${plural(removals.length, "file")}${removers.length === 0 ? "" : ` by ${removers.join(", ")}`}`,
          },
        ]
      : []),
  ];
}
