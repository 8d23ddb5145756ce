// What the SDKs of three major versions hand to a reader of a stream, fed to the collectors as it
// comes.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";
import OpenAI5 from "openai-v5";
import OpenAI6 from "openai-v6";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect, post } from "./wire.ts";

const SSE: Readonly<Record<string, string>> = {
  "/v1/chat/completions": [
    'data: {"id":"c1","model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}',
    'data: {"id":"c1","model":"m-1","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}',
    'data: {"id":"c1","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
    'data: {"id":"c1","model":"m-1","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}',
    "data: [DONE]",
  ].join("\n\n"),
  "/v1/responses": [
    'event: response.created\ndata: {"type":"response.created","response":{"id":"r1","status":"in_progress","output":[]}}',
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hi"}',
    'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r1","model":"m-1","status":"completed","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[]}]}],"usage":{"input_tokens":1,"output_tokens":2}}}',
  ].join("\n\n"),
  "/v1/threads/t1/runs": [
    'event: thread.run.created\ndata: {"id":"run1","object":"thread.run","status":"queued","thread_id":"t1"}',
    'event: thread.message.delta\ndata: {"id":"m1","object":"thread.message.delta","delta":{"content":[{"index":0,"type":"text","text":{"value":"Hi"}}]}}',
    'event: thread.run.completed\ndata: {"id":"run1","object":"thread.run","status":"completed","model":"m-1","thread_id":"t1","usage":{"prompt_tokens":1,"completion_tokens":2}}',
    "event: done\ndata: [DONE]",
  ].join("\n\n"),
  "/v1/audio/transcriptions": [
    'data: {"type":"transcript.text.delta","delta":"Hi"}',
    'data: {"type":"transcript.text.done","text":"Hi","usage":{"type":"tokens","input_tokens":1,"output_tokens":2}}',
    "data: [DONE]",
  ].join("\n\n"),
};

let server: Server;
let baseURL: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`${SSE[request.url ?? ""]}\n\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

interface Streams {
  readonly chat: AsyncIterable<unknown>;
  readonly responses: AsyncIterable<unknown>;
  readonly runs: AsyncIterable<unknown>;
  readonly transcription: AsyncIterable<unknown>;
}

type Client = OpenAI | OpenAI5 | OpenAI6;

/** The same calls of each version, whose types differ. */
async function streamsOf(client: Client): Promise<Streams> {
  const stream = async (path: string): Promise<AsyncIterable<unknown>> =>
    client.post(path, { body: {}, stream: true }) as Promise<AsyncIterable<unknown>>;
  return {
    chat: await stream("/chat/completions"),
    responses: await stream("/responses"),
    runs: await stream("/threads/t1/runs"),
    transcription: await stream("/audio/transcriptions"),
  };
}

describe.each([
  ["7", (): Client => new OpenAI({ apiKey: "test", baseURL })],
  ["6", (): Client => new OpenAI6({ apiKey: "test", baseURL })],
  ["5", (): Client => new OpenAI5({ apiKey: "test", baseURL })],
])("the streams of openai %s", (_, client) => {
  it.each([
    ["chat", "/chat/completions", { responseId: "c1", finishReasons: ["stop"] }],
    ["responses", "/responses", { responseId: "r1", finishReasons: ["completed"] }],
    ["runs", "/threads/t1/runs", { responseId: "run1", finishReasons: ["completed"] }],
    ["transcription", "/audio/transcriptions", {}],
  ] as const)("amount to text, usage and an end: %s", async (name, path, more) => {
    const streams = await streamsOf(client());
    const collector = collect(post(path), []);
    for await (const event of streams[name]) collector.push(event);
    expect(collector.terminal).toBe(true);
    expect(collector.firstContentSeen).toBe(true);
    expect(collector.result()).toMatchObject({
      output: "Hi",
      inputTokens: 1,
      outputTokens: 2,
      ...more,
    });
  });
});
