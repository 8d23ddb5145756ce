// Odd messages of public reports, as they come over the wire, by a transport without an SDK.
import type { JsonValue } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { auditTransport, type McpAuditOptions } from "../src/index.ts";
import { openLog } from "./fixtures.ts";

interface Message {
  readonly [member: string]: unknown;
}

/** A transport that keeps what is sent. */
class Wire {
  readonly sent: Message[] = [];
  onmessage: ((message: Message) => void) | undefined = undefined;
  onclose: (() => void) | undefined = undefined;

  send(message: Message): Promise<void> {
    this.sent.push(message);
    return Promise.resolve();
  }
}

const call = (id: unknown, params: unknown = { name: "t", arguments: {} }): Message => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params,
});
const answer = (members: Message, id: unknown = 1): Message => ({ jsonrpc: "2.0", id, ...members });
const text = { content: [{ type: "text", text: "x" }] };

interface Case {
  readonly report: string;
  readonly request?: Message;
  readonly answers: readonly Message[];
  readonly options?: Partial<McpAuditOptions>;
  readonly entries: readonly object[];
  readonly output?: JsonValue;
}

const CASES: readonly Case[] = [
  {
    report: "a result in the old wrapper, without content (MemoryMesh#33)",
    answers: [answer({ result: { toolResult: { content: [] } } })],
    entries: [{ outcome: "ok" }],
    output: { toolResult: { content: [] } },
  },
  {
    report: "structured content that is a string (typescript-sdk#2530)",
    answers: [answer({ result: { resultType: "complete", content: [], structuredContent: "x" } })],
    entries: [{ outcome: "ok" }],
    output: { content: [], structuredContent: "x" },
  },
  {
    report: "a part of an unknown type (typescript-sdk#156)",
    answers: [answer({ result: { content: [{ type: "object", data: { a: 1 } }] } })],
    entries: [{ outcome: "ok" }],
    output: { content: [{ type: "object", data: { a: 1 } }] },
  },
  {
    report: "members beside an empty content (typescript-sdk#156)",
    answers: [answer({ result: { content: [], objects: [1] } })],
    entries: [{ outcome: "ok" }],
    output: { content: [], objects: [1] },
  },
  {
    report: "the cancellation of request 0 (typescript-sdk#2138)",
    request: call(0),
    answers: [],
    entries: [{ outcome: "aborted", error: { type: "Cancelled" } }],
  },
  {
    report: "an answer after a cancellation (go-sdk#1259)",
    request: call(0),
    answers: [answer({ result: text }, 0)],
    entries: [{ outcome: "aborted" }],
  },
  {
    report: "a cancellation without parameters (typescript-sdk#2654)",
    answers: [{ jsonrpc: "2.0", method: "notifications/cancelled" }, answer({ result: text })],
    entries: [{ outcome: "ok" }],
  },
  {
    report: "a result and an error at once",
    answers: [answer({ result: text, error: { code: -32000, message: "no" } })],
    entries: [{ outcome: "error", error: { type: "JSONRPCError", code: "-32000" } }],
  },
  {
    report: "an error without code and message",
    answers: [answer({ error: {} })],
    entries: [{ outcome: "error", error: { type: "JSONRPCError" } }],
  },
  {
    report: "an error that is a string",
    answers: [answer({ error: "broken" })],
    entries: [{ outcome: "error", error: { type: "JSONRPCError" } }],
  },
  {
    report: "a result that is null",
    answers: [answer({ result: null })],
    entries: [{ outcome: "ok" }],
    output: {},
  },
  {
    report: "the id as a string of digits, which SDK 1.x takes",
    answers: [answer({ result: text }, "1")],
    entries: [{ outcome: "ok" }],
    output: text,
  },
  {
    report: "an answer that is delivered twice",
    answers: [answer({ result: text }), answer({ result: text })],
    entries: [{ outcome: "ok" }],
  },
  {
    report: "parameters that are null",
    request: call(1, null),
    answers: [answer({ result: text })],
    entries: [{ outcome: "ok", operation: "execute_tool" }],
  },
  {
    report: "a malformed traceparent",
    request: call(1, { name: "t", _meta: { traceparent: "00-xyz" } }),
    answers: [answer({ result: text })],
    entries: [{ outcome: "ok", alerts: [] }],
  },
  {
    report: "tools without names, and one name twice",
    request: { jsonrpc: "2.0", id: 1, method: "tools/list" },
    answers: [answer({ result: { tools: [{}, null, { name: "a" }, { name: "a", title: "b" }] } })],
    entries: [{ outcome: "ok", metadata: { tools_changed: ["a"] } }],
  },
  {
    report: "a result of more than maxContentBytes",
    options: { maxContentBytes: 1000 },
    answers: [answer({ result: { content: [{ type: "text", text: "x".repeat(2000) }] } })],
    entries: [{ outcome: "ok", alerts: [expect.stringContaining("maxContentBytes")] }],
  },
];

