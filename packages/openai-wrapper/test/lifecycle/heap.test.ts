// Nothing is kept of calls that are over, however they ended. HEAP_CALLS sets how many calls of each ending are made.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import type { OpenAI } from "openai";
import { expect, it } from "vitest";
import { AuditedOpenAI, auditStats } from "../../src/index.ts";
import { chunks, completion } from "../equivalence/payloads.ts";
import { collectGarbage } from "@ai-audit/test-support/collect-garbage";

const CALLS = Number(process.env["HEAP_CALLS"] ?? 500);
/** What a call may leave in bytes, on average: far below one request, one response or one event. */
const BYTES_PER_CALL = 100;

const body = {
  model: "gpt-5",
  messages: [{ role: "user" as const, content: "Hello! ".repeat(100) }],
};
const sse = `${chunks.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n`;

/** Answers in this process: sockets would drown what is measured. */
async function answer(_: unknown, init: RequestInit | undefined): Promise<Response> {
  await new Promise((resolve) => setImmediate(resolve));
  const request = typeof init?.body === "string" ? init.body : "";
  if (request.includes('"fail"'))
    return Response.json({ error: { message: "No." } }, { status: 400 });
  if (request.includes('"stream":true'))
    return new Response(sse, { headers: { "content-type": "text/event-stream" } });
  return Response.json(completion("Hi."));
}

const ENDINGS: Record<string, (client: OpenAI) => Promise<unknown>> = {
  ok: (client) => client.chat.completions.create(body),
  error: (client) =>
    client.chat.completions.create({ ...body, model: "fail" }).catch(() => undefined),
  abort: (client) =>
    client.chat.completions.create(body, { signal: AbortSignal.abort() }).catch(() => undefined),
  "stream read": async (client) =>
    Array.fromAsync(await client.chat.completions.create({ ...body, stream: true })),
  break: async (client) => {
    for await (const _ of await client.chat.completions.create({ ...body, stream: true })) break;
  },
  "never read": async (client) =>
    void (await client.chat.completions.create({ ...body, stream: true })),
  "never awaited": async (client) => {
    void client.chat.completions.create(body);
    await new Promise((resolve) => setImmediate(resolve));
  },
  "response only": async (client) =>
    (await client.chat.completions.create(body).asResponse()).status,
};

it.each(Object.entries(ENDINGS))(
  "Heap is flat over many calls that end as: %s",
  { timeout: 600_000 },
  async (_, run) => {
    const logger = new AuditLogger(new MemoryStorage({ maxEntries: 10 }));
    const client = new AuditedOpenAI({ apiKey: "k", maxRetries: 0, fetch: answer, audit: logger });
    const runMany = async (count: number): Promise<number> => {
      for (let done = 0; done < count; done += 1) {
        await run(client);
        if (done % 100 === 0) await new Promise((resolve) => setImmediate(resolve)); // finalizers are tasks
      }
      await expect
        .poll(async () => (await collectGarbage(), auditStats(client).open), { timeout: 60_000 })
        .toBe(0);
      return process.memoryUsage().heapUsed;
    };
    const warm = await runMany(CALLS);
    const after = await runMany(CALLS);
    expect(auditStats(client)).toEqual({ open: 0, written: 2 * CALLS, lost: 0 });
    expect(after - warm).toBeLessThan(400_000 + CALLS * BYTES_PER_CALL);
    await logger.close();
  },
);
