// A verdict's line, its first word in the colour of its exit code, and a remedy if there is one.
import { safeLine } from "@ai-audit/core/format";
import { systemFailure } from "../failure.ts";
import type { Output, Style } from "../output/output.ts";
import { serviceFailure } from "../service-failure.ts";

/** A verdict on a log or on a proof. */
interface Verdict {
  readonly verdict: string;
  readonly exitCode: 0 | 1 | 2 | 3;
  /** See `Verification`. */
  readonly failure?: string;
}

/** The verdict, styled. */
export function styledVerdict(result: Verdict, out: Output): string {
  const [word = "", ...rest] = safeLine(result.verdict).split(":");
  return [out.style(["bold", COLOURS[result.exitCode]], word), ...rest].join(":");
}

const COLOURS = { 0: "green", 1: "red", 2: "yellow", 3: "red" } as const satisfies Record<
  0 | 1 | 2 | 3,
  Style
>;

/**
 * The remedy for a verdict that proves less than it might: a key, a right. Undefined if there is
 * none. `passedOver`: a settings file whose keys were not used.
 */
export function remedyOf(
  { exitCode, failure }: Verdict,
  isByUnknownKey: boolean,
  passedOver?: string,
): string | undefined {
  if (exitCode === 2 && isByUnknownKey && passedOver !== undefined) {
    return `the keys of ${passedOver} were not used: anybody who hands over a log can put such a file there. If it is yours: AUDIT_CONFIG=${passedOver}`;
  }
  if (exitCode === 2 && isByUnknownKey) {
    return "signed by a key that was not given: have it from its owner, and give it with --trust VKEY, or set AUDIT_TRUSTED_KEYS";
  }
  if (exitCode !== 3 || failure === undefined) return undefined;
  const error = Object.assign(new Error(), { code: failure });
  return (systemFailure(error) ?? serviceFailure(error))?.hint;
}
