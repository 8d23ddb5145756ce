// Every outcome of a call, and all that leads to it. Over 300 lines: one row is one way to end, and
// the table is whole, so that it can be read as one.
import { setTimeout as sleep } from "node:timers/promises";
import { type AuditEntry, ContentBlockedError } from "@ai-audit/core";
import type { OpenAI } from "openai";
import { expect } from "vitest";
import { type AuditOptions } from "../../src/index.ts";
import { chunk, chunks, completion, response } from "../equivalence/payloads.ts";
import { type Sdk } from "../equivalence/same-behaviour.ts";
import {
  events,
  halfJson,
  hangUp,
  json,
  type Reply,
  silence,
  text,
} from "@ai-audit/test-support/wire-server";
import { collectGarbage } from "@ai-audit/test-support/collect-garbage";
import { hello, type LifecycleBench } from "./bench.ts";

interface Setting {
  readonly sdk: Sdk;
  readonly client: OpenAI;
  readonly bench: LifecycleBench;
}

type ErrorClass = abstract new (...args: never[]) => unknown;

interface Case {
  /** The words of the table's cell that this shows. */
  readonly says: string;
  readonly by: string;
  readonly replies: readonly Reply[];
  readonly audit?: Omit<AuditOptions, "logger">;
  readonly call: (setting: Setting) => Promise<unknown>;
  /** What the caller gets; absent when nothing is thrown. */
  readonly throws?: readonly [(sdk: Sdk) => ErrorClass, RegExp];
  /** What the entry holds; it has an `error` only where one is here. */
  readonly entry: Partial<AuditEntry>;
}

const streamed = { ...hello, stream: true as const };

const hanging = events(chunks.slice(0, 3), { ending: "hang" });

const atOnce = { "retry-after-ms": "1" };

async function readAll({ client }: Setting): Promise<void> {
  for await (const _ of await client.chat.completions.create(streamed)); // nothing is done with them
}

/** Reads a stream up to its second text, and goes on as `then` says. */
async function readSome(
  { client }: Setting,
  then: (abort: () => void) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  const stream = await client.chat.completions.create(streamed, { signal });
  for await (const event of stream)
    if (event.choices[0]?.delta.content === ", " && then(() => stream.controller.abort())) break;
}

/** What the caller had of a call is garbage once this has returned. */
function forget(forgetting: (setting: Setting) => Promise<unknown>): Case["call"] {
  return async (setting) => {
    await (async () => void (await forgetting(setting)))();
    for (let round = 0; round < 100; round += 1) {
      await collectGarbage();
      if ((await setting.bench.entries()).length > 0) return;
    }
  };
}

