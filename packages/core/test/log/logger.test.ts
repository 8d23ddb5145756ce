import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, expectTypeOf, it, onTestFinished } from "vitest";
import {
  type AuditError,
  AuditLogger,
  EncryptionManager,
  generateKey,
  type Interaction,
  MemoryStorage,
  verifyLog,
} from "../../src/index.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { inMemory, sha256 } from "./in-memory.ts";

const EVERY_FIELD: Required<Omit<Interaction, "subject">> = {
  input: "Hello!",
  output: { role: "assistant", content: "Hi." },
  provider: "openai",
  model: "gpt-5",
  conversationId: "c-1",
  safetyPassed: false,
  detectorsTriggered: ["pii", "jailbreak"],
  blockReason: "policy",
  alerts: ["look"],
  latencyMs: 12.5,
  inputTokens: 3,
  outputTokens: 0,
  metadata: { userId: "u-1", nested: { snake_case: [1, null, "x"], camelCase: true } },
  operation: "chat",
  outcome: "blocked",
  safetyChecks: ["openai-moderation"],
  error: { type: "BadRequestError", code: "content_filter", status: 400, message: "filtered" },
  responseId: "resp_1",
  responseModel: "gpt-5-2026-01-01",
  requestId: "req_1",
  finishReasons: ["content_filter"],
  usage: { cachedInputTokens: 1, reasoningOutputTokens: 2, source: "reported", audioTokens: 4 },
  timeToFirstTokenMs: 1.25,
  attempts: 2,
  streamed: true,
  parameters: { temperature: 0.2, top_p: 1 },
  run: {
    id: "r",
    parentId: "p",
    rootId: "p",
    name: "agent",
    path: ["a", "b"],
    threadId: "t",
    node: "n",
    toolCallId: "tc",
  },
  trace: { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" },
  call: "01981f6c-3a00-7abc-8def-0123456789ab",
  actor: { id: "u-1", kind: "user", role: "clerk", onBehalfOf: "u-2" },
  server: { address: "api.openai.com", port: 443 },
  review: { of: "01981f6c-3a00-7abc-8def-0123456789ab", verdict: "approved", role: "officer" },
  reviewRequired: true,
  diagnostics: { assessments: [1] },
};

describe("log()", () => {
  for (const where of ["memory", "a directory"]) {
    it(`keeps every field in ${where}, as it was given`, async () => {
      await using logger = new AuditLogger(
        where === "memory" ? new MemoryStorage() : await temporaryDirectory(),
      );
      const before = Date.now();
      const id = await logger.log(EVERY_FIELD);
      const entry = await logger.getEntry(id);
      const { input: _input, output: _output, diagnostics: _said, ...fields } = EVERY_FIELD;
      const { message: _message, ...error } = fields.error ?? { type: "" };
      expect(entry).toStrictEqual({
        ...fields,
        error,
        id,
        timestamp: entry?.timestamp,
        inputHash: sha256("Hello!"),
        outputHash: sha256('{"content":"Hi.","role":"assistant"}'),
        inputContent: null,
        outputContent: null,
        outputFormat: "json",
        diagnosticsHash: sha256('{"assessments":[1],"error_message":"filtered"}'),
      });
      expect(entry?.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(Date.parse(entry?.timestamp ?? "")).toBeGreaterThanOrEqual(before);
      expect(Number.parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(
        Date.parse(entry?.timestamp ?? ""),
      );
    });
  }

  it("needs input and output alone; the original's 17 fields are always there", async () => {
    const logger = inMemory();
    const entry = await logger.getEntry(await logger.log({ input: "", output: "" }));
    expect(entry).toStrictEqual({
      id: entry?.id,
      timestamp: entry?.timestamp,
      inputHash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      outputHash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      inputContent: null,
      outputContent: null,
      provider: null,
      model: null,
      conversationId: null,
      safetyPassed: true,
      detectorsTriggered: [],
      blockReason: null,
      alerts: [],
      latencyMs: null,
      inputTokens: null,
      outputTokens: null,
      metadata: {},
    });
  });

  it("keeps text with storeContent, and gives parsed content back", async () => {
    const logger = inMemory({ storeContent: true });
    const conversation = [{ role: "user", content: "Hello!" }];
    const entry = await logger.getEntry(await logger.log({ input: conversation, output: "Hi." }));
    expect(entry?.inputContent).toBe('[{"content":"Hello!","role":"user"}]');
    expect(entry?.outputContent).toBe("Hi.");
    expect(entry && logger.content(entry)).toEqual({ input: conversation, output: "Hi." });
  });

  it("encrypts what it keeps, and keys the hashes", async () => {
    const storage = new MemoryStorage();
    const encryption = new EncryptionManager(generateKey());
    const logger = new AuditLogger(storage, { encryption, storeContent: true });
    const entry = await logger.getEntry(await logger.log({ input: "secret", output: { a: 1 } }));
    if (!entry) throw new Error("no entry");
    expect(JSON.stringify(entry)).not.toContain("secret");
    expect(entry.inputHash).toMatch(/^hmac-sha256:[\w-]{43}$/);
    expect(logger.content(entry)).toEqual({ input: "secret", output: { a: 1 } });
    expect(logger.decryptContent(entry.inputContent ?? "")).toBe("secret");
    expect(logger.verifyContent(entry, { input: "secret", output: { a: 1 } })).toEqual({
      input: true,
      output: true,
    });
    expect(logger.verifyContent(entry, { input: "Secret" })).toEqual({ input: false });
    const other = new AuditLogger(storage, { encryption: new EncryptionManager(generateKey()) });
    expect(await rejected(() => other.content(entry))).toMatchObject({ code: "AUDIT_KEY_MISSING" });
    expect(await rejected(() => inMemory().decryptContent("x"))).toMatchObject({
      code: "AUDIT_KEY_MISSING",
      message: "decryptContent() needs a logger with encryption",
    });
  });

  it("snapshots what it is given at the call", async () => {
    const logger = inMemory({ storeContent: true });
    const interaction = { input: { text: "before" }, output: "x", metadata: { a: 1 } };
    const logged = logger.log(interaction);
    interaction.input.text = "after";
    interaction.metadata.a = 2;
    const entry = await logger.getEntry(await logged);
    expect(entry?.inputContent).toBe('{"text":"before"}');
    expect(entry?.metadata).toEqual({ a: 1 });
  });

  it("refuses what it cannot use, naming the field and never its value", async () => {
    const logger = inMemory();
    const wrong: [object, string][] = [
      [{ output: "x" }, "log(): input is required"],
      [{ input: "x" }, "log(): output is required"],
      [{ input: "x", output: undefined }, "log(): output is required"],
      [
        { input: "x", output: "x", modle: "gpt" },
        "log(): modle is not a field of an interaction; your own data goes into metadata",
      ],
      [{ input: "x", output: "x", model: 5 }, "log(): model must be a string"],
      [{ input: "x", output: "x", model: () => "gpt" }, "log(): model must be a string"],
      [{ input: "x", output: "x", latencyMs: -1 }, "log(): latencyMs must be a finite number >= 0"],
      [
        { input: "x", output: "x", latencyMs: Number.NaN },
        "log(): latencyMs must be a finite number >= 0",
      ],
      [{ input: "x", output: "x", inputTokens: 1.5 }, "log(): inputTokens must be an integer >= 0"],
      [{ input: "x", output: "x", alerts: ["a", 5] }, "log(): alerts must be an array of strings"],
      [{ input: "x", output: "x", metadata: ["a"] }, "log(): metadata must be an object"],
      [{ input: "x", output: "x", metadata: new Date() }, "log(): metadata must be an object"],
      [{ input: "x", output: "x", safetyPassed: "yes" }, "log(): safetyPassed must be a boolean"],
      [
        { input: "x", output: "x", outcome: "fine" },
        "log(): outcome must be one of ok, blocked, error, aborted, timeout, interrupted, abandoned",
      ],
    ];
    for (const [interaction, message] of wrong) {
      const error = await rejected(logger.log(interaction as Interaction));
      expect(error).toMatchObject({
        name: "AuditInputError",
        code: "AUDIT_INPUT_INVALID",
        message,
      });
    }
    for (const nothing of [null, undefined, "text", 5]) {
      const error = await rejected(logger.log(nothing as unknown as Interaction));
      expect(error).toMatchObject({
        code: "AUDIT_INPUT_INVALID",
        message: "log() takes an object",
      });
    }
    expect(await logger.count()).toBe(0);
  });

  it("needs a key store for a subject", async () => {
    expect(await rejected(inMemory().log({ input: "", output: "", subject: "Ada" }))).toMatchObject(
      {
        code: "AUDIT_SUBJECT_INVALID",
      },
    );
  });

  it("takes a logger of any metadata where a logger is wanted", () => {
    expectTypeOf<AuditLogger<{ user_id: string }>>().toExtend<AuditLogger>();
    expectTypeOf<ReturnType<AuditLogger["log"]>>().toEqualTypeOf<Promise<string>>();
  });
});

describe("The end of a logger", () => {
  it("flush() and close() wait for every log() called before them", async () => {
    const path = await temporaryDirectory();
    const logger = new AuditLogger(path);
    const flushed = Array.from({ length: 50 }, () => logger.log({ input: "", output: "" }));
    await logger.flush();
    expect(await logger.count()).toBe(50);
    const closed = Array.from({ length: 50 }, () => logger.log({ input: "", output: "" }));
    await logger.close();
    expect(new Set(await Promise.all([...flushed, ...closed])).size).toBe(100);
    expect(await logger.count()).toBe(100);
    expect(await verifyLog(path, {})).toMatchObject({
      entries: 100,
      files: [{ state: "UNSIGNED" }],
    });
  });

  it("close() may be called again and leaves a log without entries without files", async () => {
    const path = await temporaryDirectory();
    const logger = new AuditLogger(path);
    await Promise.all([logger.close(), logger.close()]);
    await logger[Symbol.asyncDispose]();
    expect(await rejected(logger.log({ input: "", output: "" }))).toMatchObject({
      name: "AuditWriteError",
      code: "AUDIT_CLOSED",
      message: "log(): the logger is closed",
    });
    expect(await rejected(() => logger.scheduleCleanup())).toMatchObject({ code: "AUDIT_CLOSED" });
    expect(await logger.count()).toBe(0);
  });

  it("flush() ends although others go on logging", async () => {
    const logger = new AuditLogger(await temporaryDirectory());
    const stop = new AbortController();
    const busy = Array.from({ length: 8 }, async () => {
      let count = 0;
      for (; !stop.signal.aborted; count += 1) await logger.log({ input: "", output: "" });
      return count;
    });
    await logger.log({ input: "", output: "" });
    await logger.flush();
    stop.abort();
    const counts = await Promise.all(busy);
    await logger.close();
    expect(await logger.count()).toBe(counts.reduce((a, b) => a + b) + 1);
  });
});

describe("Entries that cannot be written", () => {
  it("are refused with AUDIT_BACKLOG beyond maxPendingBytes, and the log says how many were lost", async () => {
    const path = await temporaryDirectory();
    const errors: AuditError[] = [];
    const logger = new AuditLogger(path, {
      maxPendingBytes: 8000,
      onError: (error) => errors.push(error),
    });
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => logger.log({ input: "", output: "" })),
    );
    const kept = results.filter(({ status }) => status === "fulfilled").length;
    expect(kept).toBeGreaterThan(1);
    expect(kept).toBeLessThan(6);
    const refused = results
      .filter((result) => result.status === "rejected")
      .map(({ reason }) => reason as AuditError);
    expect(refused[0]).toMatchObject({ name: "AuditWriteError", code: "AUDIT_BACKLOG" });
    expect(refused[0]?.message).toMatch(
      /^\d+ bytes already wait to be written \(maxPendingBytes\)$/,
    );
    expect(errors).toEqual(refused);
    expect(await logger.health()).toMatchObject({
      ok: true,
      lostWrites: 10 - kept,
      pendingWrites: 0,
      totalEntries: kept,
    });
    await logger.close();
    const [file = ""] = await readdir(path);
    const losses = (await readFile(`${path}/${file}`, "utf8"))
      .split("\n")
      .filter((line) => line.startsWith('{"type":"loss"'));
    expect(losses).toHaveLength(1);
    expect(JSON.parse(losses[0] ?? "")).toMatchObject({
      type: "loss",
      entries: 10 - kept,
      reason: refused[0]?.message,
    });
  });

  it("reject with the AuditError although onError throws", async () => {
    const logger = new AuditLogger(new MemoryStorage(), {
      onError: () => {
        throw new TypeError("mine");
      },
    });
    await logger.storage.close();
    const warnings: (Error & { code?: string })[] = [];
    const listen = (warning: Error): unknown => warnings.push(warning);
    process.on("warning", listen);
    onTestFinished(() => void process.off("warning", listen));
    expect(await rejected(logger.log({ input: "", output: "" }))).toMatchObject({
      code: "AUDIT_CLOSED",
    });
    await sleep(0);
    expect(warnings).toMatchObject([
      { name: "AuditWarning", code: "AUDIT_CALLBACK_THREW", message: "onError threw TypeError" },
    ]);
  });
});
