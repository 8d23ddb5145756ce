// Streams of events, however they are read and however they end.
import { describe, expect, it } from "vitest";
import { chunk, chunks, responseEvents } from "./payloads.ts";
import { loadSdk, expectSameBehaviour, useWireServer, VERSIONS } from "./same-behaviour.ts";
import { events, json, text } from "@ai-audit/test-support/wire-server";

const hello = { model: "gpt-5", messages: [{ role: "user" as const, content: "Hello!" }] };
const streamed = { ...hello, stream: true as const };

describe.each(VERSIONS)("a stream of %s, audited", async (version) => {
  const sdk = await loadSdk(version);
  useWireServer();

  it("yields the same chunks in the same order, and ends", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [events(chunks)],
      async ({ client, note }) => {
        const stream = await client.chat.completions.create(streamed);
        note(
          stream.constructor.name,
          Object.getOwnPropertyNames(stream).toSorted(),
          "_request_id" in stream,
        );
        for await (const event of stream) note(event);
        note(stream.controller.signal.aborted);
      },
    );
    expect(outcome.notes).toHaveLength(chunks.length + 2);
    expect(entries).toMatchObject([
      {
        outcome: "ok",
        streamed: true,
        inputContent: "Hello!",
        outputContent: "Hello, world",
        finishReasons: ["stop"],
      },
    ]);
    expect(entries[0]?.timeToFirstTokenMs).toBeGreaterThan(0);
    expect(entries[0]?.metadata["time_to_first_event_ms"]).toBeGreaterThan(0);
  });

  it("yields the same events of the Responses API", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(responseEvents(), { named: true, ending: "end" })],
      async ({ client, note }) => {
        for await (const event of await client.responses.create({
          model: "gpt-5",
          input: "Hello!",
          stream: true,
        }))
          note(event);
      },
    );
    expect(entries).toMatchObject([
      { outcome: "ok", operation: "responses", outputContent: "Hello", inputTokens: 3 },
    ]);
  });

  it("ends early when its reader breaks, and aborts the request", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(chunks, { ending: "hang" })],
      async ({ client, note }) => {
        const stream = await client.chat.completions.create(streamed);
        for await (const event of stream) {
          note(event);
          if (event.choices[0]?.delta.content === "Hello") break;
        }
        note(stream.controller.signal.aborted);
      },
    );
    expect(entries).toMatchObject([{ outcome: "aborted", outputContent: "Hello" }]);
  });

  it("passes on what its reader throws", async () => {
    const failure = new Error("reader");
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [events(chunks)],
      async ({ client }) => {
        for await (const event of await client.chat.completions.create(streamed)) {
          if (event.choices[0]?.delta.content) throw failure;
        }
      },
    );
    expect(outcome.thrown).toBe(failure);
    expect(entries).toMatchObject([{ outcome: "aborted", outputContent: "Hello" }]);
  });

  it("ends without an error when its controller aborts", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(chunks.slice(0, 3), { ending: "hang" })],
      async ({ client, note }) => {
        const stream = await client.chat.completions.create(streamed);
        for await (const event of stream) {
          note(event);
          if (event.choices[0]?.delta.content === ", ") stream.controller.abort();
        }
        note("ended", stream.controller.signal.aborted);
      },
    );
    expect(entries).toMatchObject([{ outcome: "aborted", outputContent: "Hello, " }]);
  });

  it("fails as it does when the connection is cut, and keeps what came", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [events(chunks.slice(0, 3), { ending: "cut" })],
      async ({ client, note }) => {
        for await (const event of await client.chat.completions.create(streamed)) note(event);
      },
    );
    expect(outcome.thrown).toBeInstanceOf(Error);
    expect(entries).toMatchObject([{ outcome: "error", outputContent: "Hello, " }]);
  });

  it("ends as it does when the stream stops without its last event, and the entry says so", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(chunks.slice(0, 3), { ending: "end" })],
      async ({ client, note }) => {
        for await (const event of await client.chat.completions.create(streamed)) note(event);
        note("ended");
      },
    );
    expect(entries).toMatchObject([
      { outcome: "error", error: { type: "NoFinishReason" }, outputContent: "Hello, " },
    ]);
  });

  it("throws the same error for an error among the events", async () => {
    const failing = [
      ...chunks.slice(0, 2),
      { error: { message: "Overloaded.", type: "server_error", code: "overloaded" } },
    ];
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [events(failing)],
      async ({ client, note }) => {
        for await (const event of await client.chat.completions.create(streamed)) note(event);
      },
    );
    expect(outcome.thrown).toBeInstanceOf(sdk.APIError);
    expect(entries).toMatchObject([{ outcome: "error", outputContent: "Hello" }]);
  });

  it("throws the same error for an event that is not JSON", async () => {
    const { outcome, entries } = await expectSameBehaviour(
      sdk,
      [events([chunks[1], "{oops"])],
      async ({ client, note }) => {
        const error = console.error;
        console.error = () => undefined; // older versions print the event
        try {
          for await (const event of await client.chat.completions.create({ ...streamed }))
            note(event);
        } finally {
          console.error = error;
        }
      },
    );
    expect(outcome.thrown).toBeInstanceOf(SyntaxError);
    expect(entries).toMatchObject([{ outcome: "error" }]);
  });

  it("refuses to be read twice, as it does", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [events(chunks)],
      async ({ client, note }) => {
        const stream = await client.chat.completions.create(streamed);
        for await (const event of stream) note(event);
        for await (const event of stream) note(event);
      },
    );
    expect(String(outcome.thrown)).toContain("consumed");
    expect(entries).toMatchObject([{ outcome: "ok" }]);
  });

  it("splits with tee(), each branch with all events", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(chunks)],
      async ({ client, note }) => {
        const [left, right] = (await client.chat.completions.create(streamed)).tee();
        for await (const event of left) note("left", event);
        for await (const event of right) note("right", event);
      },
    );
    expect(entries).toMatchObject([{ outcome: "ok", outputContent: "Hello, world" }]);
  });

  it("becomes a ReadableStream with the same bytes, and a stream again", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(chunks)],
      async ({ client, note }) => {
        const stream = await client.chat.completions.create(streamed);
        note(await new Response(stream.toReadableStream()).text());
      },
    );
    expect(entries).toMatchObject([{ outcome: "ok", outputContent: "Hello, world" }]);
  });

  it("pulls no event that its reader does not ask for", async () => {
    const { outcome } = await expectSameBehaviour(
      sdk,
      [events(chunks)],
      async ({ client, note }) => {
        const iterator = (await client.chat.completions.create(streamed))[Symbol.asyncIterator]();
        note(Symbol.asyncIterator in iterator, typeof iterator.return, typeof iterator.throw);
        note(await iterator.next());
        note(await iterator.next());
        note(await iterator.return?.());
        note(await iterator.next());
      },
    );
    expect(outcome.notes.at(-1)).toEqual([{ done: true }]);
  });

  it("answers several next() calls at once in their order", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(chunks)],
      async ({ client, note }) => {
        const iterator = (await client.chat.completions.create(streamed))[Symbol.asyncIterator]();
        note(await Promise.all(chunks.map(() => iterator.next())));
        note(await Promise.all([iterator.next(), iterator.next()]));
      },
    );
    expect(entries).toMatchObject([{ outcome: "ok", outputContent: "Hello, world" }]);
  });

  it("is ok when its reader breaks after the last event", async () => {
    const { entries } = await expectSameBehaviour(sdk, [events(chunks)], async ({ client }) => {
      for await (const event of await client.chat.completions.create(streamed))
        if (event.choices[0]?.finish_reason) break;
    });
    expect(entries).toMatchObject([{ outcome: "ok", outputContent: "Hello, world" }]);
  });

  it("records usage that came with the stream", async () => {
    const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
    const all = [...chunks, chunk({}, null, { choices: [], usage })];
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [events(all)],
      async ({ client, note }) => {
        const options = { ...streamed, stream_options: { include_usage: true } };
        for await (const event of await client.chat.completions.create(options)) note(event.usage);
      },
    );
    expect(outcome.wire[0]?.body).toContain("include_usage");
    expect(entries).toMatchObject([{ outcome: "ok", inputTokens: 7, outputTokens: 3 }]);
  });

  it("is recorded when the caller reads the raw response instead", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(chunks)],
      async ({ client, note }) => {
        const raw = await client.chat.completions.create(streamed).asResponse();
        note(await raw.text());
      },
    );
    expect(entries).toMatchObject([
      { outcome: "ok", outputContent: "Hello, world", streamed: true },
    ]);
  });

  it("is recorded when the caller reads the raw response piece by piece", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(chunks)],
      async ({ client, note }) => {
        const raw = await client.chat.completions.create(streamed).asResponse();
        const reader = raw.body?.getReader();
        let all = "";
        for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
          all += Buffer.from(piece.value as Uint8Array).toString();
        }
        note(all, raw.bodyUsed);
      },
    );
    expect(entries).toMatchObject([
      { outcome: "ok", outputContent: "Hello, world", streamed: true },
    ]);
  });

  it("does what it does when the answer is no stream", async () => {
    for (const reply of [json({ oops: true }), text("", "text/event-stream")]) {
      const { entries } = await expectSameBehaviour(sdk, [reply], async ({ client, note }) => {
        for await (const event of await client.chat.completions.create(streamed)) note(event);
        note("ended");
      });
      expect(entries).toMatchObject([{ outcome: "error" }]);
    }
  });
});
