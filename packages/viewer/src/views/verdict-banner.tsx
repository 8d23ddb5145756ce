// The verdict on a log: the first thing on every page.
import type { Verification } from "@ai-audit/core/verify";
import { type ComponentChildren, Fragment, type JSX } from "preact";
import { factsOf, type Tone } from "../data/verdict-facts.ts";

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

/** Names of keys break behind `/` and `+` first. */
function breakable(text: string): ComponentChildren {
  return text.split(/(?<=[/+])/).map((part, at) => (
    <Fragment key={at}>
      {at > 0 && <wbr />}
      {part}
    </Fragment>
  ));
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
            <dd>{breakable(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
