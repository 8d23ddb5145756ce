import {
  AuditLogger,
  AuditWriteError,
  type AuditStorage,
  MemoryStorage,
  withAuditContext,
} from "@ai-audit/core";
import { tool } from "@langchain/core/tools";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AuditCallbackHandler, type AuditCallbackOptions } from "../src/index.ts";
import { FullDisk, only, startBench } from "./fixtures.ts";
import { chatFor } from "./openai-server.ts";

function handlerOn(
  storage: AuditStorage,
  options: AuditCallbackOptions = {},
): AuditCallbackHandler {
  return new AuditCallbackHandler(new AuditLogger(storage), options);
}

describe("when an entry cannot be written", () => {
  it("a call fails that is to fail closed", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const told: unknown[] = [];
    const handler = handlerOn(new FullDisk(), { onAuditError: (error) => told.push(error.code) });
    const reading = (async () => {
      for await (const _ of await bench.model().stream("Hello!", { callbacks: [handler] }));
    })();
    await expect(reading).rejects.toThrow(AuditWriteError);
    await expect(bench.model().invoke("Hello!", { callbacks: [handler] })).rejects.toMatchObject({
      code: "AUDIT_WRITE_FAILED",
      message: "the storage could not keep the entry",
    });
    expect(handler.stats).toEqual({ open: 0, written: 0, lost: 2 });
    expect(told).toEqual(["AUDIT_WRITE_FAILED", "AUDIT_WRITE_FAILED"]);
  });

  it("a call that fails open is untouched, and the loss is told and counted", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const told: unknown[] = [];
    const handler = handlerOn(new FullDisk(), {
      failureMode: "open",
      onAuditError: (error) => told.push(error.code),
    });
    const message = await bench.model().invoke("Hello!", { callbacks: [handler] });
    expect(message.text).toBe("Hi.");
    expect(handler.stats).toEqual({ open: 0, written: 0, lost: 1 });
    expect(told).toEqual(["AUDIT_WRITE_FAILED"]);
  });
});

describe("when the logger is closed", () => {
  it("nothing is sent by a call that is to fail closed, however it is made", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const told: unknown[] = [];
    const handler = handlerOn(new MemoryStorage(), {
      onAuditError: (error) => told.push(error.code),
    });
    const logger = new AuditLogger(new MemoryStorage());
    const closed = new AuditCallbackHandler(logger, {
      onAuditError: (error) => told.push(error.code),
    });
    await logger.close();
    const config = { callbacks: [handler, closed] };
    let ran = 0;
    const look = tool(() => (ran += 1), { name: "look", schema: z.object({}) });
    const calls = [
      () => bench.model().invoke("Hello!", config),
      async () => {
        for await (const _ of await bench.model().stream("Hello!", config));
      },
      () => bench.model().batch(["a", "b"], config),
      () => look.invoke({}, config),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({
        code: "AUDIT_CLOSED",
        message: "the logger is closed",
      });
    }
    expect(bench.server.requests).toEqual([]);
    expect(ran).toBe(0);
    expect(closed.stats).toEqual({ open: 0, written: 0, lost: 5 });
    expect(told).toEqual(Array.from({ length: 5 }, () => "AUDIT_CLOSED"));
  });

  it("a call that fails open is sent, and the loss is counted", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const logger = new AuditLogger(new MemoryStorage());
    const handler = new AuditCallbackHandler(logger, { failureMode: "open" });
    await logger.close();
    expect((await bench.model().invoke("Hello!", { callbacks: [handler] })).text).toBe("Hi.");
    expect(handler.stats).toEqual({ open: 0, written: 0, lost: 1 });
  });
});

function keepTag(): boolean {
  throw new RangeError("not this one");
}

describe("a keepTag that throws", () => {
  it.each(["closed", "open"] as const)(
    "costs the tags, and the entry says so: fail %s",
    async (failureMode) => {
      await using bench = await startBench((request) => chatFor(request, "Hi."), {
        failureMode,
        keepTag,
      });
      const config = { callbacks: [bench.handler], tags: ["mine"] };
      expect((await bench.model().invoke("Hello!", config)).text).toBe("Hi.");
      const entry = only(await bench.entries());
      expect(entry).toMatchObject({
        outcome: "ok",
        outputContent: "Hi.",
        alerts: ["ai-audit: keepTag threw RangeError"],
      });
      expect(entry.run).not.toHaveProperty("tags");
    },
  );
});

