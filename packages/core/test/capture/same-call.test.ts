import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { CallLayer, CapturedFields } from "../../src/capture/index.ts";
import { AuditLogger, MemoryStorage } from "../../src/index.ts";
import { CallRecorder } from "../../src/capture/index.ts";

/** A storage that refuses the first line it is given. */
class RefusesFirst extends MemoryStorage {
  #refused = false;
  override async append(line: string, id?: string): Promise<void> {
    if (!this.#refused) {
      this.#refused = true;
      throw new Error("disk full");
    }
    return super.append(line, id);
  }
}

async function links(logger: AuditLogger): Promise<(string | undefined)[]> {
  return (await logger.getEntries(new Date(0), new Date(8e15))).map(({ run }) => run?.sameCallAs);
}

function capture(logger: AuditLogger, layer: CallLayer, fields: CapturedFields): Promise<string> {
  return logger.callSink.capture({ input: "x", output: "y", ...fields }, { layer });
}

describe("one call captured by two layers", () => {
  it.each<[CallLayer, CallLayer]>([
    ["client", "framework"],
    ["framework", "client"],
  ])("is linked by its response id, %s first", async (first, second) => {
    const logger = new AuditLogger(new MemoryStorage());
    const original = await capture(logger, first, { responseId: "r1", run: { id: "kept" } });
    await capture(logger, second, { responseId: "r1", run: { id: "kept too" } });
    expect(await links(logger)).toEqual([undefined, original]);
    expect(await logger.count()).toBe(1);
    expect((await logger.health()).lastHour?.entries).toBe(1);
    expect((await logger.getEntries(new Date(0), new Date(8e15)))[1]?.run?.id).toBe("kept too");
  });

  it("is linked by its request id where it has no response id", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    const byRequest = await capture(logger, "client", { requestId: "q1" });
    await capture(logger, "framework", { requestId: "q1" });
    expect(await links(logger)).toEqual([undefined, byRequest]);
  });

  it("is linked once when both of its ids would do", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    const original = await capture(logger, "client", { responseId: "r1", requestId: "q1" });
    await capture(logger, "framework", { responseId: "r1" });
    await capture(logger, "framework", { requestId: "q1" });
    expect(await links(logger)).toEqual([undefined, original, undefined]);
  });

  it("leaves two entries when it ends without an id: by an abort, a time-out or a lost connection", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    for (const outcome of ["aborted", "timeout", "error"] as const)
      for (const layer of ["client", "framework"] as const)
        await capture(logger, layer, { outcome });
    expect(await logger.count()).toBe(6);
  });

  it("is linked although both layers write at once", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    await Promise.all([
      capture(logger, "framework", { responseId: "r1" }),
      capture(logger, "client", { responseId: "r1" }),
    ]);
    expect(await logger.count()).toBe(1);
  });

  it("is not linked to an entry that could not be written", async () => {
    const logger = new AuditLogger(new RefusesFirst());
    const written = await Promise.allSettled([
      capture(logger, "client", { responseId: "r1" }),
      capture(logger, "framework", { responseId: "r1" }),
    ]);
    expect(written.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect(await links(logger)).toEqual([undefined]);
    expect(await logger.count()).toBe(1);
  });
});

describe("calls that are not the same", () => {
  it("are not linked when one was over before the other began, whatever a server calls its answers", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    const client = new CallRecorder({ logger });
    const framework = new CallRecorder({ logger }, "framework");
    const first = await client.begin({ input: "a" });
    await first.end({ output: "x", responseId: "chatcmpl-1" });
    await sleep(2);
    const outer = await framework.begin({ input: "b" });
    await outer.end({ output: "y", responseId: "chatcmpl-1" });
    expect(await links(logger)).toEqual([undefined, undefined]);
    expect(await logger.count()).toBe(2);
  });

  it("are not linked: one layer, other ids, no origin, or a pair already made", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    await capture(logger, "client", { responseId: "r1" });
    await capture(logger, "client", { responseId: "r1" });
    await capture(logger, "framework", { responseId: "r2" });
    await logger.callSink.capture({ input: "x", output: "y", responseId: "r1" });
    expect(await links(logger)).toEqual([undefined, undefined, undefined, undefined]);
    await capture(logger, "framework", { responseId: "r1" });
    await capture(logger, "framework", { responseId: "r1" });
    expect(await logger.count()).toBe(5);
  });
});

describe("a recorded call", () => {
  it("is linked to one that ended while its start was made durable", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    const outer = new CallRecorder({ logger, intent: true }, "framework").begin({ input: "x" });
    const inner = await new CallRecorder({ logger }).begin({ input: "x" });
    const original = await inner.end({ output: "y", responseId: "r1" });
    await (await outer).end({ output: "y", responseId: "r1", latencyMs: 1000 });
    expect(await links(logger)).toEqual([undefined, original]);
  });

  it("is of the client's layer unless the recorder is a framework's", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    const outer = await new CallRecorder({ logger }, "framework").begin({ input: "x" });
    const inner = await new CallRecorder({ logger }).begin({ input: "x" });
    for (const call of [inner, outer]) await call.end({ output: "y", responseId: "r1" });
    expect(await logger.count()).toBe(1);
  });
});
