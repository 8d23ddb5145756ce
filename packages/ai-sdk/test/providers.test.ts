// Real provider packages against a local server: the same results and bytes with audit and without.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createMistral } from "@ai-sdk/mistral";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { type AuditEntry, AuditLogger } from "@ai-audit/core";
import { generateText, type LanguageModel, streamText, wrapLanguageModel } from "ai";
import * as ai6 from "ai-v6";
import { createOpenAI as createOpenAIForV6 } from "openai-provider-v3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { auditAiSdk } from "../src/index.ts";

const chat = {
  id: "chat-1",
  object: "chat.completion",
  created: 1_700_000_000,
  model: "served",
  choices: [{ index: 0, message: { role: "assistant", content: "Paris" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 },
};
const filtered = {
  ...chat,
  choices: [
    { index: 0, message: { role: "assistant", content: "" }, finish_reason: "content_filter" },
  ],
};
const message = {
  id: "msg-1",
  type: "message",
  role: "assistant",
  model: "served",
  content: [{ type: "text", text: "Paris" }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 9, output_tokens: 2 },
};
const gemini = {
  candidates: [{ content: { role: "model", parts: [{ text: "Paris" }] }, finishReason: "STOP" }],
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 2, totalTokenCount: 11 },
  modelVersion: "served",
};
const converse = {
  output: { message: { role: "assistant", content: [{ text: "Paris" }] } },
  stopReason: "end_turn",
  usage: { inputTokens: 9, outputTokens: 2, totalTokens: 11 },
};

interface Case {
  readonly name: string;
  readonly model: (baseURL: string) => LanguageModel;
  readonly provider: string;
  readonly answer: object;
  readonly refused: object;
}

const key = { apiKey: "sk-secret-0123456789" };
const CASES: readonly Case[] = [
  {
    name: "openai",
    model: (baseURL) => createOpenAI({ ...key, baseURL }).chat("gpt-5"),
    provider: "openai",
    answer: chat,
    refused: filtered,
  },
  {
    name: "anthropic",
    model: (baseURL) => createAnthropic({ ...key, baseURL })("claude-sonnet-4-5"),
    provider: "anthropic",
    answer: message,
    refused: { ...message, content: [], stop_reason: "refusal" },
  },
  {
    name: "google",
    model: (baseURL) => createGoogleGenerativeAI({ ...key, baseURL })("gemini-2.5-flash"),
    provider: "gcp.gemini",
    answer: gemini,
    refused: {
      candidates: [{ content: { role: "model", parts: [] }, finishReason: "SAFETY" }],
      usageMetadata: gemini.usageMetadata,
    },
  },
  {
    name: "amazon-bedrock",
    model: (baseURL) => createAmazonBedrock({ ...key, region: "us-east-1", baseURL })("nova"),
    provider: "aws.bedrock",
    answer: converse,
    refused: { ...converse, stopReason: "guardrail_intervened" },
  },
  {
    name: "mistral",
    model: (baseURL) => createMistral({ ...key, baseURL })("mistral-small"),
    provider: "mistral_ai",
    answer: chat,
    refused: { ...chat, choices: [{ ...filtered.choices[0], finish_reason: "content_filter" }] },
  },
  {
    name: "openai-compatible",
    model: (baseURL) => createOpenAICompatible({ ...key, name: "house", baseURL })("house-1"),
    provider: "house",
    answer: chat,
    refused: filtered,
  },
];

let server: Server;
let baseURL: string;
let reply: { status: number; type: string; body: string };
const bodies: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (piece: Buffer) => chunks.push(piece));
    request.on("end", () => {
      bodies.push(`${request.url} ${Buffer.concat(chunks).toString()}`);
      response.writeHead(reply.status, { "content-type": reply.type, "x-request-id": "req-1" });
      response.end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

let directory: string;
let logger: AuditLogger;

beforeEach(async () => {
  bodies.length = 0;
  directory = await mkdtemp(join(tmpdir(), "ai-audit-ai-sdk-"));
  logger = new AuditLogger(directory, { storeContent: true });
});

afterEach(async () => {
  await logger.close();
  await rm(directory, { recursive: true, force: true });
});

function json(body: object, status = 200): void {
  reply = { status, type: "application/json", body: JSON.stringify(body) };
}

async function entries(): Promise<AuditEntry[]> {
  return Array.fromAsync(logger.entries());
}

function audited(model: LanguageModel): LanguageModel {
  if (typeof model === "string") throw new TypeError("a model");
  return wrapLanguageModel({ model, middleware: auditAiSdk({ logger }).languageModel });
}

async function call(model: LanguageModel): Promise<unknown> {
  const { text, content, finishReason, usage, providerMetadata } = await generateText({
    model,
    prompt: "Capital of France?",
    temperature: 0.5,
  });
  return { text, content, finishReason, usage, providerMetadata };
}

function chunk(delta: object, more: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason: null, ...more }];
  return `data: ${JSON.stringify({ id: "c-1", created: 1, model: "served", choices })}\n\n`;
}

