// The SDK's helpers and middleware over an audited client: loops, streams, fallbacks, forgotten
// answers.
import { type AuditEntry, AuditLogger, MemoryStorage, withAuditContext } from "@ai-audit/core";
import { collectGarbage } from "@ai-audit/test-support/collect-garbage";
import { events, json } from "@ai-audit/test-support/wire-server";
import {
  Anthropic,
  betaRefusalFallbackMiddleware,
  BetaFallbackState,
  type Middleware,
} from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { describe, expect, it } from "vitest";
import { auditStats, AuditedAnthropic } from "../src/index.ts";
import {
  ended,
  hello,
  helloEvents,
  message,
  started,
  toolEvents,
  toolUse,
} from "./support/payloads.ts";
import {
  entriesOf,
  expectSameBehaviour,
  loadSdk,
  useWireServer,
  VERSIONS,
  wireServer,
} from "./support/same-behaviour.ts";

const sdk = await loadSdk("@anthropic-ai/sdk");
useWireServer();

const stream = { named: true, ending: "end" } as const;

const weather = betaTool({
  name: "weather",
  description: "The weather.",
  inputSchema: { type: "object", properties: { city: { type: "string" } } },
  run: () => "sunny",
});

function clientOf(logger: AuditLogger, options: object = {}): Anthropic {
  return new AuditedAnthropic({
    apiKey: "k",
    baseURL: wireServer().baseURL.replace(/\/v1$/, ""),
    logLevel: "off",
    audit: logger,
    ...options,
  });
}

const refusal = (token?: string) => ({
  stop_reason: "refusal",
  stop_details: {
    type: "refusal",
    category: "cyber",
    explanation: null,
    fallback_credit_token: token ?? null,
    fallback_has_prefill_claim: false,
  },
});
const withFallback = (): { middleware: Middleware[] } => ({
  middleware: [betaRefusalFallbackMiddleware([{ model: "claude-b" }])],
});

const failing: Middleware = () => Promise.reject(new TypeError("not today"));

describe("beta.messages.toolRunner()", () => {
  it("answers as without the audit, and each of its calls is an entry, linked to the one before", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [
        json(message([toolUse], { stop_reason: "tool_use" })),
        json(message("Sunny.", { id: "m2" })),
      ],
      ({ client }) =>
        client.beta.messages.toolRunner({ ...hello, tools: [weather] }).runUntilDone(),
    );
    expect(outcome.wire).toHaveLength(2);
    expect(entries).toMatchObject([
      { operation: "chat", finishReasons: ["tool_use"] },
      { operation: "chat", outputContent: "Sunny.", run: { continues: entries[0]?.id } },
    ]);
  });

  it("streams as without the audit", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(toolEvents, stream), events(helloEvents, stream)],
      async ({ client, note }) => {
        const runner = client.beta.messages.toolRunner({
          ...hello,
          tools: [weather],
          stream: true,
        });
        for await (const turn of runner) for await (const event of turn) note(event.type);
      },
    );
    expect(entries).toMatchObject([
      { streamed: true, finishReasons: ["tool_use"], outcome: "ok" },
      { streamed: true, outputContent: "Hello, world", run: { continues: entries[0]?.id } },
    ]);
  });

  it("is within the run around it", async () => {
    wireServer().script(
      json(message([toolUse], { stop_reason: "tool_use" })),
      json(message("Sunny.")),
    );
    const logger = new AuditLogger(new MemoryStorage());
    const client = clientOf(logger);
    await withAuditContext({ run: { name: "forecaster", kind: "agent" } }, () =>
      client.beta.messages.toolRunner({ ...hello, tools: [weather] }).runUntilDone(),
    );
    const entries = await entriesOf(logger);
    expect(entries).toHaveLength(2);
    expect(new Set(entries.map(({ run }) => run?.parentId)).size).toBe(1);
    expect(entries[0]?.run).toMatchObject({ agentName: "forecaster" });
    await logger.close();
  });
});

