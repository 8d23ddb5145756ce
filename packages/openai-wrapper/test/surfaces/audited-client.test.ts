// The resources of the real client against a real server: what reaches the log of each surface.
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type AuditEntry, AuditLogger, type JsonValue, MemoryStorage } from "@ai-audit/core";
import { BedrockOpenAI } from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  AuditedAzureOpenAI,
  AuditedOpenAI,
  openAIModerationDetector,
  withAudit,
} from "../../src/index.ts";

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly body: unknown;
}

let server: Server;
let origin: string;
let logger: AuditLogger;
let client: AuditedOpenAI;
const answers = new Map<string, Answer>();

beforeAll(async () => {
  server = createServer((request, response) => {
    const { method = "", url = "" } = request;
    const answer = answers.get(`${method} ${url.split("?", 1)[0]}`) ?? {
      status: 404,
      body: { error: { message: url } },
    };
    const { status = 200, type = "application/json", body } = answer;
    request.resume().on("end", () => {
      response.writeHead(status, { "content-type": type, "x-request-id": "req_1" });
      response.end(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  answers.clear();
  logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  client = new AuditedOpenAI({
    apiKey: "sk-test-key",
    baseURL: `${origin}/v1`,
    maxRetries: 0,
    audit: logger,
  });
});

const bytes = Buffer.alloc(5000, 7);
const digest = { bytes: 5000, sha256: createHash("sha256").update(bytes).digest("hex") };

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** All entries so far, with their contents. */
async function entries(): Promise<
  readonly (AuditEntry & { readonly input?: JsonValue; readonly output?: JsonValue })[]
> {
  return (await Array.fromAsync(logger.entries())).map((entry) => ({
    ...entry,
    ...logger.content(entry),
  }));
}

describe("the entry of a call", () => {
  it("has the digest of embeddings, and the caller the numbers", async () => {
    const vector = Float32Array.from([0.5, 1, -2]);
    const embedding = Buffer.from(vector.buffer).toString("base64");
    answers.set("POST /v1/embeddings", {
      body: {
        model: "e-1",
        data: [{ index: 0, embedding }],
        usage: { prompt_tokens: 2, total_tokens: 2 },
      },
    });
    const { data } = await client.embeddings.create({ model: "e", input: "Hi" });
    expect(data[0]?.embedding).toEqual([0.5, 1, -2]);
    expect(await entries()).toMatchObject([
      {
        operation: "embeddings",
        model: "e",
        responseModel: "e-1",
        input: "Hi",
        output: { count: 1, dimensions: 3 },
      },
    ]);
  });

  it("has digests of the files that were sent and of the image that came", async () => {
    answers.set("POST /v1/images/edits", {
      body: { created: 1, data: [{ b64_json: bytes.toString("base64") }] },
    });
    const image = new File([bytes], "a.png", { type: "image/png" });
    await client.images.edit({ model: "gpt-image-1", prompt: "A hat", image: [image] });
    expect(await entries()).toMatchObject([
      {
        operation: "image_edit",
        input: { prompt: "A hat", image: [{ name: "a.png", mime: "image/png", ...digest }] },
        output: [{ b64_json: { mime: "image/png", ...digest } }],
      },
    ]);
  });

  it("has the digest of speech once the caller has read it", async () => {
    answers.set("POST /v1/audio/speech", { type: "audio/mpeg", body: bytes });
    const speech = await client.audio.speech.create({
      model: "tts-1",
      voice: "alloy",
      input: "Hi",
    });
    expect(Buffer.from(await speech.arrayBuffer())).toEqual(bytes);
    expect(await entries()).toMatchObject([
      {
        operation: "speech",
        input: "Hi",
        output: { mime: "audio/mpeg", ...digest },
        outcome: "ok",
      },
    ]);
  });

  it("has the digest of the file that was transcribed", async () => {
    answers.set("POST /v1/audio/transcriptions", {
      body: { text: "Hello!", usage: { type: "duration", seconds: 2 } },
    });
    const file = new File([bytes], "a.mp3", { type: "audio/mpeg" });
    await client.audio.transcriptions.create({ model: "whisper-1", file });
    expect(await entries()).toMatchObject([
      {
        operation: "transcription",
        model: "whisper-1",
        input: { file: { name: "a.mp3", ...digest } },
        output: "Hello!",
        usage: { seconds: 2, source: "reported" },
      },
    ]);
  });

  it("of something in the background is linked to that of its outcome", async () => {
    const response = {
      id: "resp_1",
      object: "response",
      status: "queued",
      output: [],
      background: true,
    };
    answers.set("POST /v1/responses", { body: response });
    const output = [
      {
        type: "message",
        role: "assistant",
        content: [{ type: "output_text", text: "Done", annotations: [] }],
      },
    ];
    const usage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
    answers.set("GET /v1/responses/resp_1", {
      body: { ...response, status: "completed", output, usage },
    });
    await client.responses.create({ model: "gpt-5", input: "Work", background: true });
    await client.responses.retrieve("resp_1");
    expect(await entries()).toMatchObject([
      {
        operation: "responses",
        input: "Work",
        output: "",
        outcome: "ok",
        finishReasons: ["queued"],
        inputTokens: null,
      },
      {
        operation: "responses.retrieve",
        output: "Done",
        finishReasons: ["completed"],
        outputTokens: 4,
      },
    ]);
    expect((await entries()).map(({ responseId }) => responseId)).toEqual(["resp_1", "resp_1"]);
  });

  it("of something that is fetched again names the entry that has it already: its outcome counts once", async () => {
    const response = {
      id: "resp_2",
      object: "response",
      status: "queued",
      output: [],
      background: true,
    };
    const usage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
    answers.set("POST /v1/responses", { body: response });
    await client.responses.create({ model: "gpt-5", input: "Work", background: true });
    for (const status of ["queued", "in_progress", "completed", "completed"]) {
      const reported = status === "completed" ? { usage } : {};
      answers.set("GET /v1/responses/resp_2", { body: { ...response, ...reported, status } });
      await client.responses.retrieve("resp_2");
    }
    const all = await entries();
    const [created, , , outcome] = all.map(({ id }) => id);
    expect(all.map(({ run }) => run?.sameCallAs)).toEqual([
      undefined,
      created,
      created,
      undefined,
      outcome,
    ]);
  });

  it("of a call is its own where a server repeats its ids", async () => {
    answers.set("POST /v1/responses", {
      body: { id: "resp_3", object: "response", status: "completed", output: [] },
    });
    await client.responses.create({ model: "gpt-5", input: "One" });
    await client.responses.create({ model: "gpt-5", input: "Two" });
    expect((await entries()).map(({ run }) => run?.sameCallAs)).toEqual([undefined, undefined]);
  });

  it("has the categories of Azure's filter", async () => {
    const filter = {
      violence: { filtered: true, severity: "high" },
      hate: { filtered: false, severity: "safe" },
    };
    answers.set("POST /openai/deployments/prod/chat/completions", {
      status: 400,
      body: {
        error: {
          code: "content_filter",
          message: "The response was filtered",
          innererror: { code: "ResponsibleAIPolicyViolation", content_filter_result: filter },
        },
      },
    });
    const azure = new AuditedAzureOpenAI({
      apiKey: "0123456789abcdef0123456789abcdef",
      apiVersion: "2024-10-21",
      baseURL: `${origin}/openai`,
      maxRetries: 0,
      audit: logger,
    });
    const call = azure.chat.completions.create({
      model: "prod",
      messages: [{ role: "user", content: "Hi" }],
    });
    await expect(call).rejects.toMatchObject({ status: 400, code: "content_filter" });
    expect(await entries()).toMatchObject([
      {
        provider: "azure.ai.openai",
        model: "prod",
        input: "Hi",
        outcome: "blocked",
        safetyPassed: false,
        detectorsTriggered: [
          "openai:content_filter",
          "azure:ResponsibleAIPolicyViolation",
          "azure:violence",
        ],
        safetyChecks: [
          "openai:content_filter",
          "azure:ResponsibleAIPolicyViolation",
          "azure:content_filter",
        ],
        metadata: { blocked_at: "input", safety: { content_filter_result: filter } },
        error: { type: "BadRequestError", code: "content_filter", status: 400 },
      },
    ]);
  });

  it("names Bedrock for a client of Bedrock, wherever that is", async () => {
    answers.set("POST /v1/responses", {
      body: { id: "resp_4", object: "response", status: "completed", output: [] },
    });
    const bedrock = new (withAudit(BedrockOpenAI))({
      apiKey: "bedrock-key",
      awsRegion: "eu-central-1",
      baseURL: `${origin}/v1`,
      audit: logger,
    });
    await bedrock.responses.create({ model: "m", input: "Hello!" });
    expect(await entries()).toMatchObject([
      { provider: "aws.bedrock", model: "m", input: "Hello!", outcome: "ok" },
    ]);
  });

  it("holds no part of the key that the provider quotes", async () => {
    const message =
      "Incorrect API key provided: sk-test-***-key. You can find your API key at https://example.com.";
    answers.set("POST /v1/chat/completions", {
      status: 401,
      body: { error: { message, code: "invalid_api_key" } },
    });
    await expect(
      client.chat.completions.create({ model: "m", messages: [] }),
    ).rejects.toMatchObject({ status: 401 });
    const [entry] = await entries();
    expect(entry && logger.content(entry).diagnostics?.errorMessage).toBe(
      "401 Incorrect API key provided: [REDACTED]. You can find your API key at https://example.com.",
    );
    expect(JSON.stringify(entry)).not.toContain("sk-test");
  });

  it("of a raw call is that of the resource's own method", async () => {
    answers.set("POST /v1/chat/completions", {
      body: {
        id: "c1",
        choices: [
          { index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" },
        ],
      },
    });
    await client.post("/chat/completions", {
      body: { model: "m", messages: [{ role: "user", content: "Hello!" }] },
    });
    expect(await entries()).toMatchObject([
      { operation: "chat", input: "Hello!", output: "Hi", responseId: "c1" },
    ]);
  });

  it("has files and batches as they were sent and made", async () => {
    answers.set("POST /v1/files", {
      body: { id: "file_1", object: "file", bytes: 5000, purpose: "batch" },
    });
    answers.set("POST /v1/batches", {
      body: { id: "batch_1", object: "batch", status: "validating" },
    });
    await client.files.create({ purpose: "batch", file: new File([bytes], "in.jsonl") });
    await client.batches.create({
      input_file_id: "file_1",
      endpoint: "/v1/responses",
      completion_window: "24h",
    });
    expect(await entries()).toMatchObject([
      {
        operation: "files.create",
        input: { file: { name: "in.jsonl", ...digest } },
        responseId: "file_1",
      },
      { operation: "batches.create", output: { id: "batch_1" }, finishReasons: ["validating"] },
    ]);
  });

  it("names the path without its query, which may hold credentials", async () => {
    answers.set("POST /v1/something/new", { body: { ok: true } });
    for (const base of ["", `${origin}/v1`])
      await client.post(`${base}/something/new?token=hush`, { body: { a: 1 } });
    const all = await entries();
    expect(all).toMatchObject([
      { operation: "/something/new", parameters: { path: "/something/new" } },
      { operation: "/something/new", parameters: { path: "/v1/something/new" } },
    ]);
    expect(JSON.stringify(all)).not.toContain("hush");
  });

  it("says that it has not seen what was sent as a stream, which it never reads", async () => {
    answers.set("POST /v1/ingest", { body: { taken: true } });
    for (const body of [new Blob([bytes]).stream(), pieces()]) {
      await expect(client.post("/ingest", { body })).resolves.toEqual({ taken: true });
    }
    const alerts = ["ai-audit: input not seen: the request's body is a stream"];
    expect(await entries()).toMatchObject([
      { operation: "/ingest", input: "", alerts },
      { operation: "/ingest", input: "", alerts },
    ]);
  });

  it("has the digest of bytes that were sent", async () => {
    answers.set("POST /v1/ingest", { body: { taken: true } });
    await client.post("/ingest", { body: bytes });
    expect(await entries()).toMatchObject([{ operation: "/ingest", input: digest, alerts: [] }]);
  });

  it("of a run has the message that was streamed", async () => {
    const events = [
      'event: thread.run.created\ndata: {"id":"run_1","object":"thread.run","status":"queued","thread_id":"thread_1"}',
      'event: thread.message.created\ndata: {"id":"m1","object":"thread.message","content":[]}',
      'event: thread.message.delta\ndata: {"id":"m1","delta":{"content":[{"index":0,"type":"text","text":{"value":"Hi"}}]}}',
      'event: thread.run.completed\ndata: {"id":"run_1","object":"thread.run","status":"completed","thread_id":"thread_1"}',
      "event: done\ndata: [DONE]",
    ];
    answers.set("POST /v1/threads/thread_1/runs", {
      type: "text/event-stream",
      body: `${events.join("\n\n")}\n\n`,
    });
    const run = client.beta.threads.runs.stream("thread_1", { assistant_id: "asst_1" });
    await run.done();
    expect(await entries()).toMatchObject([
      {
        operation: "threads.runs.create",
        output: "Hi",
        streamed: true,
        outcome: "ok",
        run: { threadId: "thread_1" },
      },
    ]);
  });

  it("of a moderated call says what moderation found; its own call is an entry as well", async () => {
    answers.set("POST /v1/moderations", {
      body: {
        id: "modr-1",
        model: "omni",
        results: [{ flagged: true, categories: { hate: true }, category_scores: {} }],
      },
    });
    const audited = new AuditedOpenAI({
      apiKey: "sk-test-key",
      baseURL: `${origin}/v1`,
      audit: { logger, detectors: [openAIModerationDetector(client)] },
    });
    const call = audited.responses.create({ model: "m", input: "I hate you" });
    await expect(call).rejects.toMatchObject({
      code: "AUDIT_CONTENT_BLOCKED",
      detector: "openai:moderation",
    });
    expect(await entries()).toMatchObject([
      { operation: "moderations", outcome: "ok", safetyPassed: false },
      { operation: "responses", outcome: "blocked", blockReason: "openai:moderation: hate" },
    ]);
  });
});
