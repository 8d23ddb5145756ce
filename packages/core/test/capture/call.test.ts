import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import {
  type AuditEntry,
  type AuditError,
  AuditLogger,
  type AuditStorage,
  MemoryStorage,
  withAuditContext,
} from "../../src/index.ts";
import { type CaptureOptions, CallRecorder, type RecordedCall } from "../../src/capture/index.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

/** Keeps lines and never says so. */
class HangingStorage extends MemoryStorage {
  override append(): Promise<void> {
    return new Promise(() => undefined);
  }
}

/** A disk that is full. */
class FullStorage extends MemoryStorage {
  override async append(): Promise<void> {
    throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
  }
}

function recorderOn(storage: AuditStorage, options: Partial<CaptureOptions> = {}): CallRecorder {
  return new CallRecorder({ logger: new AuditLogger(storage), ...options });
}

async function entryOf(
  storage: AuditStorage,
  id: string | undefined,
): Promise<AuditEntry | undefined> {
  return new AuditLogger(storage).getEntry(id ?? "-");
}

describe("capture()", () => {
  const logger = new AuditLogger(new MemoryStorage());

  it("records whatever can be recorded, and names the rest in alerts", async () => {
    const id = await logger.callSink.capture({
      output: "Hi.",
      latencyMs: Number.NaN,
      model: 5,
      nonsense: true,
      alerts: ["own"],
    } as unknown as Parameters<typeof logger.callSink.capture>[0]);
    expect(await logger.getEntry(id)).toMatchObject({
      model: null,
      latencyMs: null,
      alerts: [
        "own",
        "ai-audit: latencyMs must be a finite number >= 0",
        "ai-audit: model must be a string",
        "ai-audit: nonsense is not a field of an interaction; your own data goes into metadata",
      ],
    });
  });

  it("that nobody waits for ends no process when it fails", async () => {
    const unhandled = vi.fn<(reason: unknown) => void>();
    process.on("unhandledRejection", unhandled);
    void new AuditLogger(new FullStorage()).callSink.capture({ input: "x" });
    await sleep(20);
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it("links the two entries of one call that two layers capture, and counts it once", async () => {
    const twins = new AuditLogger(new MemoryStorage());
    const inner = await twins.callSink.capture({ responseId: "r1" }, { layer: "client" });
    const outer = await twins.callSink.capture({ responseId: "r1" }, { layer: "framework" });
    expect((await twins.getEntry(inner))?.run).toBeUndefined();
    expect((await twins.getEntry(outer))?.run).toEqual({ sameCallAs: inner });
    expect(await twins.count()).toBe(1);
    expect((await twins.health()).lastHour?.entries).toBe(1);
    expect(await Array.fromAsync(twins.entries())).toHaveLength(2);
  });

  it("does not link calls of the same layer", async () => {
    const twins = new AuditLogger(new MemoryStorage());
    await twins.callSink.capture({ responseId: "r1" }, { layer: "client" });
    const second = await twins.callSink.capture({ responseId: "r1" }, { layer: "client" });
    expect((await twins.getEntry(second))?.run).toBeUndefined();
  });
});

describe("CallRecorder", () => {
  it("checks its options", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    const wrong: [object, string][] = [
      [{ logger: {} }, "audit: logger must be an AuditLogger"],
      [{ logger, failureMode: "ajar" }, "audit: failureMode must be 'closed' or 'open'"],
      [{ logger, writeTimeoutMs: 0 }, "audit: writeTimeoutMs must be a number > 0"],
    ];
    for (const [options, message] of wrong) {
      expect(await rejected(() => new CallRecorder(options as CaptureOptions))).toMatchObject({
        code: "AUDIT_CONFIG_INVALID",
        message,
      });
    }
  });

  it("writes one entry a call: the first end wins", async () => {
    const storage = new MemoryStorage();
    const recorder = recorderOn(storage, {
      conversationId: "c",
      metadata: { app: "a", team: "t" },
    });
    const call = await recorder.begin({ provider: "p", input: "x", metadata: { team: "mine" } });
    expect(recorder.stats).toEqual({ open: 1, written: 0, lost: 0 });
    const ends = [
      call.end({ output: "first", outcome: "ok" }),
      call.end({ output: "second", outcome: "error" }),
    ];
    const [id, again] = await Promise.all(ends);
    expect(again).toBe(id);
    expect(call.ended).toBe(true);
    expect(recorder.stats).toEqual({ open: 0, written: 1, lost: 0 });
    expect(await storage.count({})).toBe(1);
    const entry = await entryOf(storage, id);
    expect(entry).toMatchObject({
      provider: "p",
      outcome: "ok",
      conversationId: "c",
      metadata: { app: "a", team: "mine" },
    });
    expect(entry?.latencyMs).toBeGreaterThanOrEqual(0);
  });

  it("names the checks that ran, with an empty list when nobody looked", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    const recorder = new CallRecorder({ logger });
    await (await recorder.begin({ input: "a" })).end({ output: "b" });
    await (await recorder.begin({ input: "a" })).end({ output: "b", safetyChecks: ["rules"] });
    const entries = await logger.getEntries(new Date(0), new Date(8e15));
    expect(entries.map(({ safetyChecks }) => safetyChecks)).toEqual([[], ["rules"]]);
  });

  it("keeps the context in which the call began, wherever it ends", async () => {
    const storage = new MemoryStorage();
    const recorder = recorderOn(storage, {
      conversationId: "of the wrapper",
      metadata: { a: "wrapper", b: "wrapper" },
    });
    const inside = await withAuditContext(
      { conversationId: "begun", metadata: { b: "context" } },
      () => recorder.begin({ conversationId: undefined, input: "x" }),
    );
    const outside = await recorder.begin({ input: "x" });
    const [one, two] = await withAuditContext(
      { conversationId: "elsewhere", metadata: { c: 1 } },
      () => Promise.all([inside.end({ conversationId: undefined }), outside.end({})]),
    );
    expect(await entryOf(storage, one)).toMatchObject({
      conversationId: "begun",
      metadata: { a: "wrapper", b: "context" },
    });
    const second = await entryOf(storage, two);
    expect(second).toMatchObject({ conversationId: "of the wrapper" });
    expect(second?.metadata).toEqual({ a: "wrapper", b: "wrapper" });
  });

  it("survives metadata that cannot be read", async () => {
    const storage = new MemoryStorage();
    const hostile = {
      get secret(): never {
        throw new Error("no");
      },
      kept: 1,
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const call = await recorderOn(storage).begin({ input: "x", metadata: hostile });
    const entry = await entryOf(storage, await call.end({ metadata: revoked.proxy }));
    expect(entry?.metadata).toEqual({ secret: "[threw]", kept: 1, metadata: "[threw]" });
  });

  it("fail-closed, fails the call with an AuditWriteError and says why", async () => {
    const errors: AuditError[] = [];
    const recorder = recorderOn(new FullStorage(), { onAuditError: (error) => errors.push(error) });
    const call = await recorder.begin({ input: "x" });
    const error = await rejected(call.end({}));
    expect(error).toMatchObject({
      name: "AuditWriteError",
      code: "AUDIT_WRITE_FAILED",
      cause: { code: "ENOSPC" },
    });
    expect(errors).toEqual([error]);
    expect(recorder.stats).toEqual({ open: 0, written: 0, lost: 1 });
  });

  it("fail-open, leaves the caller's result untouched, even when the callback throws", async () => {
    const recorder = recorderOn(new FullStorage(), {
      failureMode: "open",
      intent: true,
      onAuditError: () => {
        throw new Error("mine");
      },
    });
    const call = await recorder.begin({ input: "x" });
    expect(await call.end({})).toBeUndefined();
    expect(recorder.stats).toEqual({ open: 0, written: 0, lost: 2 });
  });

  it("calls a write that takes too long failed", async () => {
    const recorder = recorderOn(new HangingStorage(), { writeTimeoutMs: 5 });
    const call = await recorder.begin({ input: "x" });
    expect(await rejected(call.end({}))).toMatchObject({
      name: "AuditWriteError",
      code: "AUDIT_WRITE_TIMEOUT",
      message: "not durable within 5 ms",
    });
    const open = recorderOn(new HangingStorage(), { writeTimeoutMs: 5, failureMode: "open" });
    expect(await (await open.begin({ input: "x" })).end({})).toBeUndefined();
    expect(open.stats).toEqual({ open: 0, written: 0, lost: 1 });
  });

  it("with intent, the start is durable before the call begins, and the entry names it", async () => {
    const path = await temporaryDirectory();
    const logger = new AuditLogger(path);
    const recorder = new CallRecorder({ logger, intent: true });
    const call = await recorder.begin({
      provider: "p",
      model: "m",
      operation: "chat",
      input: "Hello!",
    });
    const [file = ""] = await readdir(path);
    const started = (await readFile(`${path}/${file}`, "utf8"))
      .split("\n")
      .find((line) => line.includes("call.started"));
    const line = JSON.parse(started ?? "{}");
    expect(line).toMatchObject({
      type: "call.started",
      provider: "p",
      model: "m",
      operation: "chat",
    });
    const entry = await logger.getEntry((await call.end({ output: "Hi." })) ?? "");
    expect(entry?.call).toBe(line.call);
    expect(entry?.inputHash).toBe(line.input_hash);
    await logger.close();
    const full = recorderOn(new FullStorage(), { intent: true });
    expect(await rejected(full.begin({ input: "x" }) as Promise<RecordedCall>)).toMatchObject({
      code: "AUDIT_WRITE_FAILED",
    });
    expect(full.stats).toEqual({ open: 0, written: 0, lost: 1 });
  });

  it("ends open calls as abandoned when the logger closes, with what is known of them", async () => {
    const storage = new MemoryStorage();
    const logger = new AuditLogger(storage);
    const recorder = new CallRecorder({ logger });
    const known = await recorder.begin({ input: "one" }, () => ({ output: "half an ans" }));
    await recorder.begin({ input: "two" }, () => {
      throw new Error("mine");
    });
    const third = await recorder.begin({ input: "three" });
    await logger.close();
    const entries = await Array.fromAsync(logger.entries());
    expect(entries.map(({ outcome }) => outcome)).toEqual(["abandoned", "abandoned", "abandoned"]);
    expect(logger.verifyContent(entries[0] as AuditEntry, { output: "half an ans" })).toEqual({
      output: true,
    });
    expect(entries[1]?.alerts).toEqual(["ai-audit: the fields known so far could not be read"]);
    expect(known.ended).toBe(true);
    await third.end({ outcome: "ok" });
    expect(await storage.count({})).toBe(3);
  });

  it("lets a logger that closes wait for entries on their way", async () => {
    const path = await temporaryDirectory();
    const logger = new AuditLogger(path);
    const recorder = new CallRecorder({ logger });
    const calls = await Promise.all(
      Array.from({ length: 20 }, async () => recorder.begin({ input: "x" })),
    );
    const ends = calls.map((call) => call.end({ outcome: "ok" }));
    await logger.close();
    await Promise.all(ends);
    expect(await logger.count({ outcome: "ok" })).toBe(20);
  });

  it("measures from begin to end", async () => {
    const storage = new MemoryStorage();
    const call = await recorderOn(storage).begin({ input: "x" });
    await sleep(20);
    const entry = await entryOf(storage, await call.end({}));
    expect(entry?.latencyMs).toBeGreaterThanOrEqual(15);
    const given = await (await recorderOn(storage).begin({ input: "x" })).end({ latencyMs: 7 });
    expect((await entryOf(storage, given))?.latencyMs).toBe(7);
  });
});
