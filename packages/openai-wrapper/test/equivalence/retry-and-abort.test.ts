// Attempts, time limits and aborts.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { chunks, completion } from "./payloads.ts";
import { loadSdk, expectSameBehaviour, useWireServer, VERSIONS } from "./same-behaviour.ts";
import { events, halfJson, hangUp, json, silence } from "@ai-audit/test-support/wire-server";

const hello = { model: "gpt-5", messages: [{ role: "user" as const, content: "Hello!" }] };
const atOnce = { "retry-after-ms": "1" };

describe.each(VERSIONS)("attempts of %s, audited", async (version) => {
  const sdk = await loadSdk(version);
  useWireServer();

  it("repeats after 429 and is one call with two attempts", async () => {
    const replies = [
      json({ error: { message: "Slow down." } }, 429, atOnce),
      json(completion("Hi.")),
    ];
    const { entries, outcome } = await expectSameBehaviour(sdk, replies, ({ openai }) =>
      openai({ maxRetries: 2 }).chat.completions.create(hello),
    );
    expect(outcome.wire).toHaveLength(2);
    expect(outcome.wire[1]?.headers).toContain("1"); // X-Stainless-Retry-Count
    expect(entries).toMatchObject([{ outcome: "ok", attempts: 2, outputContent: "Hi." }]);
  });

  it("gives up after its attempts, with the last error", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [json({ error: { message: "Down." } }, 503, atOnce)],
      ({ openai }) => openai({ maxRetries: 2 }).chat.completions.create(hello),
    );
    expect(outcome.wire).toHaveLength(3);
    expect(entries).toMatchObject([{ outcome: "error", attempts: 3, error: { status: 503 } }]);
  });

  it("obeys x-should-retry and the call's own maxRetries", async () => {
    const replies = [
      json({ error: { message: "No." } }, 500, { ...atOnce, "x-should-retry": "false" }),
    ];
    const { entries } = await expectSameBehaviour(sdk, replies, ({ openai }) =>
      openai({ maxRetries: 2 }).chat.completions.create(hello, { maxRetries: 5 }),
    );
    expect(entries).toMatchObject([{ outcome: "error", attempts: 1 }]);
  });

  it("repeats a stream that was refused", async () => {
    const replies = [json({ error: { message: "Slow down." } }, 429, atOnce), events(chunks)];
    const { entries } = await expectSameBehaviour(sdk, replies, async ({ openai, note }) => {
      const client = openai({ maxRetries: 1 });
      for await (const event of await client.chat.completions.create({ ...hello, stream: true }))
        note(event);
    });
    expect(entries).toMatchObject([{ outcome: "ok", attempts: 2, outputContent: "Hello, world" }]);
  });

  it("times out as it does", async () => {
    const { entries, outcome } = await expectSameBehaviour(sdk, [silence], ({ client }) =>
      client.chat.completions.create(hello, { timeout: 400 }),
    );
    expect(outcome.thrown).toBeInstanceOf(sdk.APIConnectionTimeoutError);
    expect(entries).toMatchObject([
      { outcome: "timeout", attempts: 1, error: { type: "APIConnectionTimeoutError" } },
    ]);
  });

  it("fails as it does when the body is cut", async () => {
    const { entries, outcome } = await expectSameBehaviour(sdk, [halfJson], ({ client }) =>
      client.chat.completions.create(hello),
    );
    expect(outcome.thrown).toBeInstanceOf(Error);
    expect(entries).toMatchObject([{ outcome: "error", attempts: 1 }]);
  });

  it("repeats after a connection that was closed", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [hangUp, json(completion("Hi."))],
      ({ openai }) => openai({ maxRetries: 1 }).chat.completions.create(hello),
    );
    expect(entries).toMatchObject([{ outcome: "ok", attempts: 2 }]);
  }, 10_000);

  it("sends nothing when it is aborted before", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [json(completion())],
      ({ client }) => client.chat.completions.create(hello, { signal: AbortSignal.abort() }),
    );
    expect(outcome.thrown).toBeInstanceOf(sdk.APIUserAbortError);
    expect(outcome.wire).toHaveLength(0);
    expect(entries).toMatchObject([{ outcome: "aborted" }]);
  });

  it("is aborted while it waits for an answer", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [silence],
      async ({ client, note, seen }) => {
        const controller = new AbortController();
        const promise = client.chat.completions.create(hello, { signal: controller.signal });
        void (async () => {
          while (seen.length === 0) await sleep(1);
          controller.abort();
        })();
        await promise.catch((error: unknown) => note(error));
        return promise;
      },
    );
    expect(outcome.thrown).toBeInstanceOf(sdk.APIUserAbortError);
    expect(entries).toMatchObject([{ outcome: "aborted", attempts: 1 }]);
  });

  it("is aborted while it reads the body", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [
        (response) => {
          response.writeHead(200, { "content-type": "application/json" });
          response.write('{"id":');
        },
      ],
      async ({ client }) => {
        const controller = new AbortController();
        const promise = client.chat.completions.create(hello, { signal: controller.signal });
        await promise.asResponse();
        setImmediate(() => controller.abort());
        return promise;
      },
    );
    expect(outcome.thrown).toBeInstanceOf(Error);
    expect(entries).toMatchObject([{ outcome: "aborted" }]);
  });

  it("is aborted by its signal while it streams", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(chunks.slice(0, 3), { ending: "hang" })],
      async ({ client, note }) => {
        const controller = new AbortController();
        const stream = await client.chat.completions.create(
          { ...hello, stream: true },
          { signal: controller.signal },
        );
        try {
          for await (const event of stream) {
            note(event);
            if (event.choices[0]?.delta.content === ", ") controller.abort();
          }
        } finally {
          note("over", stream.controller.signal.aborted);
        }
      },
    );
    expect(entries).toMatchObject([{ outcome: "aborted", outputContent: "Hello, " }]);
  });

  it("rejects unhandled, and with the same error, when nobody awaits it", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json({ error: { message: "No." } }, 400)],
      async ({ client, note, seen }) => {
        const rejections: unknown[] = [];
        const listeners = process.listeners("unhandledRejection");
        process.removeAllListeners("unhandledRejection");
        process.on("unhandledRejection", (reason) => rejections.push(reason));
        try {
          void client.chat.completions.create(hello);
          while (rejections.length === 0) await sleep(5);
          note(rejections, seen.length);
        } finally {
          process.removeAllListeners("unhandledRejection");
          for (const listener of listeners) process.on("unhandledRejection", listener);
        }
      },
    );
    expect(entries).toMatchObject([{ outcome: "error", error: { status: 400 } }]);
  });
});
