// How a run that ended with an error ended: outcome, error and safety fields of its entry.
import {
  type CapturedFields,
  type EntryError,
  type Outcome,
  scrubSecrets,
} from "@ai-audit/core/capture";
import { defined, type Fields, fieldsOf, firstText, isFields, textOf } from "./read.ts";

const ABORTS = new Set(["AbortError", "ModelAbortError", "APIUserAbortError"]);
const TIMEOUTS = new Set(["TimeoutError", "APIConnectionTimeoutError"]);

/** Whether an error is LangGraph's way of leaving a node: interrupts and commands to the parent graph. */
export function isBubbleUp(error: unknown): boolean {
  return fieldsOf(error)["is_bubble_up"] === true;
}

/** What `error` says of the call it ended. */
export function describeFailure(error: unknown, signal: AbortSignal | undefined): CapturedFields {
  const outcome = outcomeOf(error, signal);
  if (outcome === "ok" || outcome === "interrupted") return { outcome };
  return {
    outcome,
    error: describeError(error),
    ...defined({
      requestId: firstText(fieldsOf(error)["requestID"], fieldsOf(error)["request_id"]),
    }),
  };
}

/** How a call ended that got no end of its own. */
export function unfinishedOutcome(signal: AbortSignal | undefined, rootError?: unknown): Outcome {
  if (signal?.aborted) return abortOutcome(signal);
  if (rootError === undefined) return "abandoned";
  const outcome = outcomeOf(rootError, signal);
  return outcome === "ok" || outcome === "error" ? "abandoned" : outcome;
}

/** Type, code, status and message of an error, without secrets. */
export function describeError(error: unknown): EntryError {
  if (!isFields(error))
    return {
      type: typeof error,
      ...(typeof error === "string" && { message: scrubSecrets(error) }),
    };
  const { status, message } = error;
  return {
    type: nameOf(error),
    ...defined({
      code: firstText(error["code"], fieldsOf(error["error"])["code"], error["lc_error_code"]),
    }),
    ...(typeof status === "number" && { status }),
    ...(typeof message === "string" && { message: scrubSecrets(messageOf(error, message)) }),
  };
}

function outcomeOf(error: unknown, signal: AbortSignal | undefined): Outcome {
  const fields = fieldsOf(error);
  if (isBubbleUp(error)) return fields["name"] === "ParentCommand" ? "ok" : "interrupted";
  if (typeof fields["status"] === "number") return "error"; // the provider answered
  if (signal?.aborted) return abortOutcome(signal);
  const name = isFields(error) ? nameOf(error) : undefined;
  if (name !== undefined && TIMEOUTS.has(name)) return "timeout";
  if (name !== undefined && ABORTS.has(name)) return "aborted";
  // Hosts throw plain errors of these texts when their signal fires.
  return fields["message"] === "AbortError" || fields["message"] === "Aborted"
    ? "aborted"
    : "error";
}

function abortOutcome(signal: AbortSignal): Outcome {
  return fieldsOf(signal.reason)["name"] === "TimeoutError" ? "timeout" : "aborted";
}

function nameOf(error: Fields): string {
  const name = textOf(error["name"]);
  if (name !== undefined && name !== "Error") return name;
  const { constructor } = error;
  return (typeof constructor === "function" && constructor.name) || name || "Error";
}

/** Errors that carry content in their message: it belongs into the entry's contents, or nowhere. */
const WITHOUT_MESSAGE = new Set([
  "OpenAIModerationError",
  "ToolInputParsingException",
  "ToolInvocationError",
  "StructuredOutputParsingError",
  "OutputParserException",
  "GraphInterrupt",
]);

function messageOf(error: Fields, message: string): string {
  return WITHOUT_MESSAGE.has(nameOf(error)) ? "(may hold content: not kept)" : message;
}
