// Calls whose entry cannot be written once they have begun, and the integration in ai 6.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import * as ai7 from "ai";
import { MockLanguageModelV4 } from "ai/test";
import * as ai6 from "ai-v6";
import { MockLanguageModelV3 } from "ai-v6/test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { auditAiSdk } from "../src/index.ts";

/** Keeps its first lines, and no more once it is full. */
class FillingDisk extends MemoryStorage {
  isFull = false;

  override append(line: string, id?: string): Promise<void> {
    return this.isFull ? Promise.reject(new Error("no space left")) : super.append(line, id);
  }
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 1, text: 1, reasoning: undefined },
};
const stop = { unified: "stop" as const, raw: "stop" };
const hello = {
  content: [{ type: "text" as const, text: "Hello" }],
  finishReason: stop,
  usage,
  warnings: [],
};
const lookUp = {
  ...hello,
  content: [{ type: "tool-call" as const, toolCallId: "call-1", toolName: "weather", input: "{}" }],
  finishReason: { unified: "tool-calls" as const, raw: "tool_calls" },
};
const parts = [
  { type: "text-start" as const, id: "1" },
  { type: "text-delta" as const, id: "1", delta: "Hello" },
  { type: "text-end" as const, id: "1" },
  { type: "finish" as const, finishReason: stop, usage },
];

afterEach(() => {
  globalThis.AI_SDK_TELEMETRY_INTEGRATIONS = undefined;
});

function filling(storage: FillingDisk): MockLanguageModelV4 {
  return new MockLanguageModelV4({
    doGenerate: () => {
      storage.isFull = true;
      return Promise.resolve(hello);
    },
    doStream: () => {
      storage.isFull = true;
      return Promise.resolve({ stream: ai7.simulateReadableStream({ chunks: parts }) });
    },
  });
}

describe("An answer that cannot be recorded", () => {
  it.each(["middleware", "integration"])("fails the call, by the %s", async (by) => {
    const storage = new FillingDisk();
    const audit = auditAiSdk({ logger: new AuditLogger(storage) });
    if (by === "integration") ai7.registerTelemetry(audit.telemetry);
    const model =
      by === "integration"
        ? filling(storage)
        : ai7.wrapLanguageModel({ model: filling(storage), middleware: audit.languageModel });
    const call = ai7.generateText({ model, prompt: "Hi", maxRetries: 0 });
    await expect(call).rejects.toMatchObject({ code: "AUDIT_WRITE_FAILED" });
    expect(audit.stats).toMatchObject({ open: 0, lost: 1 });
  });

  it.each(["middleware", "integration"])("fails the end of a stream, by the %s", async (by) => {
    const storage = new FillingDisk();
    const audit = auditAiSdk({ logger: new AuditLogger(storage) });
    if (by === "integration") ai7.registerTelemetry(audit.telemetry);
    const model =
      by === "integration"
        ? filling(storage)
        : ai7.wrapLanguageModel({ model: filling(storage), middleware: audit.languageModel });
    const { textStream } = ai7.streamText({ model, prompt: "Hi", maxRetries: 0 });
    const read = Array.fromAsync(textStream);
    await expect(read).rejects.toMatchObject({ code: "AUDIT_WRITE_FAILED" });
    expect(audit.stats).toMatchObject({ open: 0, lost: 1 });
  });

  it("reaches the caller unchanged where the audit fails open", async () => {
    const storage = new FillingDisk();
    const lost: string[] = [];
    const audit = auditAiSdk({
      logger: new AuditLogger(storage),
      failureMode: "open",
      onAuditError: ({ code }) => void lost.push(code),
    });
    const model = ai7.wrapLanguageModel({
      model: filling(storage),
      middleware: audit.languageModel,
    });
    expect((await ai7.generateText({ model, prompt: "Hi" })).text).toBe("Hello");
    await vi.waitFor(() => expect(lost).toEqual(["AUDIT_WRITE_FAILED"]));
  });
});

describe("A tool's result that cannot be recorded", () => {
  it("reaches no further model call", async () => {
    const storage = new FillingDisk();
    const audit = auditAiSdk({ logger: new AuditLogger(storage) });
    ai7.registerTelemetry(audit.telemetry);
    const model = new MockLanguageModelV4({ doGenerate: [lookUp, hello] });
    const weather = ai7.tool({
      inputSchema: z.object({}),
      execute: () => {
        storage.isFull = true;
        return "sunny";
      },
    });
    const stopWhen = ai7.stepCountIs(3);
    const call = ai7.generateText({ model, prompt: "Hi", tools: { weather }, stopWhen });
    await expect(call).rejects.toMatchObject({ code: "AUDIT_WRITE_FAILED" });
    expect(model.doGenerateCalls).toHaveLength(1);
  });
});

describe("The integration in ai 6", () => {
  const weather = ai6.tool({ inputSchema: z.object({}), execute: () => "sunny" });

  it("records tool calls beside the middleware's model calls", async () => {
    const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
    const audit = auditAiSdk({ logger });
    ai6.registerTelemetryIntegration(audit.telemetry);
    const model = ai6.wrapLanguageModel({
      model: new MockLanguageModelV3({ doGenerate: [lookUp, hello] }),
      middleware: audit.languageModel,
    });
    await ai6.generateText({
      model,
      prompt: "Hi",
      tools: { weather },
      stopWhen: ai6.stepCountIs(3),
    });
    const entries = await Array.fromAsync(logger.entries());
    const said = entries
      .toSorted((one, other) => (one.id < other.id ? -1 : 1))
      .map(({ operation, outcome, run }) => `${operation} ${outcome} ${run?.toolCallId ?? ""}`);
    expect(said).toEqual(["chat ok ", "execute_tool ok call-1", "chat ok "]);
  });

  it("warns of a model that no middleware wraps", async () => {
    const warnings: string[] = [];
    const warned = vi
      .spyOn(process, "emitWarning")
      .mockImplementation((warning) => void warnings.push(String(warning)));
    ai6.registerTelemetryIntegration(
      auditAiSdk({ logger: new AuditLogger(new MemoryStorage()) }).telemetry,
    );
    const model = new MockLanguageModelV3({ doGenerate: hello });
    await ai6.generateText({ model, prompt: "Hi" });
    await ai6.generateText({ model, prompt: "Hi" });
    warned.mockRestore();
    expect(warnings.filter((text) => text.includes("leave no entry"))).toHaveLength(1);
  });
});
