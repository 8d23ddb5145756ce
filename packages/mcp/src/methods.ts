// The methods of MCP that get entries: the fields of a request and of its answer.
import {
  boundInput,
  boundOutput,
  type CapturedFields,
  censorUrl,
  type ContentBounds,
  defined,
  type Fields,
  fieldsOf,
  isFields,
  type JsonValue,
  mergeFields,
  type ReviewVerdict,
  type Run,
  scrubSecrets,
  snapshot,
  textOf,
} from "@ai-audit/core/capture";

/** One method that is recorded. */
interface Method {
  readonly operation: string;
  /** The `run.kind` of its entries. */
  readonly kind: string;
  /** The member of the parameters that names what is asked for. */
  readonly name?: string;
  readonly input: (params: Fields) => unknown;
}

/** Methods without a row leave no entry: handshakes, pings, subscriptions, completions. */
const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  [
    "tools/call",
    {
      operation: "execute_tool",
      kind: "tool",
      name: "name",
      input: (params) => params["arguments"] ?? {},
    },
  ],
  ["tools/list", { operation: "tools/list", kind: "listing", input: () => "" }],
  [
    "resources/read",
    { operation: "resources/read", kind: "resource", name: "uri", input: ({ uri }) => ({ uri }) },
  ],
  [
    "prompts/get",
    {
      operation: "prompts/get",
      kind: "prompt",
      name: "name",
      input: (params) => params["arguments"] ?? {},
    },
  ],
  [
    "sampling/createMessage",
    {
      operation: "sampling/createMessage",
      kind: "sampling",
      input: (params) => without(params, "_meta"),
    },
  ],
  [
    "elicitation/create",
    {
      operation: "human_review",
      kind: "elicitation",
      input: (params) => ({ before: questionOf(params) }),
    },
  ],
]);

/** A request that is recorded, read once. */
export interface ReadRequest {
  readonly method: string;
  readonly name: string | undefined;
  readonly run: Run;
  readonly fields: CapturedFields;
}

/** Whether requests of this method leave an entry. */
export function isRecorded(method: unknown): method is string {
  return typeof method === "string" && METHODS.has(method);
}

/** The fields of a request of a recorded method. */
export function readRequest(method: string, params: unknown, bounds: ContentBounds): ReadRequest {
  const row = METHODS.get(method);
  const given = fieldsOf(params);
  const name = row?.name === undefined ? undefined : textOf(given[row.name]);
  const shown = name === undefined ? undefined : censorUrl(name);
  const input = boundInput(snapshot(row?.input(given) ?? ""), bounds);
  return {
    method,
    name: shown,
    run: defined({
      name: shown ?? method,
      kind: row?.kind,
      toolName: method === "tools/call" ? shown : undefined,
    }),
    fields: {
      operation: row?.operation ?? method,
      input: input.value,
      alerts: input.alerts,
      trace: traceOf(fieldsOf(given["_meta"])["traceparent"]),
    },
  };
}

/** The fields of a result. `of` is the id that a person's decision is about. */
export function readResult(
  method: string,
  result: unknown,
  { of, bounds }: { readonly of: string; readonly bounds: ContentBounds },
): CapturedFields {
  const fields = fieldsOf(result);
  if (fields["resultType"] === "input_required")
    return mergeFields(outputOf(without(fields, "_meta"), bounds), {
      outcome: "interrupted",
      metadata: { waits_for: Object.keys(fieldsOf(fields["inputRequests"])) },
    });
  if (method === "elicitation/create") return readDecision(fields, of);
  const failed = fields["isError"] === true;
  return mergeFields(
    outputOf(method === "tools/list" ? (fields["tools"] ?? []) : outcomeOf(fields), bounds),
    { outcome: failed ? "error" : "ok" },
    failed
      ? { error: { type: "ToolError", message: "the tool reported an error: see output" } }
      : {},
    method === "sampling/createMessage" ? { responseModel: textOf(fields["model"]) } : {},
  );
}

/** The fields of a JSON-RPC error. */
export function readError(error: unknown): CapturedFields {
  const { code, message } = fieldsOf(error);
  const isTimeout = code === REQUEST_TIMEOUT;
  return {
    outcome: isTimeout ? "timeout" : "error",
    output: "",
    error: {
      type: "JSONRPCError",
      ...(typeof code === "number" && { code: String(code) }),
      ...(typeof message === "string" && { message: scrubSecrets(message) }),
    },
  };
}

/** The code of the SDKs for a request without an answer in time. */
const REQUEST_TIMEOUT = -32001;

/** The fields of a cancellation. The SDKs give their own time-out as its reason. */
export function readCancellation(reason: unknown): CapturedFields {
  const said = textOf(reason);
  const timedOut = said !== undefined && /-32001|timed out/i.test(said);
  return {
    outcome: timedOut ? "timeout" : "aborted",
    output: "",
    error: {
      type: timedOut ? "RequestTimeout" : "Cancelled",
      ...(said !== undefined && { message: scrubSecrets(said) }),
    },
  };
}

/** A person's answer to an elicitation. */
export function readDecision(result: Fields, of: string): CapturedFields {
  const { action, content } = result;
  const verdict = verdictOf(action, content);
  return {
    outcome: verdict === undefined ? "aborted" : "ok",
    output: content === undefined ? "" : { after: snapshot(content) },
    metadata: { ...(verdict && { review: "decided" }), decisions: [textOf(action) ?? null] },
    ...(verdict && { review: { of, verdict } }),
  };
}

/**
 * `accept` of a form with one yes-or-no field is the answer in that field; with other fields it is
 * an answer. `cancel` is a question that was closed without a decision.
 */
function verdictOf(action: unknown, content: unknown): ReviewVerdict | undefined {
  if (action === "decline") return "rejected";
  if (action !== "accept") return undefined;
  const answers = isFields(content) ? Object.values(content) : [];
  const [only] = answers;
  if (answers.length === 0) return "approved";
  if (answers.length === 1 && typeof only === "boolean") return only ? "approved" : "rejected";
  return "answered";
}

function outputOf(value: unknown, bounds: ContentBounds): CapturedFields {
  const output = boundOutput(snapshot(value), bounds);
  return { output: output.value, alerts: output.alerts };
}

/** The result without the members that the protocol adds. */
function outcomeOf(result: Fields): Fields {
  return without(result, "_meta", "resultType", "isError");
}

/** A question to a person. A link for it may hold a key. */
function questionOf(params: Fields): Fields {
  const { url, ...rest } = without(params, "_meta");
  return typeof url === "string" ? { ...rest, url: censorUrl(url) } : rest;
}

function without(fields: Fields, ...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

/** W3C Trace Context, as MCP carries it in `_meta`. */
function traceOf(traceparent: unknown): CapturedFields["trace"] {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-/.exec(textOf(traceparent) ?? "");
  const [, traceId, spanId] = match ?? [];
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}

/** Name and version of an `Implementation`. */
export function implementationOf(value: unknown): JsonValue | undefined {
  const { name, version } = fieldsOf(value);
  const known = defined({ name: textOf(name), version: textOf(version) });
  return Object.keys(known).length === 0 ? undefined : known;
}
