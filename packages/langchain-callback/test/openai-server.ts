// An OpenAI-compatible server for tests: chat completions, responses, completions, moderations and
// embeddings over node:http. It is told what to answer; it knows nothing of the code under test.
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

export interface SentRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** A JSON answer, a stream of events, or a connection that breaks. */
export type Reply =
  | { readonly json: unknown; readonly status?: number; readonly headers?: Record<string, string> }
  | {
      readonly events: readonly unknown[];
      /** Wait before each event, in milliseconds. */
      readonly everyMs?: number;
      /** After the events: `[DONE]`, nothing ever again, or a broken connection. @default "done" */
      readonly after?: "done" | "hang" | "break";
    }
  | { readonly hang: true };

export type Respond = (request: SentRequest, index: number) => Reply | Promise<Reply>;

export interface OpenAiServer extends AsyncDisposable {
  /** With `/v1`. */
  readonly url: string;
  readonly requests: SentRequest[];
  /** What to answer from now on. */
  respond: Respond;
}

export async function startOpenAiServer(
  respond: Respond = () => chat("Hi."),
): Promise<OpenAiServer> {
  const requests: SentRequest[] = [];
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = "";
    for await (const piece of incoming) text += String(piece);
    const request = {
      path: incoming.url ?? "",
      headers: incoming.headers,
      body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>,
    };
    requests.push(request);
    await answer(response, await handle.respond(request, requests.length - 1));
  };
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const handle: OpenAiServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    respond,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return handle;
}

async function answer(response: ServerResponse, reply: Reply): Promise<void> {
  if ("hang" in reply) return;
  if ("json" in reply) {
    response.writeHead(reply.status ?? 200, {
      "content-type": "application/json",
      ...reply.headers,
    });
    response.end(JSON.stringify(reply.json));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of reply.events) {
    if (reply.everyMs) await new Promise((resolve) => setTimeout(resolve, reply.everyMs));
    const type =
      typeof event === "object" && event !== null && "type" in event
        ? `event: ${String(event.type)}\n`
        : "";
    response.write(`${type}data: ${JSON.stringify(event)}\n\n`);
  }
  if (reply.after === "hang") return;
  if (reply.after === "break") {
    response.destroy();
    return;
  }
  response.end("data: [DONE]\n\n");
}

let ids = 0;

export function nextId(prefix: string): string {
  ids += 1;
  return `${prefix}${ids}`;
}

export interface ChatOptions {
  readonly id?: string;
  readonly finishReason?: string;
  readonly toolCalls?: readonly {
    readonly id: string;
    readonly name: string;
    readonly args: unknown;
  }[];
  readonly message?: Record<string, unknown>;
  readonly usage?: Record<string, unknown> | null;
  /** Further choices besides the first. */
  readonly more?: readonly string[];
  readonly body?: Record<string, unknown>;
  readonly choice?: Record<string, unknown>;
}

export const USAGE: Record<string, unknown> = {
  prompt_tokens: 11,
  completion_tokens: 7,
  total_tokens: 18,
  prompt_tokens_details: { cached_tokens: 3 },
  completion_tokens_details: { reasoning_tokens: 2 },
};

/** A chat completion. */
export function chat(content: string | null, options: ChatOptions = {}): Reply {
  const { toolCalls, finishReason = toolCalls ? "tool_calls" : "stop" } = options;
  const message = {
    role: "assistant",
    content,
    ...(toolCalls && { tool_calls: toolCalls.map(wireToolCall) }),
    ...options.message,
  };
  return {
    json: {
      id: options.id ?? nextId("chatcmpl-"),
      object: "chat.completion",
      created: 1_790_000_000,
      model: "gpt-test-2026",
      choices: [
        message,
        ...(options.more ?? []).map((text) => ({ role: "assistant", content: text })),
      ].map((one, index) => ({
        index,
        message: one,
        finish_reason: finishReason,
        logprobs: null,
        ...options.choice,
      })),
      ...(options.usage !== null && { usage: options.usage ?? USAGE }),
      ...options.body,
    },
  };
}

function wireToolCall({ id, name, args }: { id: string; name: string; args: unknown }): unknown {
  return { id, type: "function", function: { name, arguments: JSON.stringify(args) } };
}

