// A safety check: it looks at the input or output of a call, and may object.
import type { JsonValue } from "../../format/canonical.ts";
import type { ContentField } from "../../format/content.ts";

/** The contents of a call that a check looks at. */
export type ContentSide = Exclude<ContentField, "diagnostics">;

/**
 * An objection. It goes into the entry unchanged, so it must never hold the text that was found.
 */
export interface DetectorFinding {
  /** `block` stops the call (or marks it, when it is over); `flag` marks it. */
  readonly action: "block" | "flag";
  /** Why, in words that may be logged in the clear. */
  readonly reason: string;
  /** Kinds of findings, such as `email`. */
  readonly categories?: readonly string[] | undefined;
}

/** Facts about the call that a detector gets. */
export interface DetectorContext {
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  /** `chat`, `embeddings`, `execute_tool` … */
  readonly operation?: string | undefined;
  readonly conversationId?: string | undefined;
}

/** The answer of a check: undefined when it has no objection. */
export type DetectorVerdict = DetectorFinding | undefined | Promise<DetectorFinding | undefined>;

/**
 * A check. One that throws, rejects or gives an invalid answer counts as not run, and the entry
 * says so.
 */
export interface Detector {
  /** Names the check in `safetyChecks` and `detectorsTriggered`. */
  readonly name: string;
  /** Before the call is sent. */
  checkInput?(value: JsonValue, context: DetectorContext): DetectorVerdict;
  /** After the answer has arrived. */
  checkOutput?(value: JsonValue, context: DetectorContext): DetectorVerdict;
}

/**
 * All texts of a content, in their order: itself, or every string within it, without the names of
 * members.
 */
export function* textsOf(value: JsonValue): Generator<string, void, undefined> {
  if (typeof value === "string") yield value;
  else if (typeof value === "object" && value !== null)
    for (const member of Object.values(value)) yield* textsOf(member);
}
