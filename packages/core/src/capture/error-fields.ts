// An error as the fields of an entry: outcome, `error`, request id and safety.
import type { EntryError } from "../format/entry.ts";
import { type CapturedFields, type GrowingFields, mergeFields } from "./fields.ts";
import { describeReported, describeThrown, type ErrorTypeOf } from "./payload/errors.ts";
import { isEmpty } from "./payload/read.ts";
import { classifySafety, type SafetyEvidence } from "./safety/classify.ts";
import type { SafetyCodes } from "./safety/codes.ts";

/** Options for reading errors. */
export interface ErrorReading extends Pick<SafetyEvidence, "answered" | "vendor"> {
  /** The type of errors that the host knows by its own classes. */
  readonly typeOf?: ErrorTypeOf | undefined;
  /** @default `SAFETY_CODES` */
  readonly codes?: SafetyCodes | undefined;
}

/**
 * The fields of a call whose response has no answer: no choice, no candidate. `found` is the
 * classifier's result. Without a reason the block is inferred.
 */
export function noAnswerFields(found: CapturedFields): CapturedFields {
  const error = { type: "NoAnswer", message: "the provider gave no answer" };
  if (found.safetyPassed === false) return { outcome: "error", error, ...found };
  return mergeFields(
    { outcome: "error", error },
    found,
    classifySafety({ inferred: "possible_block" }),
  );
}

/** The error of a stream that ended, and whose answer has no finish reason: it may be cut. */
export const NO_FINISH_REASON: EntryError = {
  type: "NoFinishReason",
  message: "the stream ended without a finish reason",
};

/**
 * The fields of a call that threw: an SDK's error with its body and status, an abort, a time-out, a
 * broken connection, or anything else. `outcome` is `blocked`, `aborted`, `timeout` or `error`.
 */
export function thrownErrorFields(thrown: unknown, reading: ErrorReading = {}): GrowingFields {
  const { typeOf, codes, answered, vendor } = reading;
  const { outcome, error, requestId, reported } = describeThrown(thrown, typeOf);
  const evidence = isEmpty(reported) ? thrown : reported;
  return mergeFields(
    { outcome, error, requestId },
    classifySafety({ error: evidence, answered, vendor }, codes),
  );
}

/** The fields of an error that came as data: a failed response, an event of a stream. */
export function providerErrorFields(
  reported: unknown,
  { codes, answered, vendor }: Omit<ErrorReading, "typeOf"> = {},
): CapturedFields {
  return mergeFields(
    { outcome: "error", error: describeReported(reported) },
    classifySafety({ error: reported, answered, vendor }, codes),
  );
}
