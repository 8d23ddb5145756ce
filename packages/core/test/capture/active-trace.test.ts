import { createRequire } from "node:module";
import { context, trace, type Span } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AuditLogger, MemoryStorage, withAuditContext } from "../../src/index.ts";
import { CallRecorder } from "../../src/capture/index.ts";

describe("the active span of OpenTelemetry", () => {
  const logger = new AuditLogger(new MemoryStorage());
  const recorder = new CallRecorder({ logger });

  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(new BasicTracerProvider());
  });
  afterAll(() => {
    context.disable();
    trace.disable();
  });

  async function traceOf(log: () => Promise<string | undefined>): Promise<unknown> {
    return (await logger.getEntry((await log()) ?? ""))?.trace;
  }

  const byHand = (): Promise<string> => logger.log({ input: "", output: "" });
  const captured = async (): Promise<string | undefined> => {
    const call = await recorder.begin({ input: "" });
    return call.end({ outcome: "ok", output: "" });
  };

  it.each([
    ["by hand", byHand],
    ["of a wrapper", captured],
  ])("gives its ids to an entry %s", async (_, log) => {
    await trace.getTracer("t").startActiveSpan("request", async (span: Span) => {
      const { traceId, spanId } = span.spanContext();
      expect(await traceOf(log)).toEqual({ traceId, spanId });
      const own = { traceId: "0af7651916cd43dd8448eb211c80319c" };
      expect(await withAuditContext({ trace: own }, () => traceOf(log))).toEqual(own);
      span.end();
    });
    expect(await traceOf(log)).toBeUndefined();
  });

  it("is found by the registry of the package, also as CommonJS, and is never imported", async () => {
    const commonJs: typeof import("@opentelemetry/api") = createRequire(import.meta.url)(
      "@opentelemetry/api",
    );
    await commonJs.trace.getTracer("t").startActiveSpan("request", async (span) => {
      expect(await traceOf(byHand)).toMatchObject({ traceId: span.spanContext().traceId });
      span.end();
    });
  });

  it("costs no entry where a context manager throws", async () => {
    context.disable();
    const manager = new AsyncLocalStorageContextManager();
    manager.active = () => {
      throw new Error("broken");
    };
    context.setGlobalContextManager(manager);
    expect(await traceOf(byHand)).toBeUndefined();
  });
});
