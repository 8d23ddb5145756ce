import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AuditEntry, AuditLogger, FileStorage } from "@ai-audit/core";
import type { CaptureOptions } from "@ai-audit/core/capture";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it, onTestFinished } from "vitest";
import { ToyClient, ToyError, type ToyPart, type ToyScript } from "../src/support/toy-sdk.ts";
import { AuditedToy } from "../src/toy-wrapper.ts";

const request = { model: "toy-1", prompt: "Where is Paris?", temperature: 0.5 };
const pieces = ["In ", "France."];

interface SetUp {
  readonly logger: AuditLogger;
  readonly client: ToyClient;
  readonly toy: AuditedToy;
}

function setUp(path: string, script: ToyScript, options: Partial<CaptureOptions> = {}): SetUp {
  const logger = new AuditLogger(new FileStorage({ path }), { storeContent: true });
  onTestFinished(() => logger.close().catch(() => {}));
  const client = new ToyClient(script);
  return { logger, client, toy: new AuditedToy(client, { logger, ...options }) };
}

async function setUpInDirectory(script: ToyScript): Promise<SetUp> {
  return setUp(await temporaryDirectory(), script);
}

/** The storage's directory would be below a file: nothing can be written. */
async function setUpUnwritable(options: Partial<CaptureOptions> = {}): Promise<SetUp> {
  const file = join(await temporaryDirectory(), "file");
  await writeFile(file, "");
  return setUp(join(file, "log"), { pieces, stopReason: "end" }, options);
}

async function read(parts: AsyncIterable<ToyPart>, into: ToyPart[] = []): Promise<ToyPart[]> {
  for await (const part of parts) into.push(part);
  return into;
}

async function onlyEntry(logger: AuditLogger): Promise<AuditEntry> {
  const entries = await Array.fromAsync(logger.entries());
  expect(entries).toHaveLength(1);
  const [entry] = entries;
  if (entry === undefined) throw new Error("no entry");
  return entry;
}