describe("middleware of the SDK", () => {
  it("that falls back to another model leaves one entry: refused by one, answered by the other", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [json(message([], refusal("tok"))), json(message("Sure.", { model: "claude-b" }))],
      ({ anthropic }) =>
        anthropic(withFallback()).beta.messages.create(hello, {
          fallbackState: new BetaFallbackState(),
        }),
    );
    expect(outcome.wire).toHaveLength(2);
    expect(entries).toMatchObject([
      {
        outcome: "ok",
        attempts: 2,
        safetyPassed: false,
        detectorsTriggered: ["anthropic:refusal"],
        model: "claude-opus-5",
        responseModel: "claude-b",
      },
    ]);
  });

  it("that splices the fallback's stream leaves one entry as well", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [
        events([started(), ...ended("refusal", refusal("tok"))], stream),
        events(helloEvents, stream),
      ],
      async ({ anthropic, note }) => {
        const running = await anthropic(withFallback()).beta.messages.create(
          { ...hello, stream: true },
          { fallbackState: new BetaFallbackState() },
        );
        for await (const event of running) note(event);
      },
    );
    expect(entries).toMatchObject([{ outcome: "ok", attempts: 2, safetyPassed: false }]);
    expect(entries[0]?.metadata).toMatchObject({ iterations: [{ type: "message" }, {}] });
  });

  it("that fails a call is the call's error", async () => {
    const { entries, outcome } = await expectSameBehaviour(sdk, [], ({ anthropic }) =>
      anthropic({ middleware: [failing] }).messages.create(hello),
    );
    expect(outcome.wire).toEqual([]);
    expect(entries).toMatchObject([
      { outcome: "error", error: { type: "TypeError" }, attempts: 0, inputContent: "Hello!" },
    ]);
  });
});

describe.each(VERSIONS)("an answer of %s that nobody reads", async (version) => {
  const older = await loadSdk(version);

  it("is abandoned once it is forgotten", async () => {
    wireServer().script(events(helloEvents, stream));
    const logger = new AuditLogger(new MemoryStorage());
    const { withAudit } = await import("../src/index.ts");
    const client = new (withAudit(older.Anthropic))({
      apiKey: "k",
      baseURL: wireServer().baseURL.replace(/\/v1$/, ""),
      audit: logger,
    });
    await (async () => void (await client.messages.create({ ...hello, stream: true })))();
    let entries: readonly AuditEntry[] = [];
    for (let round = 0; round < 100 && entries.length === 0; round += 1) {
      await collectGarbage();
      entries = await entriesOf(logger);
    }
    expect(entries).toMatchObject([{ outcome: "abandoned", streamed: true }]);
    expect(auditStats(client)).toMatchObject({ open: 0, written: 1 });
    await logger.close();
  });
});

describe("the ways to read a stream", () => {
  it("include tee(), toReadableStream() and the raw response", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(helloEvents, stream)],
      async ({ client, note }) => {
        const request = { ...hello, stream: true as const };
        const [left, right] = (await client.messages.create(request)).tee();
        for (const one of [left, right]) for await (const event of one) note(event.type);
        const lines = (await client.messages.create(request)).toReadableStream();
        note(await new Response(lines).text());
        const raw = await client.messages.create(request).asResponse();
        note(await raw.text());
      },
    );
    expect(entries).toHaveLength(3);
    for (const entry of entries)
      expect(entry).toMatchObject({ outcome: "ok", outputContent: "Hello, world" });
  });

  it("include the events of beta.messages.stream(), aborted in the middle", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(helloEvents.slice(0, 4), { named: true, ending: "hang" })],
      async ({ client, note }) => {
        const running = client.beta.messages.stream(hello);
        running.on("text", () => running.abort());
        await running.done().catch((error: unknown) => note(error));
      },
    );
    expect(entries).toMatchObject([{ outcome: "aborted", outputContent: "Hello" }]);
  });
});
