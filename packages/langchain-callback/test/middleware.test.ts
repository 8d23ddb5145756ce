import { RunnableLambda } from "@langchain/core/runnables";
import {
  createAgent,
  modelRetryMiddleware,
  openAIModerationMiddleware,
  piiMiddleware,
  tool,
} from "langchain";
import { AuditLogger } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AuditCallbackHandler } from "../src/index.ts";
import { FullDisk, middleware, only, startBench } from "./fixtures.ts";
import { chat, type Reply, type SentRequest } from "./openai-server.ts";

const user = (content: string): { messages: { role: string; content: string }[] } => ({
  messages: [{ role: "user", content }],
});

const verdict = (flagged: boolean): Reply => ({
  json: {
    id: "modr-1",
    model: "omni-moderation-latest",
    results: [
      {
        flagged,
        categories: { violence: flagged, hate: false },
        category_scores: { violence: 0.9, hate: 0.1 },
      },
    ],
  },
});

describe("moderation middleware", () => {
  it("that ends the run leaves one event, with what it looked at, and no model call", async () => {
    await using bench = await startBench(() => verdict(true));
    const model = bench.model();
    const agent = createAgent({
      model,
      tools: [],
      middleware: middleware(openAIModerationMiddleware, { model }),
    });
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
    const agent = createAgent({
      model,
      tools: [],
      middleware: middleware(openAIModerationMiddleware, { model }),
    });
    await agent.invoke(user("Hello!"), { callbacks: [bench.handler] });
    expect(only(await bench.entries())).toMatchObject({
      operation: "chat",
      outcome: "ok",
      safetyPassed: true,
      safetyChecks: ["openai:moderation"],
    });
  });
});

const look = tool(() => "evil words", {
  name: "look",
  description: "Looks.",
  schema: z.object({}),
});
const flagEvil = (request: SentRequest): Reply =>
  verdict(JSON.stringify(request.body).includes("evil"));

describe("moderation middleware that looks at tools' results", () => {
  it.each([
    [
      "end",
      "blocked",
      [
        user("Hello!").messages[0],
        { role: "tool", name: "look", tool_call_id: "c1", content: "evil words" },
      ],
    ],
    [
      "replace",
      "ok",
      [
        user("Hello!").messages[0],
        { role: "tool", name: "look", tool_call_id: "c1", content: "evil words" },
      ],
    ],
    ["error", "blocked", "evil words"],
  ])(
    "leaves an event with all that it looked at, and with no more where that is told: %s",
    async (exitBehavior, outcome, input) => {
      let calls = 0;
      await using bench = await startBench((request) => {
        if (request.path.endsWith("/moderations")) return flagEvil(request);
        calls += 1;
        return calls === 1
          ? chat("", { toolCalls: [{ id: "c1", name: "look", args: {} }] })
          : chat("Done.");
      });
      const model = bench.model();
      const checks = middleware(openAIModerationMiddleware, {
        model,
        checkToolResults: true,
        exitBehavior,
      });
      const agent = createAgent({ model, tools: [look], middleware: checks });
      const config = { callbacks: [bench.handler] };
      await Promise.allSettled([agent.invoke(user("Hello!"), config)]);
      const event = only(
        (await bench.entries()).filter(({ operation }) => operation === "guardrail"),
      );
      expect(event).toMatchObject({ outcome, safetyPassed: false });
      expect(bench.content(event).input).toEqual(input);
    },
  );
});

describe("an agent's checks", () => {
  it("are those of its model calls and of the agents in it, not of an agent beside it", async () => {
    await using bench = await startBench((request) =>
      request.path.endsWith("/moderations") ? verdict(false) : chat("Hi."),
    );
    const model = bench.model();
    const checks = middleware(openAIModerationMiddleware, { model });
    const checked = createAgent({ model, tools: [], name: "checked", middleware: checks });
    const unchecked = createAgent({ model, tools: [], name: "unchecked" });
    const both = RunnableLambda.from(async (input: ReturnType<typeof user>, config) => {
      await checked.invoke(input, config);
      await unchecked.invoke(input, config);
    });
    await both.invoke(user("Hello!"), { callbacks: [bench.handler] });
    const entries = await bench.entries();
    expect(entries.map(({ run, safetyChecks }) => [run?.["agentName"], safetyChecks])).toEqual([
      ["checked", ["openai:moderation"]],
      ["unchecked", []],
    ]);
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
    await expect(
      agent.invoke(user("I am joe@example.com"), { callbacks: [bench.handler] }),
    ).rejects.toThrow("PII detected");
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
      metadata: { modified_at: "input" },
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
    const retry = middleware(modelRetryMiddleware, {
      maxRetries: 2,
      initialDelayMs: 1,
      onFailure: "error",
    });
    const agent = createAgent({ model: bench.model(), tools: [], middleware: retry });
    await expect(agent.invoke(user("Hello!"), { callbacks: [handler] })).rejects.toThrow(
      "the storage could not keep the entry",
    );
    expect(bench.server.requests).toEqual([]);
    expect(handler.stats).toMatchObject({ open: 0, written: 0 });
  });
});
