// Calls that are broken off, run out of time or lose their connection, over HTTP.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import { createOpenAI } from "@ai-sdk/openai";
import {
  events,
  halfJson,
  hangUp,
  json,
  silence,
  WireServer,
} from "@ai-audit/test-support/wire-server";
import * as ai from "ai";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { auditAiSdk } from "../src/index.ts";
import { entriesOf } from "./support/models.ts";

const apiKey = "sk-proj-0123456789abcdefghij";
const chunk = (delta: object, finish_reason: string | null = null) => ({
  id: "c-1",
  created: 1,
  model: "served",
  choices: [{ index: 0, delta, finish_reason }],
});
const said = [chunk({ role: "assistant", content: "Hel" }), chunk({ content: "lo" })];

let server: WireServer;
beforeAll(async () => {
  server = await WireServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

let logger: AuditLogger;
beforeEach(() => {
  logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
});
afterEach(async () => {
  globalThis.AI_SDK_TELEMETRY_INTEGRATIONS = undefined;
  await logger.close();
});

describe.each(["middleware", "integration"])("By the %s, a call", (by) => {
  function modelOf(): ai.LanguageModel {
    const audit = auditAiSdk({ logger });
    const model = createOpenAI({ apiKey, baseURL: server.baseURL }).chat("gpt-5");
    if (by === "middleware")
      return ai.wrapLanguageModel({ model, middleware: audit.languageModel });
    ai.registerTelemetry(audit.telemetry);
    return model;
  }

  it("that its caller aborts while it waits is aborted", async () => {
    const stopper = new AbortController();
    server.script((response, request) => (stopper.abort(), silence(response, request)));
    const asked = ai.generateText({
      model: modelOf(),
      prompt: "Hi",
      abortSignal: stopper.signal,
    });
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
    expect(await entriesOf(logger)).toMatchObject([{ outcome: "aborted" }]);
  });

  it("whose stream its caller aborts keeps the part that came", async () => {
    server.script(events(said, { ending: "hang" }));
    const stopper = new AbortController();
    const result = ai.streamText({
      model: modelOf(),
      prompt: "Hi",
      abortSignal: stopper.signal,
      onError: () => undefined,
    });
    let text = "";
    for await (const piece of result.textStream) {
      text += piece;
      if (text === "Hello") stopper.abort();
    }
    await expect
      .poll(() => entriesOf(logger))
      .toMatchObject([{ outcome: "aborted", streamed: true, outputContent: "Hello" }]);
  });

  it("that runs out of time is a timeout", async () => {
    server.script(silence);
    const asked = ai.generateText({
      model: modelOf(),
      prompt: "Hi",
      abortSignal: AbortSignal.timeout(30),
      maxRetries: 0,
    });
    await expect(asked).rejects.toMatchObject({ name: "TimeoutError" });
    expect(await entriesOf(logger)).toMatchObject([{ outcome: "timeout" }]);
  });

  it("that runs out of the SDK's own time is a timeout", async () => {
    server.script(silence);
    const asked = ai.generateText({ model: modelOf(), prompt: "Hi", timeout: 30, maxRetries: 0 });
    await expect(asked).rejects.toThrow("timeout");
    expect(await entriesOf(logger)).toMatchObject([{ outcome: "timeout" }]);
  });

  it.each([
    ["is closed", hangUp],
    ["is closed within the answer", halfJson],
  ])("whose connection %s is an error", async (_, reply) => {
    server.script(reply);
    await expect(
      ai.generateText({ model: modelOf(), prompt: "Hi", maxRetries: 0 }),
    ).rejects.toBeInstanceOf(ai.APICallError);
    expect(await entriesOf(logger)).toMatchObject([{ outcome: "error" }]);
  });

  it("whose stream is cut keeps the part that came", async () => {
    server.script(events(said, { ending: "cut" }));
    const result = ai.streamText({
      model: modelOf(),
      prompt: "Hi",
      onError: () => undefined,
      maxRetries: 0,
    });
    await Array.fromAsync(result.stream).catch(() => undefined);
    expect(await entriesOf(logger)).toMatchObject([
      { outcome: "error", outputContent: "Hello", streamed: true },
    ]);
  });

  it("whose stream a time-out stops is one, where the signal is seen", async () => {
    server.script(events(said, { ending: "hang" }));
    const stopper = new AbortController();
    const result = ai.streamText({
      model: modelOf(),
      prompt: "Hi",
      abortSignal: stopper.signal,
      onError: () => undefined,
    });
    let text = "";
    for await (const piece of result.textStream) {
      text += piece;
      if (text === "Hello") stopper.abort(new DOMException("late", "TimeoutError"));
    }
    await expect
      .poll(() => entriesOf(logger))
      .toMatchObject([
        { outcome: by === "middleware" ? "timeout" : "aborted", outputContent: "Hello" },
      ]);
  });

  it("leaves no key in its entry, also where the provider repeats it", async () => {
    const message = `Incorrect API key provided: ${apiKey}.`;
    server.script(json({ error: { message, type: "invalid_request_error" } }, 401));
    await expect(
      ai.generateText({ model: modelOf(), prompt: "Hi", maxRetries: 0 }),
    ).rejects.toThrow("Incorrect API key");
    const all = await entriesOf(logger);
    expect(all).toMatchObject([{ outcome: "error", error: { status: 401 } }]);
    expect(JSON.stringify(all)).not.toContain(apiKey);
  });
});
