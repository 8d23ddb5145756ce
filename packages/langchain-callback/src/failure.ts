// Outcome and error fields of a run that threw.
import {
  type CapturedFields,
  type EntryError,
  type ErrorTypeOf,
  type Fields,
  type Outcome,
  type ThrownError,
  defined,
  describeThrown,
  fieldsOf,
  isFields,
  textOf,
} from "@ai-audit/core/capture";
import { OutputParserException } from "@langchain/core/output_parsers";
import { ToolInputParsingException } from "@langchain/core/tools";

/**
 * Whether an error is LangGraph's way to leave a node: an interrupt, or a command to the parent.
 */
export function isBubbleUp(error: unknown): boolean {
  return fieldsOf(error)["is_bubble_up"] === true;
}

/** The fields of a call that `error` ended. */
export function describeFailure(error: unknown, signal: AbortSignal | undefined): CapturedFields {
  const thrown = describeThrown(error, typeOf);
  const outcome = outcomeOf(error, thrown, signal);
  if (outcome === "ok" || outcome === "interrupted") return { outcome };
  return {
    outcome,
    error: withoutContent(thrown.error),
    ...defined({ requestId: thrown.requestId }),
  };
}

/** The outcome of a call without an end. */
export function unfinishedOutcome(signal: AbortSignal | undefined, rootError?: unknown): Outcome {
  if (signal?.aborted) return abortOutcome(signal);
  if (rootError === undefined) return "abandoned";
  const outcome = outcomeOf(rootError, describeThrown(rootError, typeOf), signal);
  return outcome === "ok" || outcome === "error" ? "abandoned" : outcome;
}

/** Type names of LangChain's errors without a `name`: by their class, or by their brand. */
const typeOf: ErrorTypeOf = (error) => {
  if (error instanceof ToolInputParsingException) return "ToolInputParsingException";
  if (error instanceof OutputParserException) return "OutputParserException";
  const { "~brand": brand, name }: Fields = fieldsOf(error);
  return name === "Error" ? textOf(brand) : undefined;
};

function outcomeOf(
  error: unknown,
  { outcome, error: described }: ThrownError,
  signal: AbortSignal | undefined,
): Outcome {
  if (isBubbleUp(error)) return described.type === "ParentCommand" ? "ok" : "interrupted";
  if (described.status !== undefined) return "error"; // the provider answered
  if (signal?.aborted) return abortOutcome(signal);
  if (outcome !== "error") return outcome;
  // Hosts throw plain errors with these messages when their signal fires.
  const { message } = fieldsOf(error);
  return typeof message === "string" && ABORTED.has(message) ? "aborted" : "error";
}

const ABORTED: ReadonlySet<string> = new Set(["AbortError", "Aborted", "Abort"]);

function abortOutcome(signal: AbortSignal): Outcome {
  return fieldsOf(signal.reason)["name"] === "TimeoutError" ? "timeout" : "aborted";
}

/** Errors whose message quotes content. */
const QUOTING: ReadonlySet<string> = new Set([
  "OpenAIModerationError",
  "ToolInputParsingException",
  "ToolInvocationError",
  "StructuredOutputParsingError",
  "OutputParserException",
  "GraphInterrupt",
]);

function withoutContent(error: EntryError): EntryError {
  return error.message !== undefined && QUOTING.has(error.type)
    ? { ...error, message: "(may hold content: not kept)" }
    : error;
}

/** The provider's error object in a thrown one; the thrown error itself where there is none. */
export function reportedBy(error: unknown): Fields {
  const { reported } = describeThrown(error, typeOf);
  return Object.keys(reported).length > 0 || !isFields(error) ? reported : error;
}
