// The verdict on a log: the first thing on every page.
import type { Verification } from "@ai-audit/core/verify";
import type { ComponentChildren, JSX } from "preact";
import { formatCount, formatTime, plural } from "../data/format.ts";

/** Names of the four verdicts, by exit code. */
export const VERDICTS: readonly {
  readonly tone: Tone;
  readonly word: string;
  readonly says: string;
}[] = [
  {
    tone: "good",
    word: "Proven",
    says: "Every line is as it was sealed, by a key that you trust.",
  },
  {
    tone: "bad",
    word: "Altered",
    says: "Lines were changed, or are missing. Do not rely on this log.",
  },
  {
    tone: "warn",
    word: "Not proven",
    says: "Nothing wrong was found, and something is without proof.",
  },
  { tone: "bad", word: "Not verifiable", says: "The verifier could not do its work." },
];

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
  const { files, pins, anchoredTo, losses, removals, newest } = result;
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
      value:
        anchoredTo === undefined
          ? pins.given > 0
            ? "no given pin fits"
            : "no: a cut-off end would not show"
          : `${formatCount(anchoredTo.size)} leaves of ${anchoredTo.origin}`,
      ...(anchoredTo === undefined && { tone: "warn" }),
    },
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

/** The banner. Untrusted strings in it are text nodes. */
export function VerdictBanner({
  result,
  children,
}: {
  readonly result: Verification;
  /** Actions beside the verdict. */
  readonly children?: ComponentChildren;
}): JSX.Element {
  const { tone, word, says } = VERDICTS[result.exitCode] ?? { tone: "bad", word: "?", says: "" };
  return (
    <section
      class={`verdict ${tone}`}
      aria-label="Verdict"
      role={tone === "bad" ? "alert" : "status"}
    >
      <div class="verdict-head">
        <span class="verdict-mark" aria-hidden="true">
          {tone === "good" ? "✓" : tone === "warn" ? "!" : "✕"}
        </span>
        <div class="verdict-words">
          <h1>{word}</h1>
          <p>{says}</p>
        </div>
        {children}
      </div>
      <dl class="verdict-facts">
        {factsOf(result).map(({ label, value, tone: factTone = "none" }) => (
          <div key={label} class={`tone-${factTone}`}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
