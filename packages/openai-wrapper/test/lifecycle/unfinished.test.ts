// Calls that nobody finishes still get their entry.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { auditStats } from "../../src/index.ts";
import { chunks, completion } from "../equivalence/payloads.ts";
import { events, json } from "@ai-audit/test-support/wire-server";
import { collectGarbage } from "@ai-audit/test-support/collect-garbage";
import { hello, type LifecycleBench, lifecycleBench } from "./bench.ts";

/** Collects garbage until an entry is there; finalizers run when the engine pleases. */
async function entriesAfterGarbage({
  entries,
}: LifecycleBench): Promise<Awaited<ReturnType<LifecycleBench["entries"]>>> {
  for (let round = 0; round < 100; round += 1) {
    await collectGarbage();
    const found = await entries();
    if (found.length > 0) return found;
  }
  return [];
}

describe("a call that nobody finishes", () => {
  it("is abandoned when its stream was never read and is forgotten", async () => {
    const bench = await lifecycleBench([events(chunks)]);
    const forget = async (): Promise<void> => {
      await bench.client.chat.completions.create({ ...hello, stream: true });
    };
    await forget();
    expect(await entriesAfterGarbage(bench)).toMatchObject([
      { outcome: "abandoned", inputContent: "Hello!", streamed: true },
    ]);
    expect(auditStats(bench.client)).toMatchObject({ open: 0, written: 1 });
  });

  it("is abandoned when its stream was read in part and is forgotten, and keeps what was read", async () => {
    const bench = await lifecycleBench([events(chunks, { ending: "hang" })]);
    const forget = async (): Promise<void> => {
      const iterator = (await bench.client.chat.completions.create({ ...hello, stream: true }))[
        Symbol.asyncIterator
      ]();
      await iterator.next();
      await iterator.next();
    };
    await forget();
    expect(await entriesAfterGarbage(bench)).toMatchObject([
      { outcome: "abandoned", outputContent: "Hello" },
    ]);
  });

  it("is not abandoned while its iterator is read, whatever became of the stream object", async () => {
    const bench = await lifecycleBench([events(chunks)]);
    const iterate = async (): Promise<AsyncIterator<unknown>> =>
      (await bench.client.chat.completions.create({ ...hello, stream: true }))[
        Symbol.asyncIterator
      ]();
    const iterator = await iterate();
    for (let result = await iterator.next(); !result.done; result = await iterator.next()) {
      await collectGarbage();
    }
    expect(await bench.entries()).toMatchObject([{ outcome: "ok", outputContent: "Hello, world" }]);
  });

  it("is abandoned when its promise was never awaited and is forgotten", async () => {
    const bench = await lifecycleBench([json(completion("Hi."))]);
    const forget = (): void => {
      void bench.client.chat.completions.create(hello);
    };
    forget();
    expect(await entriesAfterGarbage(bench)).toMatchObject([
      { outcome: "abandoned", requestId: "req_1", attempts: 1 },
    ]);
  });

  it("is abandoned when its response was never read and is forgotten", async () => {
    const bench = await lifecycleBench([json(completion("Hi."))]);
    const forget = async (): Promise<number> =>
      (await bench.client.chat.completions.create(hello).asResponse()).status;
    expect(await forget()).toBe(200);
    expect(await entriesAfterGarbage(bench)).toMatchObject([
      { outcome: "abandoned", requestId: "req_1" },
    ]);
  });

  it("is not abandoned while a clone of its response is kept, whatever became of the response", async () => {
    const bench = await lifecycleBench([json(completion("Hi."))]);
    const copyOf = async (): Promise<Response> =>
      (await bench.client.chat.completions.create(hello).asResponse()).clone();
    const copy = await copyOf();
    for (let round = 0; round < 5; round += 1) await collectGarbage();
    expect(await copy.json()).toMatchObject({ id: "chatcmpl-1" });
    expect(await bench.entries()).toMatchObject([{ outcome: "ok", outputContent: "Hi." }]);
  });

  it("is abandoned when the body of its response was only looked at", async () => {
    const bench = await lifecycleBench([json(completion("Hi."))]);
    const forget = async (): Promise<unknown> =>
      (await bench.client.chat.completions.create(hello).asResponse()).body?.locked;
    expect(await forget()).toBe(false);
    expect(await entriesAfterGarbage(bench)).toMatchObject([
      { outcome: "abandoned", outputContent: "" },
    ]);
  });

  it("is not over when the body of a clone is cancelled", async () => {
    const bench = await lifecycleBench([json(completion("Hi."))]);
    const raw = await bench.client.chat.completions.create(hello).asResponse();
    await Promise.all([raw.clone().body?.cancel(), raw.json()]);
    expect(await bench.entries()).toMatchObject([{ outcome: "ok", outputContent: "Hi." }]);
  });

  it("is not abandoned while the response is kept, whatever became of a clone and its body", async () => {
    const bench = await lifecycleBench([json(completion("Hi."))]);
    const raw = await bench.client.chat.completions.create(hello).asResponse();
    expect(raw.clone().body?.locked).toBe(false);
    for (let round = 0; round < 5; round += 1) await collectGarbage();
    expect(await raw.json()).toMatchObject({ id: "chatcmpl-1" });
    expect(await bench.entries()).toMatchObject([{ outcome: "ok", outputContent: "Hi." }]);
  });

  it("is abandoned when its response and all clones are forgotten", async () => {
    const bench = await lifecycleBench([json(completion("Hi."))]);
    const forget = async (): Promise<boolean> => {
      const copy = (await bench.client.chat.completions.create(hello).asResponse()).clone().clone();
      return copy.body?.locked ?? true;
    };
    expect(await forget()).toBe(false);
    expect(await entriesAfterGarbage(bench)).toMatchObject([
      { outcome: "abandoned", outputContent: "" },
    ]);
  });

  it.each(["getReader", "values"] as const)(
    "is not abandoned while the body is read by %s(), whatever became of body and response",
    async (how) => {
      const bench = await lifecycleBench([events(chunks)]);
      const iterate = async (): Promise<() => Promise<{ readonly done?: boolean | undefined }>> => {
        const { body } = await bench.client.chat.completions
          .create({ ...hello, stream: true })
          .asResponse();
        const reader = body?.[how]();
        if (!reader) throw new Error("no body");
        return "read" in reader ? async () => reader.read() : async () => reader.next();
      };
      const next = await iterate();
      while (!(await next()).done) await collectGarbage();
      expect(await bench.entries()).toMatchObject([
        { outcome: "ok", outputContent: "Hello, world" },
      ]);
    },
  );

  it("is abandoned when the logger closes, and keeps what has arrived", async () => {
    const bench = await lifecycleBench([events(chunks.slice(0, 3), { ending: "hang" })]);
    const stream = await bench.client.chat.completions.create({ ...hello, stream: true });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const event of stream) seen.push(event);
    })();
    while (seen.length < 3) await sleep(5);
    await bench.logger.close();
    expect(await bench.entries()).toMatchObject([
      { outcome: "abandoned", outputContent: "Hello, ", streamed: true },
    ]);
    stream.controller.abort();
    await reading; // over for the log: nothing is left that could fail
    expect(await bench.entries()).toHaveLength(1);
  });
});
