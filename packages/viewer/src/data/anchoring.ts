// How far a log is held by what lies outside of its owner's reach: anchor logs and pins.
import type { Verification } from "@ai-audit/core/verify";
import { formatCount, formatMs, formatTime, plural } from "./format.ts";

/** The findings about anchor logs and pins. */
export interface Anchoring {
  /**
   * `pass`: somebody beyond the anchorer vouches for it, or each pin fits. `partial`: for a part, or
   * on the anchorer's word alone. `fail`: nothing holds it.
   */
  readonly state: "pass" | "partial" | "fail";
  /** Some words for a label: `through 2026-11-30 12:00:00 UTC by …`. */
  readonly short: string;
  /** Sentences. */
  readonly text: string;
  /** The newest end that nothing holds yet: `41.0 s, 12 entries`. */
  readonly unprotected?: string;
}

type Verified = Pick<Verification, "anchors" | "anchoredTo" | "pins" | "unprotected">;
type Anchor = Verification["anchors"][number];

/** What anchor logs and pins show of a verified log. */
export function anchoringOf(result: Verified): Anchoring {
  const { anchors, pins, unprotected } = result;
  if (anchors.length === 0) return pinsOf(result);
  const problems = anchors.flatMap((anchor) => anchor.problems);
  const own = pins.given === 0 ? undefined : pinsOf(result);
  const isVouched = anchors.every(({ through, by }) => through !== undefined && by.length > 0);
  const isHeld = anchors.some(({ through }) => through !== undefined);
  const state = !isHeld
    ? "fail"
    : problems.length > 0 || !isVouched || (own !== undefined && own.state !== "pass")
      ? "partial"
      : "pass";
  const later =
    unprotected === undefined
      ? undefined
      : `${formatMs(unprotected.forMs)}, ${plural(unprotected.entries, "entry", "entries")}`;
  return {
    state,
    short: anchors.map(shortOf).join("; "),
    text: [
      ...anchors.map((anchor) => sentencesOf(anchor)),
      ...(later === undefined ? [] : [`Unprotected at the newest end: ${later}.`]),
      ...(own === undefined ? [] : [own.text]),
    ].join(" "),
    ...(later !== undefined && { unprotected: later }),
  };
}

function pinsOf({ pins: { given, confirmed }, anchoredTo }: Verified): Anchoring {
  if (given === 0)
    return {
      state: "fail",
      short: "no: a cut-off end would not show",
      text: "Not anchored: no state of the log that was noted outside of it was given.",
    };
  return {
    state: confirmed === given ? "pass" : confirmed > 0 ? "partial" : "fail",
    short:
      anchoredTo === undefined
        ? "no given pin fits"
        : `${formatCount(anchoredTo.size)} leaves of ${anchoredTo.origin}`,
    text: `The log agrees with ${formatCount(confirmed)} of ${plural(given, "state")} noted outside of it.`,
  };
}

function shortOf({ through, by }: Anchor): string {
  if (through === undefined) return "no: nobody vouches for the anchor log";
  return `through ${formatTime(through)} UTC by ${voucherOf(by)}`;
}

function voucherOf(by: readonly string[]): string {
  return by.length === 0 ? "the anchorer's own clock" : by.join(" and ");
}

function sentencesOf({ origin, through, by, leaves, problems, remarks }: Anchor): string {
  const name = origin ?? "the anchor log";
  return [
    through === undefined
      ? `Not anchored: nobody vouches for ${name}.`
      : `Anchored through ${formatTime(through)} UTC by ${voucherOf(by)}: ${name}, ${plural(leaves, "leaf", "leaves")}.`,
    ...problems.map(({ message }) => `${message}.`),
    ...remarks.map((remark) => `${remark}.`),
  ].join(" ");
}
