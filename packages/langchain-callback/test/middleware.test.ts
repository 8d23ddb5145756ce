import { createAgent, modelRetryMiddleware, openAIModerationMiddleware, piiMiddleware } from "langchain";
import { AuditLogger } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { AuditCallbackHandler } from "../src/index.ts";
import { FullDisk, middleware, only, startBench } from "./fixtures.ts";
import { chat, type Reply } from "./openai-server.ts";

const user = (content: string): { messages: { role: string; content: string }[] } => ({
  messages: [{ role: "user", content }],
});

const verdict = (flagged: boolean): Reply => ({
  json: {
    id: "modr-1",
    model: "omni-moderation-latest",
    results: [
      { flagged, categories: { violence: flagged, hate: false }, category_scores: { violence: 0.9, hate: 0.1 } },
    ],
  },
});

describe("moderation middleware", () => {
  it("that ends the run leaves one event, with what it looked at, and no model call", async () => {
    await using bench = await startBench(() => verdict(true));
    const model = bench.model();
    const agent = createAgent({ model, tools: [], middleware: middleware(openAIModerationMiddleware, { model }) });
    await agent.invoke(user("bad words"), { callbacks: [bench.handler] });
    expect(only(await bench.entries())).toMatchObject({
      operation: "guardrail",
      outcome: "blocked",
      inputContent: "bad words",
      safetyPassed: false,
      safetyChecks: ["openai:moderation"],
      detectorsTriggered: ["openai:moderation"],
      metadata: { safety_event: "openai:moderation", blocked_at: "input" },
      run: { node: "OpenAIModerationMiddleware.before_model" },
    });
  });

  it("that throws leaves one event, though node and root both fail", async () => {
    await using bench = await startBench(() => verdict(true));
    const model = bench.model();
    const agent = createAgent({
      model,
      tools: [],
      middleware: middleware(openAIModerationMiddleware, { model, exitBehavior: "error" }),
    });
    await expect(agent.invoke(user("bad words"), { callbacks: [bench.handler] })).rejects.toThrow(
      "flagged for violence",
    );
    expect(only(await bench.entries())).toMatchObject({
      operation: "guardrail",
      outcome: "blocked",
      inputContent: "bad words",
      detectorsTriggered: ["openai:moderation", "openai:moderation:violence"],
      blockReason: "violence",
      metadata: { blocked_at: "input", category_scores: { violence: 0.9, hate: 0.1 } },
    });
  });

  it("that finds nothing is a check that ran", async () => {
    await using bench = await startBench((request) =>
      request.path.endsWith("/moderations") ? verdict(false) : chat("Hi."),
    );
    const model = bench.model();
    const agent = createAgent({ model, tools: [], middleware: middleware(openAIModerationMiddleware, { model }) });
    await agent.invoke(user("Hello!"), { callbacks: [bench.handler] });
    expect(only(await bench.entries())).toMatchObject({
      operation: "chat",
      outcome: "ok",
      safetyPassed: true,
      safetyChecks: ["openai:moderation"],
    });
  });
});

describe("PII middleware", () => {
  it("that blocks leaves one event without what it found", async () => {
    await using bench = await startBench();
    const agent = createAgent({
      model: bench.model(),
      tools: [],
      middleware: middleware(piiMiddleware, "email", { strategy: "block" }),
    });
    await expect(agent.invoke(user("I am joe@example.com"), { callbacks: [bench.handler] })).rejects.toThrow(
      "PII detected",
    );
    const entry = only(await bench.entries());
    expect(entry).toMatchObject({
      operation: "guardrail",
      outcome: "blocked",
      safetyPassed: false,
      detectorsTriggered: ["pii:email"],
      blockReason: "pii:email",
      metadata: { safety_event: "pii:email", matches: 1 },
    });
    expect(JSON.stringify(entry)).not.toContain("joe@example.com");
    expect(bench.server.requests).toEqual([]);
  });

  it("that redacts is a finding, and the model call has the redacted text only", async () => {
    await using bench = await startBench();
    const agent = createAgent({
      model: bench.model(),
      tools: [],
      middleware: middleware(piiMiddleware, "email", { strategy: "redact" }),
    });
    await agent.invoke(user("I am joe@example.com"), { callbacks: [bench.handler] });
    const [event, call, ...rest] = await bench.entries();
    expect(rest).toEqual([]);
    expect(event).toMatchObject({
      operation: "guardrail",
      outcome: "ok",
      safetyPassed: false,
      detectorsTriggered: ["pii:email"],
      metadata: { changed_at: "input" },
    });
    expect(call).toMatchObject({
      operation: "chat",
      safetyChecks: ["pii:email"],
      inputContent: "I am [REDACTED_EMAIL]",
    });
    expect(JSON.stringify([event, call])).not.toContain("joe@example.com");
  });
});

describe("retry middleware", () => {
  it("sends nothing as long as the start cannot be written", async () => {
    await using bench = await startBench();
    const handler = new AuditCallbackHandler(new AuditLogger(new FullDisk()), { intent: true });
    const retry = middleware(modelRetryMiddleware, { maxRetries: 2, initialDelayMs: 1, onFailure: "error" });
    const agent = createAgent({ model: bench.model(), tools: [], middleware: retry });
    await expect(agent.invoke(user("Hello!"), { callbacks: [handler] })).rejects.toThrow(
      "the storage could not keep the entry",
    );
    expect(bench.server.requests).toEqual([]);
    expect(handler.stats).toMatchObject({ open: 0, written: 0 });
  });
});
