// Errors that SDKs throw and providers report: type, code, HTTP status and message of an entry.
import type { EntryError, Outcome } from "../../format/entry.ts";
import { defined, type Fields, fieldsOf, firstText, isFields, nameOf, textOf } from "./read.ts";
import { scrubSecrets } from "./secrets.ts";

/** The message of an entry for a response, or an event, that could not be parsed. */
export const NOT_JSON = "the response is not JSON";

/**
 * The type of an error that the host can tell by its own classes; undefined where it cannot. Names
 * of constructors are not asked: minifiers change them.
 */
export type ErrorTypeOf = (error: unknown) => string | undefined;

/** The facts in an error about the call that it ended. */
export interface ThrownError {
  readonly outcome: Extract<Outcome, "aborted" | "timeout" | "error">;
  readonly error: EntryError;
  readonly requestId: string | undefined;
  /** The provider's error object, where one came with it. */
  readonly reported: Fields;
}

/**
 * Describes a thrown value: an error of an SDK, an abort, a broken connection, or anything else.
 */
export function describeThrown(thrown: unknown, typeOf: ErrorTypeOf = noType): ThrownError {
  const fields = fieldsOf(thrown);
  const type = typeOf(thrown) ?? typeIn(thrown);
  const reported = reportedIn(fields);
  return {
    outcome: outcomeOf(type),
    error: entryError({
      type,
      code: codeOf(thrown) ?? codeIn(fields, reported),
      status: statusOf(fields),
      message: messageOf(thrown),
    }),
    requestId: requestIdOf(fields),
    reported,
  };
}

/**
 * Describes an error that came as data: a failed response, an event of a stream, a member of a 200.
 */
export function describeReported(reported: unknown): EntryError {
  const { type, code, message } = fieldsOf(reported);
  return entryError({ type: textOf(type) ?? "provider_error", code, message });
}

/**
 * Finish reasons that mean: generation failed. OpenRouter and Mistral say `error`, Cohere `ERROR`,
 * Zhipu `network_error`, DeepSeek `insufficient_system_resource`, Bedrock `malformed_…`.
 */
const FAILED =
  /^(?:error|network_error|insufficient_system_resource|malformed_(?:model_output|tool_use|function_call))$/i;

/** Whether a finish reason says that generation failed. */
export function isFailureReason(reason: unknown): boolean {
  return typeof reason === "string" && FAILED.test(reason);
}

function entryError(about: { readonly type: string } & Fields): EntryError {
  const { type, code, status, message } = about;
  const isCode = (typeof code === "string" && code !== "") || typeof code === "number";
  return {
    type: scrubSecrets(type),
    ...defined({
      code: isCode ? scrubSecrets(String(code)) : undefined,
      status: typeof status === "number" ? status : undefined,
      message: typeof message === "string" && message !== "" ? scrubSecrets(message) : undefined,
    }),
  };
}

const noType: ErrorTypeOf = () => undefined;

/** Types of errors that have only a status: the names of the SDKs that Stainless generates. */
const TYPE_BY_STATUS: Readonly<Record<number, string>> = {
  400: "BadRequestError",
  401: "AuthenticationError",
  403: "PermissionDeniedError",
  404: "NotFoundError",
  409: "ConflictError",
  422: "UnprocessableEntityError",
  429: "RateLimitError",
};

function typeIn(thrown: unknown): string {
  if (!isFields(thrown)) return typeof thrown;
  const name = textOf(thrown["name"]) ?? nameOf(thrown);
  if (name !== "Error") return name;
  const status = statusOf(thrown);
  if (status === undefined) return name;
  return TYPE_BY_STATUS[status] ?? (status >= 500 ? "InternalServerError" : "APIError");
}

function outcomeOf(type: string): ThrownError["outcome"] {
  if (/^(?:APIUser|Model)?AbortError$/.test(type)) return "aborted";
  return /^(?:APIConnection)?TimeoutError$/.test(type) ? "timeout" : "error";
}

/**
 * SDKs keep the body's `error` under `error`; Anthropic's keeps the body, which has another in it;
 * Mistral's and Vercel's AI SDK keep the text of the body.
 */
function reportedIn(thrown: Fields): Fields {
  const outer = isFields(thrown["error"])
    ? thrown["error"]
    : parsedBody(thrown["body"] ?? thrown["responseBody"]);
  const inner = outer["error"];
  return isFields(inner) ? inner : outer;
}

function parsedBody(body: unknown): Fields {
  if (typeof body !== "string" || body.length > MAX_BODY_LENGTH) return {};
  try {
    return fieldsOf(JSON.parse(body));
  } catch {
    return {}; // a proxy's page
  }
}

/** Errors of providers are far shorter. In UTF-16 units. */
const MAX_BODY_LENGTH = 100_000;

/** The code of the error or of one of its causes: a connection's own is some causes down. */
function codeOf(thrown: unknown): unknown {
  for (const error of causesOf(thrown)) {
    // The platform's own errors have a number that only repeats their name.
    if (!(error instanceof DOMException)) {
      const { code } = fieldsOf(error);
      if (code !== undefined && code !== null) return code;
    }
  }
  return undefined;
}

/** Errors of Anthropic and Mistral may have no code: the type in their body is theirs. */
function codeIn(thrown: Fields, reported: Fields): string | undefined {
  const isBody = isFields(fieldsOf(thrown["error"])["error"]) || !isFields(thrown["error"]);
  return firstText(
    reported["code"],
    isBody ? reported["type"] : undefined,
    thrown["lc_error_code"],
  );
}

function statusOf(thrown: Fields): number | undefined {
  const metadata = fieldsOf(thrown["$metadata"]); // AWS
  const all = [
    thrown["status"],
    thrown["statusCode"],
    thrown["status_code"],
    metadata["httpStatusCode"],
  ];
  return all.find((status) => typeof status === "number");
}

function requestIdOf(thrown: Fields): string | undefined {
  const metadata = fieldsOf(thrown["$metadata"]);
  const body = fieldsOf(thrown["error"]); // Anthropic names the request in the body too
  return firstText(
    thrown["requestID"],
    thrown["request_id"],
    metadata["requestId"],
    body["request_id"],
  );
}

function messageOf(thrown: unknown): string | undefined {
  if (thrown instanceof SyntaxError) return NOT_JSON; // the engine's message quotes what it could not read
  return typeof thrown === "string" ? thrown : textOf(fieldsOf(thrown)["message"]);
}

/** An error and its causes, the outermost first, at most 5: frameworks wrap what clients throw. */
export function* causesOf(error: unknown): Generator<object, void, undefined> {
  for (let depth = 0; depth < 5 && typeof error === "object" && error !== null; depth += 1) {
    yield error;
    error = "cause" in error ? error.cause : undefined;
  }
}