export const TABLE: Record<string, readonly Case[]> = {
  ok: [
    {
      says: "an answer",
      by: "chat",
      replies: [json(completion("Hi."))],
      call: ({ client }) => client.chat.completions.create(hello),
      entry: { attempts: 1, outputContent: "Hi." },
    },
    {
      says: "an answer",
      by: "asResponse() whose body the caller reads",
      replies: [json(completion("Hi."))],
      call: async ({ client }) => (await client.chat.completions.create(hello).asResponse()).json(),
      entry: { attempts: 1, outputContent: "Hi." },
    },
    {
      says: "also after retries",
      by: "429, then 200",
      replies: [json({ error: { message: "Slow down." } }, 429, atOnce), json(completion("Hi."))],
      call: ({ client }) => client.chat.completions.create(hello, { maxRetries: 1 }),
      entry: { attempts: 2, outputContent: "Hi." },
    },
    {
      says: "a stream that was read to its end",
      by: "for await",
      replies: [events(chunks)],
      call: readAll,
      entry: { streamed: true, outputContent: "Hello, world" },
    },
    {
      says: "a stream that was read to its end",
      by: "tee(), of which one branch is read",
      replies: [events(chunks)],
      call: async ({ client }) => {
        const [left] = (await client.chat.completions.create(streamed)).tee();
        return Array.fromAsync(left);
      },
      entry: { streamed: true, outputContent: "Hello, world" },
    },
    {
      says: "a stream that was read to its end",
      by: "toReadableStream()",
      replies: [events(chunks)],
      call: async ({ client }) =>
        new Response((await client.chat.completions.create(streamed)).toReadableStream()).text(),
      entry: { streamed: true, outputContent: "Hello, world" },
    },
  ],
  blocked: [
    {
      says: "a content filter",
      by: "a 400 with its code",
      replies: [json({ error: { message: "Filtered.", code: "content_filter" } }, 400)],
      call: ({ client }) => client.chat.completions.create(hello),
      throws: [(sdk) => sdk.BadRequestError, /^400 Filtered\.$/],
      entry: {
        safetyPassed: false,
        blockReason: "content_filter",
        error: {
          type: "BadRequestError",
          code: "content_filter",
          status: 400,
          message: "400 Filtered.",
        },
      },
    },
    {
      says: "a content filter",
      by: "the finish reason",
      replies: [
        json(
          completion("", {
            choices: [
              {
                index: 0,
                finish_reason: "content_filter",
                message: { role: "assistant", content: "Hel" },
              },
            ],
          }),
        ),
      ],
      call: ({ client }) => client.chat.completions.create(hello),
      entry: {
        blockReason: "content_filter",
        outputContent: "Hel",
        detectorsTriggered: ["openai:content_filter"],
      },
    },
    {
      says: "a refusal stopped every answer",
      by: "the message",
      replies: [
        json(
          completion("", {
            choices: [
              {
                index: 0,
                finish_reason: "stop",
                message: { role: "assistant", content: null, refusal: "No." },
              },
            ],
          }),
        ),
      ],
      call: ({ client }) => client.chat.completions.create(hello),
      entry: {
        blockReason: "refusal",
        safetyPassed: false,
        detectorsTriggered: ["openai:refusal"],
      },
    },
    {
      says: "a refusal stopped every answer",
      by: "a stream's deltas",
      replies: [
        events([
          chunk({ role: "assistant", refusal: "N" }),
          chunk({ refusal: "o." }),
          chunk({}, "stop"),
        ]),
      ],
      call: readAll,
      entry: { blockReason: "refusal", streamed: true, detectorsTriggered: ["openai:refusal"] },
    },
    {
      says: "a blocking detector stopped the call",
      by: "an input",
      replies: [json(completion("Hi."))],
      audit: {
        detectors: [{ name: "all", checkInput: () => ({ action: "block", reason: "speaks" }) }],
      },
      call: ({ client }) => client.chat.completions.create(hello),
      throws: [() => ContentBlockedError, /all/],
      entry: { attempts: 0, blockReason: "speaks", detectorsTriggered: ["all"], outputContent: "" },
    },
  ],
  error: [
    {
      says: "an HTTP error",
      by: "500",
      replies: [json({ error: { message: "Down.", code: "down" } }, 500)],
      call: ({ client }) => client.chat.completions.create(hello),
      throws: [(sdk) => sdk.InternalServerError, /^500 Down\.$/],
      entry: {
        error: { type: "InternalServerError", code: "down", status: 500, message: "500 Down." },
      },
    },
    {
      says: "an HTTP error",
      by: "asResponse(), which rejects",
      replies: [json({ error: { message: "Nowhere." } }, 404)],
      call: ({ client }) => client.chat.completions.create(hello).asResponse(),
      throws: [(sdk) => sdk.NotFoundError, /^404 Nowhere\.$/],
      entry: { error: { type: "NotFoundError", status: 404, message: "404 Nowhere." } },
    },
    {
      says: "a lost connection",
      by: "no answer",
      replies: [hangUp],
      call: ({ client }) => client.chat.completions.create(hello),
      throws: [(sdk) => sdk.APIConnectionError, /^Connection error\.$/],
      entry: {
        error: { type: "APIConnectionError", code: "UND_ERR_SOCKET", message: "Connection error." },
      },
    },
    {
      says: "a lost connection",
      by: "half a body",
      replies: [halfJson],
      call: ({ client }) => client.chat.completions.create(hello),
      throws: [() => Error, /^(?:terminated|Connection error\.)$/],
      entry: {
        attempts: 1,
        outputContent: "",
        error: { type: "TypeError", code: "UND_ERR_SOCKET" },
      },
    },
    {
      says: "a body that says it is JSON and is not",
      by: "text of type JSON",
      replies: [text("{oops", "application/json")],
      call: ({ client }) => client.chat.completions.create(hello),
      throws: [() => SyntaxError, /JSON/],
      // What the body was is seen only where the SDK reads it as text first: the newest does.
      entry: {
        alerts: expect.any(Array),
        error: { type: "SyntaxError", message: "the response is not JSON" },
      },
    },
    {
      says: "an error event",
      by: "chat",
      replies: [
        events([...chunks.slice(0, 2), { error: { message: "Overloaded.", code: "overloaded" } }]),
      ],
      call: readAll,
      throws: [(sdk) => sdk.APIError, /Overloaded/],
      entry: {
        outputContent: "Hello",
        error: { type: "APIError", code: "overloaded", message: "Overloaded." },
      },
    },
    {
      says: "a stream cut before its terminal event",
      by: "the connection",
      replies: [events(chunks.slice(0, 3), { ending: "cut" })],
      call: readAll,
      throws: [() => TypeError, /^terminated$/],
      entry: {
        outputContent: "Hello, ",
        error: { type: "TypeError", code: "UND_ERR_SOCKET", message: "terminated" },
      },
    },
    {
      says: "a stream without a finish reason",
      by: "its server, in good order",
      replies: [events(chunks.slice(0, 3), { ending: "end" })],
      call: readAll,
      entry: {
        outputContent: "Hello, ",
        error: { type: "NoFinishReason", message: "the stream ended without a finish reason" },
      },
    },
  ],
  aborted: [
    {
      says: "the caller aborts: a signal",
      by: "before the call",
      replies: [json(completion("Hi."))],
      call: ({ client }) => client.chat.completions.create(hello, { signal: AbortSignal.abort() }),
      throws: [(sdk) => sdk.APIUserAbortError, /^Request was aborted\.$/],
      entry: { attempts: 0, error: { type: "APIUserAbortError", message: "Request was aborted." } },
    },
    {
      says: "the caller aborts: a signal",
      by: "during the call",
      replies: [silence],
      call: async ({ client, bench }) => {
        const controller = new AbortController();
        const call = client.chat.completions.create(hello, { signal: controller.signal });
        void (async () => {
          while (bench.server.seen.length === 0) await sleep(1);
          controller.abort();
        })();
        return call;
      },
      throws: [(sdk) => sdk.APIUserAbortError, /^Request was aborted\.$/],
      entry: { attempts: 1, error: { type: "APIUserAbortError", message: "Request was aborted." } },
    },
    {
      says: "the caller aborts: a signal",
      by: "during a stream",
      replies: [hanging],
      call: async (setting) => {
        const controller = new AbortController();
        const abort = (): boolean => {
          controller.abort();
          return false;
        };
        return readSome(setting, abort, controller.signal).catch((error: unknown) => {
          if (!(error instanceof Error) || error.name !== "AbortError") throw error; // older versions throw it
        });
      },
      entry: { streamed: true, outputContent: "Hello, " },
    },
    {
      says: "`stream.controller.abort()`",
      by: "the stream's reader",
      replies: [hanging],
      call: (setting) =>
        readSome(setting, (abort) => {
          abort();
          return false;
        }),
      entry: { streamed: true, outputContent: "Hello, " },
    },
    {
      says: "`break`",
      by: "for await",
      replies: [hanging],
      call: (setting) => readSome(setting, () => true),
      entry: { streamed: true, outputContent: "Hello, " },
    },
    {
      says: "`break`",
      by: "what the loop throws",
      replies: [hanging],
      call: (setting) =>
        readSome(setting, () => {
          throw new RangeError("Enough.");
        }),
      throws: [() => RangeError, /^Enough\.$/],
      entry: { streamed: true, outputContent: "Hello, " },
    },
    {
      says: "`cancel()` of the body",
      by: "asResponse()",
      replies: [events(chunks.slice(0, 3), { ending: "hang" })],
      call: async ({ client }) => {
        const raw = await client.chat.completions.create(streamed).asResponse();
        const reader = raw.body?.getReader();
        await reader?.read();
        return reader?.cancel();
      },
      entry: { streamed: true },
    },
    {
      says: "a response that was cancelled",
      by: "responses.cancel()",
      replies: [json(response("", { status: "cancelled", output: [] }))],
      call: ({ client }) => client.responses.cancel("resp_1"),
      entry: { operation: "responses.cancel", finishReasons: ["cancelled"], responseId: "resp_1" },
    },
  ],
  timeout: [
    {
      says: "the SDK's time limit",
      by: "no answer",
      replies: [silence],
      call: ({ client }) => client.chat.completions.create(hello, { timeout: 150 }),
      throws: [(sdk) => sdk.APIConnectionTimeoutError, /^Request timed out\.$/],
      entry: {
        attempts: 1,
        error: { type: "APIConnectionTimeoutError", message: "Request timed out." },
      },
    },
    {
      says: "`AbortSignal.timeout()`",
      by: "no answer",
      replies: [silence],
      call: ({ client }) =>
        client.chat.completions.create(hello, { signal: AbortSignal.timeout(400) }),
      throws: [(sdk) => sdk.APIUserAbortError, /^Request was aborted\.$/],
      entry: { attempts: 1, error: { type: "APIUserAbortError", message: "Request was aborted." } },
    },
    {
      says: "`AbortSignal.timeout()`",
      by: "a stream that hangs",
      replies: [hanging],
      call: (setting) =>
        readSome(setting, () => false, AbortSignal.timeout(600)).catch((error: unknown) => {
          if (!(error instanceof Error) || !/^(?:Abort|Timeout)Error$/.test(error.name))
            throw error;
        }),
      entry: { streamed: true, outputContent: "Hello, " },
    },
    {
      says: "an expired run",
      by: "its retrieval",
      replies: [
        json({ id: "run_1", object: "thread.run", thread_id: "thread_1", status: "expired" }),
      ],
      call: ({ client }) => client.get("/threads/thread_1/runs/run_1"),
      entry: {
        operation: "threads.runs.retrieve",
        finishReasons: ["expired"],
        responseId: "run_1",
      },
    },
  ],
  abandoned: [
    {
      says: "a stream or response never read and garbage-collected",
      by: "a stream",
      replies: [events(chunks)],
      call: forget(({ client }) => client.chat.completions.create(streamed)),
      entry: { streamed: true, attempts: 1, outputContent: "" },
    },
    {
      says: "a stream or response never read and garbage-collected",
      by: "asResponse()",
      replies: [json(completion("Hi."))],
      call: forget(({ client }) => client.chat.completions.create(hello).asResponse()),
      entry: { attempts: 1, requestId: "req_1", outputContent: "" },
    },
    {
      says: "a promise never awaited",
      by: "chat",
      replies: [json(completion("Hi."))],
      call: forget(async ({ client }) => void client.chat.completions.create(hello)),
      entry: { attempts: 1, requestId: "req_1", outputContent: "" },
    },
    {
      says: "a logger closed under an open call",
      by: "a stream",
      replies: [hanging],
      call: async (setting) => {
        const begun = Promise.withResolvers<void>();
        const reading = readSome(setting, (abort) => {
          begun.resolve();
          void setting.bench.logger.close().then(abort);
          return false;
        });
        await begun.promise;
        return reading;
      },
      entry: { streamed: true, outputContent: "Hello, " },
    },
  ],
};
