// Nothing is kept of calls that are over, however they ended. A round has 150 calls of one ending,
// with AUDIT_SOAK=1 2,000; HEAP_CALLS sets another number.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import type { Anthropic } from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { AuditedAnthropic, auditStats } from "../src/index.ts";
import { helloEvents, message } from "./support/payloads.ts";
import { collectGarbage } from "@ai-audit/test-support/collect-garbage";
import { expectFlatHeap } from "@ai-audit/test-support/flat-heap";
import { times } from "@ai-audit/test-support/soak";

const CALLS = Number(process.env["HEAP_CALLS"] ?? times(150, 2000));
/** What a call may leave in bytes, on average: far below one request, one response or one event. */
const BYTES_PER_CALL = 100;

const body = {
  model: "m",
  max_tokens: 8,
  messages: [{ role: "user" as const, content: "Hello! ".repeat(100) }],
};
const sse = helloEvents
  .map((event) => `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`)
  .join("");

/** Answers in this process: sockets would drown what is measured. */
async function answer(_: unknown, init: RequestInit | undefined): Promise<Response> {
  await new Promise((resolve) => setImmediate(resolve));
  const request = typeof init?.body === "string" ? init.body : "";
  if (request.includes('"fail"'))
    return Response.json(
      { type: "error", error: { type: "invalid_request_error", message: "No." } },
      { status: 400 },
    );
  if (request.includes('"stream":true'))
    return new Response(sse, { headers: { "content-type": "text/event-stream" } });
  return Response.json(message());
}

const ENDINGS: Record<string, (client: Anthropic) => Promise<unknown>> = {
  ok: (client) => client.messages.create(body),
  error: (client) => client.messages.create({ ...body, model: "fail" }).catch(() => undefined),
  abort: (client) =>
    client.messages.create(body, { signal: AbortSignal.abort() }).catch(() => undefined),
  "stream read": async (client) =>
    Array.fromAsync(await client.messages.create({ ...body, stream: true })),
  break: async (client) => {
    for await (const _ of await client.messages.create({ ...body, stream: true })) break;
  },
  "never read": async (client) => void (await client.messages.create({ ...body, stream: true })),
  "never awaited": async (client) => {
    void client.messages.create(body);
    await new Promise((resolve) => setImmediate(resolve));
  },
  "response only": async (client) => (await client.messages.create(body).asResponse()).status,
};

describe("The heap", () => {
  it.each(Object.entries(ENDINGS))(
    "is flat over many calls that end as: %s",
    { timeout: 600_000 },
    async (_, run) => {
      const logger = new AuditLogger(new MemoryStorage({ maxEntries: 10 }));
      const client = new AuditedAnthropic({
        apiKey: "k",
        maxRetries: 0,
        logLevel: "off",
        fetch: answer,
        audit: logger,
      });
      let calls = 0;
      await expectFlatHeap(
        async () => {
          for (let done = 0; done < CALLS; done += 1) {
            await run(client);
            if (done % 100 === 0) await new Promise((resolve) => setImmediate(resolve)); // finalizers are tasks
          }
          calls += CALLS;
          await expect
            .poll(async () => (await collectGarbage(), auditStats(client).open), {
              timeout: 60_000,
            })
            .toBe(0);
        },
        50_000 + CALLS * BYTES_PER_CALL,
      );
      expect(auditStats(client)).toEqual({ open: 0, written: calls, lost: 0 });
      await logger.close();
    },
  );
});
