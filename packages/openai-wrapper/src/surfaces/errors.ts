// From what the SDK throws, or a provider reports, to an entry's error and safety fields.
import { type CapturedFields, type EntryError, type SafetyCodes, scrubSecrets } from "@ai-audit/core";
import { classifySafety } from "../safety/classify.ts";
import { mergeFields } from "./fields.ts";
import { type Fields, defined, fieldsOf, textOf } from "../payload/read.ts";

/**
 * Outcome, `error` and safety fields of what a call threw: an `APIError` with its body and status, an abort, a
 * time-out, a broken connection, or anything else. Never throws.
 */
export function thrownErrorFields(thrown: unknown, codes?: SafetyCodes): CapturedFields {
  const error = fieldsOf(thrown);
  const type = thrown instanceof Error ? nameOf(thrown) : typeof thrown;
  const message = thrown instanceof Error ? thrown.message : undefined;
  const headersId = textOf(error["requestID"]);
  return mergeFields(
    { outcome: outcomeOf(type) },
    {
      error: entryError({
        type,
        code: error["code"] ?? causeCode(error["cause"]),
        status: error["status"],
        message,
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
  return defined({
    type: scrubSecrets(type),
    code: typeof code === "string" || typeof code === "number" ? scrubSecrets(String(code)) : undefined,
    status: typeof status === "number" ? status : undefined,
    message: typeof message === "string" && message !== "" ? scrubSecrets(message) : undefined,
  }) as EntryError;
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
function causeCode(cause: unknown): unknown {
  let current = cause;
  for (let depth = 0; depth < 4; depth += 1) {
    const { code, cause: next } = fieldsOf(current);
    if (code !== undefined) return code;
    current = next;
  }
  return undefined;
}
