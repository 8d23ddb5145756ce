// OpenTelemetry beside the log: each entry has the ids of the span that was active at its call.
import { AuditLogger } from "@ai-audit/core";
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";

// Your program has this already, from NodeSDK for example.
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(new BasicTracerProvider());

const logger = new AuditLogger("./audit-logs/opentelemetry");
await logger.log({ input: "Hello!", output: "Hi.", outcome: "ok" }); // outside of any span

const traceId = await trace.getTracer("shop").startActiveSpan("checkout", async (span) => {
  await logger.log({ input: "Ship to Bern?", output: "Yes.", outcome: "ok", model: "gpt-5" });
  span.end();
  return span.spanContext().traceId; // the id that your tracing tool shows
});

const inTrace = logger.entries({ where: (entry) => entry.trace?.traceId === traceId });
for await (const { model, outcome } of inTrace) console.log(model, outcome, "in this trace");
console.log(await logger.count(), "entries in all");
await logger.close();
