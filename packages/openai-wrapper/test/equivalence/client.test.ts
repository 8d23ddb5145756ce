// What a client puts on the wire, gives back and throws.
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { completion, response } from "./payloads.ts";
import { loadSdk, expectSameBehaviour, useWireServer, VERSIONS } from "./same-behaviour.ts";
import { hangUp, json, text } from "@ai-audit/test-support/wire-server";

const hello = { model: "gpt-5", messages: [{ role: "user" as const, content: "Hello!" }] };

describe.each(VERSIONS)("a client of %s, audited", async (version) => {
  const sdk = await loadSdk(version);
  useWireServer();

  it("sends the same bytes and returns the same completion", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [json(completion("Hi."))],
      ({ client }) => client.chat.completions.create(hello),
    );
    expect(outcome.wire[0]?.headers).toContain(`OpenAI/JS ${(await packageOf(version)).version}`);
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({
      provider: null,
      server: { address: "127.0.0.1" },
      model: "gpt-5",
      operation: "chat",
      outcome: "ok",
      inputContent: "Hello!",
      outputContent: "Hi.",
      inputTokens: 3,
      outputTokens: 2,
      responseId: "chatcmpl-1",
      responseModel: "gpt-5-2025",
      requestId: "req_1",
      attempts: 1,
    });
  });

  it("returns the same response of the Responses API, with the members that the SDK adds", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [json(response("Hi."))],
      ({ client }) => client.responses.create({ model: "gpt-5", input: "Hello!" }),
    );
    expect(outcome.value).toMatchObject({ output_text: "Hi." });
    expect(entries).toMatchObject([
      { operation: "responses", outcome: "ok", inputContent: "Hello!", outputContent: "Hi." },
    ]);
    expect(entries[0]?.outputContent).not.toContain("output_text");
  });

  it("keeps the request id on what it returns, invisibly", async () => {
    const { outcome } = await expectSameBehaviour(
      sdk,
      [json(completion())],
      async ({ client, note }) => {
        const made = await client.chat.completions.create(hello);
        note(Object.keys(made), Object.getOwnPropertyDescriptor(made, "_request_id"));
      },
    );
    expect(outcome.notes).toMatchObject([
      [Object.keys(completion()), { value: "req_1", enumerable: false }],
    ]);
  });

  it("gives data, response and request id of withResponse()", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json(completion())],
      async ({ client, note }) => {
        const {
          data,
          response: raw,
          request_id,
        } = await client.chat.completions.create(hello).withResponse();
        note(
          data.id,
          raw.status,
          raw.headers.get("x-request-id"),
          raw.bodyUsed,
          request_id,
          raw instanceof Response,
        );
      },
    );
    expect(entries).toHaveLength(1);
  });

  it("gives the response itself of asResponse(), unread", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json(completion("Hi."))],
      async ({ client, note }) => {
        const raw = await client.chat.completions.create(hello).asResponse();
        note(raw instanceof Response, raw.bodyUsed, raw.status, Object.keys(raw));
        note(await raw.json(), raw.bodyUsed);
      },
    );
    expect(entries).toMatchObject([{ outcome: "ok", outputContent: "Hi." }]);
  });

  it("records once a promise that is awaited, derived and asked for its response", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json(completion("Hi."))],
      async ({ client, note }) => {
        const promise = client.chat.completions.create(hello);
        const raw = await promise.asResponse();
        note(raw.bodyUsed);
        const [first, second] = await Promise.all([promise, promise.withResponse()]);
        note(first === second.data, raw.bodyUsed, await promise.finally(() => note("finally")));
      },
    );
    expect(entries).toHaveLength(1);
  });

  it.each([400, 401, 403, 404, 409, 422, 429, 500])(
    "throws the SDK's own error for status %i",
    async (status) => {
      const body = {
        error: { message: "No.", type: "some_error", code: "some_code", param: "model" },
      };
      const { entries, outcome } = await expectSameBehaviour(
        sdk,
        [json(body, status)],
        ({ client }) => client.chat.completions.create(hello),
      );
      expect(outcome.thrown).toBeInstanceOf(sdk.APIError);
      expect(outcome.thrown).toMatchObject({ status, code: "some_code" });
      expect(entries).toMatchObject([
        { outcome: "error", error: { status, code: "some_code" }, attempts: 1 },
      ]);
    },
  );

  it("throws the same error for an error without JSON", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [text("<html>Bad gateway</html>", "text/html", 502)],
      ({ client }) => client.chat.completions.create(hello),
    );
    expect(entries).toMatchObject([{ outcome: "error", error: { status: 502 } }]);
  });

  it("throws the same error for a connection that is closed", async () => {
    const { entries, outcome } = await expectSameBehaviour(sdk, [hangUp], ({ client }) =>
      client.chat.completions.create(hello),
    );
    expect(outcome.thrown).toBeInstanceOf(sdk.APIConnectionError);
    expect(entries).toMatchObject([{ outcome: "error", attempts: 1 }]);
  });

  it("throws the same error for a 200 whose JSON is none, and records it", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [text("{oops", "application/json")],
      ({ client }) => client.chat.completions.create(hello),
    );
    expect(outcome.thrown).toBeInstanceOf(SyntaxError);
    expect(entries).toMatchObject([{ outcome: "error", error: { type: "SyntaxError" } }]);
  });

  it("returns the same for a 200 that is text, empty, or 204", async () => {
    for (const reply of [
      text("plain", "text/plain"),
      text("", "application/json", 200, { "content-length": "0" }),
      text("", "text/plain", 204),
    ]) {
      const { entries } = await expectSameBehaviour(sdk, [reply], ({ client }) =>
        client.chat.completions.create(hello),
      );
      expect(entries).toHaveLength(1);
    }
  });

  it("puts the caller's headers, query and options on the wire, and nothing of the audit option", async () => {
    const { outcome } = await expectSameBehaviour(
      sdk,
      [json(completion())],
      async ({ openai }) => {
        const client = openai({
          defaultHeaders: { "x-mine": "1" },
          defaultQuery: { q: "a b" },
          organization: "org",
          project: "p",
        });
        await client.chat.completions.create(hello, {
          headers: { "x-call": "2" },
          query: { r: 1 },
          idempotencyKey: "k",
        });
      },
      { conversationId: "secret-conversation" },
    );
    expect(JSON.stringify(outcome.wire)).not.toContain("secret-conversation");
    expect(outcome.wire[0]?.headers).toEqual(expect.arrayContaining(["x-mine", "x-call"]));
  });

  it("uploads a form with the same bytes", async () => {
    const { entries } = await expectSameBehaviour(sdk, [json({ text: "Hello" })], ({ client }) =>
      client.audio.transcriptions.create({
        model: "whisper-1",
        file: new File(["sound"], "a.mp3", { type: "audio/mpeg" }),
      }),
    );
    expect(entries).toMatchObject([{ outcome: "ok", outputContent: "Hello" }]);
    expect(entries[0]?.inputContent).toContain("a.mp3");
  });

  it("hands out a download as the response that it is", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [text(Buffer.from("sound"), "audio/mpeg")],
      async ({ client, note }) => {
        const speech = await client.audio.speech.create({
          model: "tts-1",
          voice: "alloy",
          input: "Hello!",
        });
        note(
          speech instanceof Response,
          Object.getOwnPropertyNames(speech).includes("_request_id"),
          speech.bodyUsed,
        );
        note(Buffer.from(await speech.arrayBuffer()).toString());
      },
    );
    expect(entries).toMatchObject([{ outcome: "ok", inputContent: "Hello!" }]);
  });

  it("hands out a download as a stream that is read piece by piece", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [text(Buffer.from("sound"), "audio/mpeg")],
      async ({ client, note }) => {
        const speech = await client.audio.speech.create({
          model: "tts-1",
          voice: "alloy",
          input: "Hello!",
        });
        const pieces: Uint8Array[] = [];
        for await (const piece of speech.body ?? []) pieces.push(piece);
        note(Buffer.concat(pieces).toString(), speech.bodyUsed);
      },
    );
    expect(entries).toMatchObject([{ outcome: "ok" }]);
  });

  it("records raw posts to known paths, and leaves what is no model call alone", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json(completion("Hi.")), json({ id: "gpt-5", object: "model" })],
      async ({ client, note }) => {
        note(await client.post("/chat/completions", { body: hello }));
        note(await client.models.retrieve("gpt-5"));
      },
    );
    expect(entries).toMatchObject([{ operation: "chat", outcome: "ok" }]);
  });

  it("evaluates a promise of options once, and rejects as it does", async () => {
    const failure = new Error("no options");
    const { outcome } = await expectSameBehaviour(sdk, [json(completion())], ({ client }) =>
      client.post("/chat/completions", Promise.reject(failure)),
    );
    expect(outcome.thrown).toBe(failure);
  });

  it("uses the caller's fetch, with the arguments it always got", async () => {
    const { outcome } = await expectSameBehaviour(
      sdk,
      [json(completion())],
      async ({ openai, note }) => {
        const client = openai({
          fetch: async (url, init) => {
            note(url, init?.method, init?.body, Object.keys(init ?? {}).toSorted());
            return fetch(url, init);
          },
        });
        await client.chat.completions.create(hello);
      },
    );
    expect(outcome.notes).toHaveLength(1);
  });

  it("clones with withOptions(), and the clone records as well", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json(completion())],
      async ({ client, note, sdk: { OpenAI } }) => {
        const clone = client.withOptions({ timeout: 1234, defaultHeaders: { "x-clone": "1" } });
        note(
          clone instanceof OpenAI,
          clone.timeout,
          clone.constructor.name,
          clone.constructor === client.constructor,
        );
        await clone.chat.completions.create(hello);
      },
    );
    expect(entries).toHaveLength(1);
  });

  it("is an instance of the SDK's class, with its statics", async () => {
    const { outcome } = await expectSameBehaviour(
      sdk,
      [json(completion())],
      async ({ client, note, sdk: { OpenAI } }) => {
        const Class = client.constructor as typeof OpenAI;
        note(
          client instanceof OpenAI,
          Class.name,
          Class.DEFAULT_TIMEOUT,
          Object.keys(client),
          Class.OpenAI === OpenAI,
        );
        note(Class.APIError === OpenAI.APIError, Class.Chat === OpenAI.Chat, typeof Class.toFile);
      },
    );
    expect(outcome.notes[0]).toEqual(expect.arrayContaining([true, "OpenAI"]));
  });

  it("carries on when two calls share the caller's own options object", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json(completion("Hi."))],
      async ({ client, note }) => {
        const options = { method: "post" as const, path: "/chat/completions", body: hello };
        note(
          await Promise.all([client.request(options), client.request(options)]),
          Object.keys(options),
        );
      },
    );
    expect(entries).toHaveLength(2);
    expect(entries.every(({ attempts }) => attempts === 1)).toBe(true);
  });
});

async function packageOf(name: string): Promise<{ readonly version: string }> {
  const path = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(await readFile(path, "utf8")) as { readonly version: string };
}