describe("An audited transport", () => {
  it.each(CASES)("records $report", async ({ request, answers, options, entries, output }) => {
    await using log = await openLog();
    const wire = auditTransport(new Wire(), { logger: log.logger, ...options });
    const received: Message[] = [];
    Object.assign(wire, { onmessage: (message: Message) => void received.push(message) });
    await wire.send(request ?? call(1));
    if (request?.["id"] === 0)
      await wire.send({
        jsonrpc: "2.0",
        method: "notifications/cancelled",
        params: { requestId: 0, reason: "enough" },
      });
    for (const message of answers) wire.onmessage?.(message);
    await expect.poll(() => received, { timeout: 20_000 }).toEqual(answers);
    await expect.poll(() => log.entries(), { timeout: 20_000 }).toMatchObject(entries);
    const [entry] = await log.entries();
    expect(log.content(entry).output).toEqual(output ?? log.content(entry).output);
  });

  it("records both of two requests with one id", async () => {
    await using log = await openLog();
    const wire = auditTransport(new Wire(), { logger: log.logger });
    const received: Message[] = [];
    Object.assign(wire, { onmessage: (message: Message) => void received.push(message) });
    for (const name of ["a", "b"]) wire.onmessage?.(call(1, { name }));
    await expect.poll(() => received, { timeout: 20_000 }).toHaveLength(2);
    for (const _ of received) await wire.send(answer({ result: text }));
    const tools = (await log.entries()).map(({ run }) => run?.["toolName"]);
    expect(tools).toHaveLength(2);
    expect(new Set(tools)).toEqual(new Set(["a", "b"]));
  });

  it("records a round that asks a person, their answer, and the next round", async () => {
    await using log = await openLog();
    const wire = auditTransport(new Wire(), { logger: log.logger });
    Object.assign(wire, { onmessage: () => undefined });
    const inputRequests = { sure: { method: "elicitation/create", params: { message: "Sure?" } } };
    await wire.send(call(1));
    wire.onmessage?.(
      answer({ result: { resultType: "input_required", inputRequests, requestState: "s" } }),
    );
    await expect.poll(() => log.entries(), { timeout: 20_000 }).toHaveLength(1);
    const inputResponses = { sure: { action: "decline" } };
    await wire.send(call(2, { name: "t", arguments: {}, inputResponses, requestState: "s" }));
    wire.onmessage?.(answer({ result: text }, 2));
    await expect.poll(() => log.entries(), { timeout: 20_000 }).toHaveLength(3);
    const [asked, decided, answered] = await log.entries();
    expect(asked).toMatchObject({ outcome: "interrupted", metadata: { waits_for: ["sure"] } });
    expect(decided).toMatchObject({ review: { verdict: "rejected", of: answered?.run?.id } });
    expect(answered?.run).toMatchObject({ continues: asked?.run?.id });
  });

  it("ends a call that becomes a task by the task's result", async () => {
    await using log = await openLog();
    const wire = auditTransport(new Wire(), { logger: log.logger });
    Object.assign(wire, { onmessage: () => undefined });
    await wire.send(call(1, { name: "t", task: { ttl: 1000 } }));
    wire.onmessage?.(answer({ result: { task: { taskId: "task-1", status: "working" } } }));
    expect(await log.entries()).toEqual([]);
    const params = { taskId: "task-1" };
    await wire.send({ jsonrpc: "2.0", id: 2, method: "tasks/result", params });
    wire.onmessage?.(answer({ result: text }, 2));
    await expect
      .poll(() => log.entries(), { timeout: 20_000 })
      .toMatchObject([{ outcome: "ok", run: { toolName: "t" }, metadata: { task_id: "task-1" } }]);
  });
});
