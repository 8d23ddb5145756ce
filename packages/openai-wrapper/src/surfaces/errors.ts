// From what the SDK throws, or a provider reports, to an entry's error and safety fields.
import {
  type CapturedFields,
  type EntryError,
  type SafetyCodes,
  scrubSecrets,
  mergeFields,
} from "@ai-audit/core/capture";
import { classifySafety } from "../safety/classify.ts";
import { type Fields, defined, fieldsOf, textOf } from "../payload/read.ts";

/** What an entry says of a response, or an event, that could not be parsed. */
export const NOT_JSON = "the response is not JSON";

/**
 * Outcome, `error` and safety fields of what a call threw: an `APIError` with its body and status, an abort, a
 * time-out, a broken connection, or anything else. Never throws.
 */
export function thrownErrorFields(thrown: unknown, codes?: SafetyCodes): CapturedFields {
  const error = fieldsOf(thrown);
  const type = thrown instanceof Error ? nameOf(thrown) : typeof thrown;
  const headersId = textOf(error["requestID"]);
  return mergeFields(
    { outcome: outcomeOf(type) },
    {
      error: entryError({
        type,
        code: codeOf(thrown),
        status: error["status"],
        message: messageOf(thrown),
      }),
      requestId: headersId,
    },
    classifySafety({ error: error["error"] ?? { code: error["code"] } }, codes),
  );
}

/** The same for an error that came as data: a failed response, an SSE error event. */
export function providerErrorFields(reported: unknown, codes?: SafetyCodes): CapturedFields {
  const error = fieldsOf(reported);
  return mergeFields(
    { outcome: "error" },
    {
      error: entryError({
        type: textOf(error["type"]) ?? "provider_error",
        code: error["code"],
        message: error["message"],
      }),
    },
    classifySafety({ error: reported }, codes),
  );
}

function entryError(about: { readonly type: string } & Fields): EntryError {
  const { type, code, status, message } = about;
  const details = defined({
    code:
      typeof code === "string" || typeof code === "number" ? scrubSecrets(String(code)) : undefined,
    status: typeof status === "number" ? status : undefined,
    message: typeof message === "string" && message !== "" ? scrubSecrets(message) : undefined,
  });
  return { type: scrubSecrets(type), ...details };
}

/** SDK errors have no name of their own, their classes have; bundlers may mangle it, `name` is then the fallback. */
function nameOf(error: Error): string {
  return error.name !== "Error" ? error.name : error.constructor.name;
}

function outcomeOf(type: string): "aborted" | "timeout" | "error" {
  if (type === "APIUserAbortError" || type === "AbortError") return "aborted";
  if (type === "APIConnectionTimeoutError" || type === "TimeoutError") return "timeout";
  return "error";
}

/** A connection's own code, such as ECONNRESET, is some causes down. */
function codeOf(thrown: unknown): unknown {
  let current = thrown;
  for (let depth = 0; depth < 5; depth += 1) {
    const { code, cause } = fieldsOf(current);
    // The platform's own errors have a number that only repeats their name.
    if (code !== undefined && code !== null && !(current instanceof DOMException)) return code;
    current = cause;
  }
  return undefined;
}

function messageOf(thrown: unknown): string | undefined {
  if (thrown instanceof SyntaxError) return NOT_JSON; // the engine's message quotes what it could not read
  return thrown instanceof Error ? thrown.message : undefined;
}