async function parts(model: LanguageModel): Promise<readonly string[]> {
  const all = await Array.fromAsync(streamText({ model, prompt: "Hi" }).fullStream);
  return all.map((part) => ("text" in part ? `${part.type} ${part.text}` : part.type));
}

describe.each(CASES)("@ai-sdk/$name", ({ model, provider, answer, refused }) => {
  it("gives the same result from the same bytes, and one entry", async () => {
    json(answer);
    expect(await call(audited(model(baseURL)))).toEqual(await call(model(baseURL)));
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toBe(bodies[1]);
    const all = await entries();
    expect(all).toMatchObject([
      {
        outcome: "ok",
        provider,
        inputTokens: 9,
        outputTokens: 2,
        outputContent: "Paris",
        parameters: { temperature: 0.5 },
      },
    ]);
    // The other packages do not tell the SDK where they sent the request.
    expect(all[0]?.server?.address).toBe(provider === "openai" ? "127.0.0.1" : undefined);
    expect(JSON.stringify(all)).not.toContain(key.apiKey);
  });

  it("calls a refusal blocked", async () => {
    json(refused);
    await generateText({ model: audited(model(baseURL)), prompt: "Hi" });
    expect(await entries()).toMatchObject([{ outcome: "blocked", safetyPassed: false }]);
  });

  it("hands an error on and records its status", async () => {
    json({ error: { message: "no", type: "invalid_request_error" }, message: "no" }, 400);
    const failing = generateText({ model: audited(model(baseURL)), prompt: "Hi", maxRetries: 0 });
    await expect(failing).rejects.toMatchObject({ statusCode: 400 });
    expect(await entries()).toMatchObject([{ outcome: "error", error: { status: 400 } }]);
  });
});

describe("ai 6 with its own provider", () => {
  it("gives the same result from the same bytes, and one entry", async () => {
    json(chat);
    const plain = createOpenAIForV6({ ...key, baseURL }).chat("gpt-5");
    const model = ai6.wrapLanguageModel({
      model: plain,
      middleware: auditAiSdk({ logger }).languageModel,
    });
    const [recorded, expected] = [
      await ai6.generateText({ model, prompt: "Hi" }),
      await ai6.generateText({ model: plain, prompt: "Hi" }),
    ];
    expect(recorded.content).toEqual(expected.content);
    expect(recorded.totalUsage).toEqual(expected.totalUsage);
    expect(bodies[0]).toBe(bodies[1]);
    expect(await entries()).toMatchObject([
      { outcome: "ok", provider: "openai", outputContent: "Paris", inputTokens: 9 },
    ]);
  });
});

describe("a prompt that the provider's filter stops with an error", () => {
  it("is blocked", async () => {
    json({ error: { message: "filtered", code: "content_filter", type: "invalid" } }, 400);
    const model = audited(createOpenAI({ ...key, baseURL }).chat("gpt-5"));
    await expect(generateText({ model, prompt: "Hi", maxRetries: 0 })).rejects.toThrow("filtered");
    expect(await entries()).toMatchObject([
      { outcome: "blocked", detectorsTriggered: ["openai:content_filter"] },
    ]);
  });
});

describe("retries", () => {
  it("leave an entry each", async () => {
    json({ error: { message: "busy" } }, 503);
    const model = audited(createOpenAI({ ...key, baseURL }).chat("gpt-5"));
    await expect(generateText({ model, prompt: "Hi", maxRetries: 1 })).rejects.toThrow("busy");
    expect(bodies).toHaveLength(2);
    expect(await entries()).toMatchObject([{ outcome: "error" }, { outcome: "error" }]);
  });
});

describe("a stream of server-sent events", () => {
  it("arrives part for part, and leaves one entry", async () => {
    const last = `data: ${JSON.stringify({ id: "c-1", created: 1, model: "served", choices: [], usage: chat.usage })}\n\n`;
    const body = `${chunk({ role: "assistant", content: "Pa" })}${chunk({ content: "ris" })}${chunk({}, { finish_reason: "stop" })}${last}data: [DONE]\n\n`;
    reply = { status: 200, type: "text/event-stream", body };
    const plain = createOpenAI({ ...key, baseURL }).chat("gpt-5");
    expect(await parts(audited(plain))).toEqual(await parts(plain));
    expect(bodies[0]).toBe(bodies[1]);
    expect(await entries()).toMatchObject([
      { outcome: "ok", streamed: true, inputTokens: 9, outputTokens: 2, outputContent: "Paris" },
    ]);
  });
});