describe("with intent", () => {
  it("the start is on record before the request is sent, and the entry refers to it", async () => {
    const lines: string[] = [];
    class Noting extends MemoryStorage {
      override async append(line: string, id?: string): Promise<void> {
        lines.push(line);
        return super.append(line, id);
      }
    }
    await using bench = await startBench((request) => {
      expect(lines).toHaveLength(1);
      return chatFor(request, "Hi.");
    });
    await bench
      .model()
      .invoke("Hello!", { callbacks: [handlerOn(new Noting(), { intent: true })] });
    const [started, entry] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(started).toMatchObject({
      type: "call.started",
      model: "gpt-test",
      operation: "chat",
    });
    expect(entry).toMatchObject({
      call: started?.["call"],
      input_hash: started?.["input_hash"],
      outcome: "ok",
    });
  });

  it("nothing is sent when the start cannot be written, however the call is made", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const handler = handlerOn(new FullDisk(), { intent: true });
    const config = { callbacks: [handler] };
    const model = bench.model();
    const reading = async (): Promise<void> => {
      for await (const _ of await model.stream("Hello!", config));
    };
    const calls = [
      () => model.invoke("Hello!", config),
      () => model.batch(["a", "b"], config),
      reading,
      () => model.withRetry({ stopAfterAttempt: 2 }).invoke("Hello!", config),
      () => model.withFallbacks([bench.model()]).invoke("Hello!", config),
    ];
    for (const call of calls)
      await expect(call()).rejects.toThrow("the storage could not keep the entry");
    expect(bench.server.requests).toEqual([]);
    expect(handler.stats).toMatchObject({ open: 0, written: 0 });
  });

  it("a call that fails open is sent all the same", async () => {
    await using bench = await startBench();
    const handler = handlerOn(new FullDisk(), { intent: true, failureMode: "open" });
    expect((await bench.model().invoke("Hello!", { callbacks: [handler] })).text).toBe("Hi.");
    expect(handler.stats).toEqual({ open: 0, written: 0, lost: 2 });
  });
});

describe("options", () => {
  it.each([
    [{ failureMode: "ajar" }, "AuditCallbackHandler: failureMode must be 'closed' or 'open'"],
    [{ writeTimeoutMs: 0 }, "AuditCallbackHandler: writeTimeoutMs must be a number > 0"],
    [
      { captureChains: "some" },
      "AuditCallbackHandler: captureChains must be 'none', 'roots' or 'all'",
    ],
    [{ inlineBytes: -1 }, "AuditCallbackHandler: inlineBytes must be a number >= 0"],
    [{ maxOpenRuns: 0 }, "AuditCallbackHandler: maxOpenRuns must be a number >= 1"],
    [
      { failuremode: "open" },
      expect.stringContaining('AuditCallbackHandler: option "failuremode" is unknown: there are'),
    ],
  ])("that make no sense are refused at once: %o", (options, message) => {
    const make = (): unknown => handlerOn(new MemoryStorage(), options as AuditCallbackOptions);
    expect(make).toThrow(expect.objectContaining({ code: "AUDIT_CONFIG_INVALID", message }));
  });

  it("without a logger are refused at once", () => {
    expect(() => Reflect.construct(AuditCallbackHandler, [{}])).toThrow(
      expect.objectContaining({
        code: "AUDIT_CONFIG_INVALID",
        message: "AuditCallbackHandler: the first argument must be an AuditLogger",
      }),
    );
  });
});

describe("the audit context", () => {
  it("is the one in force where the call begins, not where its stream is read", async () => {
    await using bench = await startBench((request) => chatFor(request, "One two"));
    const start = (): ReturnType<ReturnType<typeof bench.model>["stream"]> =>
      bench.model().stream("Count", { callbacks: [bench.handler] });
    const first = await withAuditContext(
      { conversationId: "c1", metadata: { user: 1 } },
      async () => {
        const stream = await start();
        const iterator = stream[Symbol.asyncIterator]();
        await iterator.next();
        return iterator;
      },
    );
    await withAuditContext({ conversationId: "c2", metadata: { other: 2 } }, async () => {
      while (!(await first.next()).done);
    });
    expect(only(await bench.entries())).toMatchObject({
      conversationId: "c1",
      metadata: { user: 1 },
      outputContent: "One two",
    });
  });
});
