// The facts of a verification that a reader asks for first.
import type { Verification } from "@ai-audit/core/verify";
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

/** The facts of a verification that a reader asks for first. */
export function factsOf(result: Verification): readonly Fact[] {
  const { files, losses, removals, newest } = result;
  const anchoring = anchoringOf(result);
  const signers = [...new Set(files.flatMap(({ signedBy }) => signedBy ?? []))];
  const lost = losses.reduce((sum, { entries }) => sum + entries, 0);
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
