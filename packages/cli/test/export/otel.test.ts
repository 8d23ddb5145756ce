// OpenTelemetry's conventions for generative AI: messages, tools, retrievals.
import { AuditLogger, EncryptionManager, generateKey } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { cli } from "../support/cli.ts";

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

async function spanOf(
  interaction: Parameters<AuditLogger["log"]>[0],
): Promise<{ readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }> {
  const directory = await temporaryDirectory();
  const masterKey = generateKey();
  const encryption = new EncryptionManager(masterKey);
  const logger = new AuditLogger(directory, { storeContent: true, encryption });
  await logger.log(interaction);
  await logger.close();
  const { stdout } = await cli(["export", directory, "-f", "otel", "-d"], {
    env: { AUDIT_ENCRYPTION_KEY: masterKey },
  });
  const { resourceSpans } = JSON.parse(stdout) as {
    resourceSpans: [
      { scopeSpans: [{ spans: [{ name: string; attributes: readonly Attribute[] }] }] },
    ];
  };
  const [{ name, attributes }] = resourceSpans[0].scopeSpans[0].spans;
  const values = attributes.map(({ key, value }) => [key, Object.values(value)[0]]);
  return { name, attributes: Object.fromEntries(values) };
}

describe("ai-audit export -f otel", { timeout: 60_000 }, () => {
  it("has messages with parts, calls of tools and their results", async () => {
    const { name, attributes } = await spanOf({
      operation: "responses",
      outcome: "ok",
      model: "gpt-5",
      finishReasons: ["tool_calls"],
      streamed: true,
      usage: { cachedInputTokens: 3, reasoningOutputTokens: 4 },
      input: [
        { role: "user", content: "Weather?" },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c1", function: { name: "weather", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "c1", content: "sunny" },
      ],
      output: "Sunny.",
    });
    expect(name).toBe("chat gpt-5");
    expect(attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.request.stream": true,
      "gen_ai.usage.cache_read.input_tokens": "3",
      "gen_ai.usage.reasoning.output_tokens": "4",
    });
    expect(JSON.parse(String(attributes["gen_ai.input.messages"]))).toEqual([
      { role: "user", parts: [{ type: "text", content: "Weather?" }] },
      {
        role: "assistant",
        parts: [{ type: "tool_call", id: "c1", name: "weather", arguments: "{}" }],
      },
      { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: "sunny" }] },
    ]);
    expect(JSON.parse(String(attributes["gen_ai.output.messages"]))).toEqual([
      {
        role: "assistant",
        parts: [{ type: "text", content: "Sunny." }],
        finish_reason: "tool_calls",
      },
    ]);
  });

  it("has query, documents and data source of a retrieval", async () => {
    const { name, attributes } = await spanOf({
      operation: "retrieval",
      outcome: "ok",
      input: "invoice 17",
      output: [{ id: "inv-17" }],
      run: { name: "Archive" },
    });
    expect(name).toBe("retrieval Archive");
    expect(attributes).toMatchObject({
      "gen_ai.operation.name": "retrieval",
      "gen_ai.data_source.id": "Archive",
      "gen_ai.retrieval.query.text": "invoice 17",
      "gen_ai.retrieval.documents": '[{"id":"inv-17"}]',
    });
  });

  it("calls a chain a workflow", async () => {
    const run = { name: "loan" };
    const { name, attributes } = await spanOf({
      operation: "invoke_chain",
      input: "",
      output: "",
      run,
    });
    expect(name).toBe("invoke_workflow loan");
    expect(attributes).toMatchObject({ "gen_ai.workflow.name": "loan" });
  });
});