describe("a wrapper made of the kit", () => {
  it("records an answer with its usage", async () => {
    const { logger, toy } = await setUpInDirectory({ pieces, stopReason: "end" });
    expect((await toy.complete(request)).text).toBe("In France.");
    expect(await onlyEntry(logger)).toMatchObject({
      provider: "toy",
      model: "toy-1",
      operation: "text_completion",
      outcome: "ok",
      safetyPassed: true,
      inputContent: "Where is Paris?",
      outputContent: "In France.",
      inputTokens: 3,
      outputTokens: 2,
      responseId: "toy_1",
      finishReasons: ["end"],
      parameters: { temperature: 0.5 },
    });
  });

  it.each([
    ["refusal", "anthropic:refusal"],
    ["content_filter", "openai:content_filter"],
  ])("records %s as blocked, whole and streamed", async (stopReason, detector) => {
    const { logger, toy } = await setUpInDirectory({ pieces, stopReason });
    await toy.complete(request);
    await read(toy.stream(request));
    const blocked = { outcome: "blocked", safetyPassed: false, detectorsTriggered: [detector] };
    expect(await Array.fromAsync(logger.entries())).toMatchObject([blocked, blocked]);
  });

  it("records an error with its status and request id, and throws it", async () => {
    const failure = new ToyError(503, "overloaded", "try again");
    const { logger, toy } = await setUpInDirectory({ pieces: [], failure });
    expect(await rejected(toy.complete(request))).toBe(failure);
    expect(await onlyEntry(logger)).toMatchObject({
      outcome: "error",
      error: { type: "ToyError", status: 503, code: "overloaded" },
      requestId: "req_toy",
    });
  });

  it("records an error that names a filter as blocked", async () => {
    const failure = new ToyError(400, "content_filter", "not this");
    const { logger, toy } = await setUpInDirectory({ pieces: [], failure });
    expect(await rejected(toy.complete(request))).toBe(failure);
    expect(await onlyEntry(logger)).toMatchObject({ outcome: "blocked", safetyPassed: false });
  });

  it("records a stream once it is read", async () => {
    const { logger, toy } = await setUpInDirectory({ pieces, stopReason: "end" });
    expect(await read(toy.stream(request))).toHaveLength(3);
    const entry = await onlyEntry(logger);
    expect(entry.timeToFirstTokenMs).toBeGreaterThanOrEqual(0);
    expect(entry).toMatchObject({
      outcome: "ok",
      streamed: true,
      outputContent: "In France.",
      outputTokens: 2,
    });
  });

  it("keeps the partial output of a stream that breaks", async () => {
    const failure = new ToyError(503, "overloaded", "try again");
    const { logger, toy } = await setUpInDirectory({ pieces, failure });
    expect(await rejected(read(toy.stream(request)))).toBe(failure);
    const error = { type: "ToyError", status: 503 };
    const partial = { outcome: "error", outputContent: "In France.", error };
    expect(await onlyEntry(logger)).toMatchObject(partial);
  });

  it("records a stream without its last part as cut", async () => {
    const { logger, toy } = await setUpInDirectory({ pieces });
    await read(toy.stream(request));
    const error = { type: "TruncatedStream" };
    expect(await onlyEntry(logger)).toMatchObject({ outcome: "error", error });
  });

  it("records a stream as aborted that its reader leaves", async () => {
    const { logger, toy } = await setUpInDirectory({ pieces, stopReason: "end" });
    for await (const part of toy.stream(request)) if ("text" in part) break;
    expect(await onlyEntry(logger)).toMatchObject({ outcome: "aborted", outputContent: "In " });
  });

  it("records a call as aborted whose signal fires", async () => {
    const { logger, toy } = await setUpInDirectory({ pieces, stopReason: "end" });
    await rejected(toy.complete(request, { signal: AbortSignal.abort() }));
    expect(await onlyEntry(logger)).toMatchObject({ outcome: "aborted" });
  });

  it("records a stream as abandoned that is open when the logger closes", async () => {
    const path = await temporaryDirectory();
    const { logger, toy } = setUp(path, { pieces, stopReason: "end" });
    await toy.stream(request).next();
    await logger.close();
    const reader = new AuditLogger(new FileStorage({ path }));
    onTestFinished(() => reader.close());
    const partial = { outcome: "abandoned", outputContent: "In " };
    expect(await onlyEntry(reader)).toMatchObject(partial);
  });
});

describe("a wrapper of a log that cannot be written", () => {
  it("fails the call: its answer is not handed out", async () => {
    const { client, toy } = await setUpUnwritable();
    expect(await rejected(toy.complete(request))).toMatchObject({
      name: "AuditWriteError",
      code: "AUDIT_WRITE_FAILED",
    });
    expect(client.sent).toBe(1);
  });

  it("fails the reader's loop of a stream", async () => {
    const { toy } = await setUpUnwritable();
    const parts: ToyPart[] = [];
    expect(await rejected(read(toy.stream(request), parts))).toMatchObject({
      code: "AUDIT_WRITE_FAILED",
    });
    expect(parts).toHaveLength(3);
  });

  it("sends nothing with intent", async () => {
    const { client, toy } = await setUpUnwritable({ intent: true });
    const code = "AUDIT_WRITE_FAILED";
    expect(await rejected(toy.complete(request))).toMatchObject({ code });
    expect(await rejected(read(toy.stream(request)))).toMatchObject({ code });
    expect(client.sent).toBe(0);
  });

  it("leaves the answer alone in fail-open mode, and reports", async () => {
    const reported: string[] = [];
    const onAuditError = ({ code }: { readonly code: string }): void => void reported.push(code);
    const { toy } = await setUpUnwritable({ failureMode: "open", onAuditError });
    expect((await toy.complete(request)).text).toBe("In France.");
    expect(reported).toEqual(["AUDIT_WRITE_FAILED"]);
  });
});
