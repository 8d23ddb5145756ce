// Bodies that do not reach the caller as parsed data: read by the caller, or not readable by the
// SDK.
import type { CapturedFields } from "../fields.ts";
import { tooLarge } from "../payload/bounds.ts";
import { NOT_JSON } from "../payload/errors.ts";
import { nameOf } from "../payload/read.ts";
import { unseenAlert } from "../safety/content-check.ts";
import { eventsIn, LargeBody } from "../stream/body.ts";

/** The parts of an `AuditedCall` that a body is handed to. */
interface ReceivingCall {
  readonly open: boolean;
  readonly detects: boolean;
  readonly aborted: AbortSignal | undefined;
  answerIn(body: unknown): CapturedFields;
  collect(): void;
  event(value: unknown): void;
  deliver(data: unknown): Promise<void> | undefined;
  finish(stopped: boolean): Promise<void>;
  fail(error: unknown): Promise<unknown>;
  end(fields: CapturedFields): Promise<void> | undefined;
}

/**
 * The caller has read the response's body: parsed, as text, as bytes, or in pieces too large to
 * keep. Resolves when the caller may have it.
 */
export async function receiveBody(
  call: ReceivingCall,
  body: unknown,
  contentType: string,
  stopped = false,
): Promise<void> {
  if (!call.open) return;
  if (body instanceof LargeBody) {
    const alerts = [tooLarge("output"), ...(call.detects ? [unseenAlert("output")] : [])];
    return call.end({ outcome: stopped ? "aborted" : "ok", output: body.digest, alerts });
  }
  const isText = /json|^text\//i.test(contentType);
  const content = isText && body instanceof Uint8Array ? new TextDecoder().decode(body) : body;
  if (typeof content === "string" && /^text\/event-stream/i.test(contentType)) {
    call.collect();
    for (const event of eventsIn(content)) call.event(event);
    return call.finish(stopped);
  }
  if (stopped) return call.end({ ...call.answerIn(content), outcome: "aborted" });
  if (typeof content === "string" && JSON_LINES.test(contentType))
    return call.deliver(linesIn(content));
  const isJson = typeof content === "string" && /json/i.test(contentType);
  return isJson ? receiveUndelivered(call, content) : call.deliver(content);
}

/** A body that the SDK has read and could not, or did not, pass on. */
export async function receiveUndelivered(call: ReceivingCall, body: unknown): Promise<void> {
  const parsed = typeof body === "string" ? parseJson(body) : { value: body };
  if (parsed) return call.deliver(parsed.value);
  const error = { type: "SyntaxError", message: NOT_JSON };
  return call.end({ ...call.answerIn(body), outcome: "error", error });
}

/**
 * A body that the SDK could not read. Its own time limit ends the reading with an abort that is not
 * the caller's.
 */
export async function failUnread(call: ReceivingCall, error: unknown): Promise<void> {
  if (nameOf(error) !== "AbortError" || call.aborted) await call.fail(error);
  else
    await call.end({
      outcome: "timeout",
      error: { type: "APIConnectionTimeoutError", message: "Request timed out." },
    });
}

/** Types of a body with one JSON value a line, as results of batches are. */
const JSON_LINES = /jsonl|ndjson/i;

/** The values; a line that is not JSON stays text. */
function linesIn(text: string): readonly unknown[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const parsed = parseJson(line);
      return parsed ? parsed.value : line;
    });
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined; // the caller's error reports it as well
  }
}