/** The chunks of a streamed chat completion. */
export function chatChunks(
  pieces: readonly string[],
  options: ChatOptions & { readonly cut?: boolean } = {},
): unknown[] {
  const id = options.id ?? nextId("chatcmpl-");
  const { toolCalls, finishReason = toolCalls ? "tool_calls" : "stop" } = options;
  const chunk = (choices: unknown[], rest: object = {}): unknown => ({
    id,
    object: "chat.completion.chunk",
    created: 1_790_000_000,
    model: "gpt-test-2026",
    choices,
    ...rest,
  });
  const delta = (content: object, reason: string | null = null): unknown =>
    chunk([{ index: 0, delta: content, finish_reason: reason }]);
  return [
    delta({ role: "assistant", content: "" }),
    ...pieces.map((content) => delta({ content })),
    ...(toolCalls ?? []).flatMap((call, index) => {
      const args = JSON.stringify(call.args);
      const half = Math.floor(args.length / 2);
      const piece = (rest: object): unknown => delta({ tool_calls: [{ index, ...rest }] });
      return [
        piece({
          id: call.id,
          type: "function",
          function: { name: call.name, arguments: args.slice(0, half) },
        }),
        piece({ function: { arguments: args.slice(half) } }),
      ];
    }),
    ...(options.cut
      ? []
      : [
          delta({}, finishReason),
          ...(options.usage === null ? [] : [chunk([], { usage: options.usage ?? USAGE })]),
        ]),
  ];
}

/** A streamed or plain chat answer, as the request asks. */
export function chatFor(request: SentRequest, text: string, options: ChatOptions = {}): Reply {
  return request.body["stream"] === true
    ? { events: chatChunks(text.match(/.{1,4}/gsu) ?? [], options) }
    : chat(text, options);
}

/** An error as OpenAI answers it. */
export function failure(status: number, error: Record<string, unknown>): Reply {
  return { status, json: { error }, headers: { "x-request-id": nextId("req_") } };
}

/** The text of the last message of a chat request. */
export function lastText(request: SentRequest): string {
  const messages = request.body["messages"] as { content: unknown }[] | undefined;
  return String(messages?.at(-1)?.content ?? request.body["prompt"] ?? request.body["input"]);
}

const RESPONSE_USAGE = {
  input_tokens: 11,
  output_tokens: 7,
  total_tokens: 18,
  input_tokens_details: { cached_tokens: 3 },
  output_tokens_details: { reasoning_tokens: 2 },
};

function responseBody(
  id: string,
  output: readonly unknown[],
  rest: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    id,
    object: "response",
    created_at: 1_790_000_000,
    model: "gpt-test-2026",
    status: "completed",
    incomplete_details: null,
    error: null,
    output,
    usage: RESPONSE_USAGE,
    ...rest,
  };
}

function outputMessage(content: readonly unknown[], status = "completed"): unknown {
  return { type: "message", id: nextId("msg_"), role: "assistant", status, content };
}

/** A response of the Responses API: a text, or other content parts. */
export function responded(
  content: string | readonly unknown[],
  rest: Record<string, unknown> = {},
): Reply {
  const parts =
    typeof content === "string"
      ? [{ type: "output_text", text: content, annotations: [] }]
      : content;
  return { json: responseBody(nextId("resp_"), [outputMessage(parts)], rest) };
}

/** The events of a streamed text of the Responses API. */
export function responseEvents(text: string, rest: Record<string, unknown> = {}): unknown[] {
  const id = nextId("resp_");
  const item = nextId("msg_");
  const part = { type: "output_text", text, annotations: [] };
  const message = {
    type: "message",
    id: item,
    role: "assistant",
    status: "completed",
    content: [part],
  };
  const at = { item_id: item, output_index: 0, content_index: 0 };
  const done = responseBody(id, [message], rest);
  return [
    {
      type: "response.created",
      response: { ...responseBody(id, []), status: "in_progress", usage: null },
    },
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { ...message, content: [], status: "in_progress" },
    },
    { type: "response.content_part.added", ...at, part: { ...part, text: "" } },
    ...(text.match(/.{1,4}/gsu) ?? []).map((delta) => ({
      type: "response.output_text.delta",
      ...at,
      delta,
    })),
    { type: "response.output_text.done", ...at, text },
    { type: "response.output_item.done", output_index: 0, item: message },
    { type: `response.${String(done["status"])}`, response: done },
  ].map((event, index) => ({ ...event, sequence_number: index }));
}
