// Azure: other paths, other headers, other ways to be refused.
import { describe, expect, it } from "vitest";
import { chunks, completion } from "./payloads.ts";
import {
  type Bench,
  loadSdk,
  expectSameBehaviour,
  useWireServer,
  VERSIONS,
} from "./same-behaviour.ts";
import { events, json } from "@ai-audit/test-support/wire-server";

const hello = { model: "gpt-5", messages: [{ role: "user" as const, content: "Hello!" }] };

function azure({ azure: make, baseURL }: Bench, more: object = {}): ReturnType<Bench["azure"]> {
  return make({
    apiKey: "azure-key",
    apiVersion: "2025-01-01",
    endpoint: new URL(baseURL).origin,
    maxRetries: 0,
    ...more,
  });
}

describe.each(VERSIONS)("an Azure client of %s, audited", async (version) => {
  const sdk = await loadSdk(version);
  useWireServer();

  it("sends to the deployment, with the key in its own header", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [json(completion("Hi."))],
      (bench) => azure(bench).chat.completions.create(hello),
    );
    expect(outcome.wire[0]?.url).toBe(
      "/openai/deployments/gpt-5/chat/completions?api-version=2025-01-01",
    );
    expect(outcome.wire[0]?.headers).toContain("azure-key");
    expect(entries).toMatchObject([
      { provider: "azure.ai.openai", model: "gpt-5", operation: "chat", outcome: "ok" },
    ]);
    expect(JSON.stringify(entries)).not.toContain("azure-key");
  });

  it("uses the client's deployment and a token provider", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [json(completion("Hi."))],
      (bench) =>
        azure(bench, {
          apiKey: undefined,
          azureADTokenProvider: async () => "ad-token",
          deployment: "mine",
        }).chat.completions.create(hello),
    );
    expect(outcome.wire[0]?.headers).toContain("Bearer ad-token");
    expect(entries).toMatchObject([{ provider: "azure.ai.openai", model: "mine" }]);
    expect(JSON.stringify(entries)).not.toContain("ad-token");
  });

  it("streams", async () => {
    const { entries } = await expectSameBehaviour(sdk, [events(chunks)], async (bench) => {
      for await (const event of await azure(bench).chat.completions.create({
        ...hello,
        stream: true,
      }))
        bench.note(event);
    });
    expect(entries).toMatchObject([{ outcome: "ok", outputContent: "Hello, world" }]);
  });

  it("throws the same error for a prompt that its filter stopped", async () => {
    const body = {
      error: {
        message: "The response was filtered.",
        code: "content_filter",
        status: 400,
        innererror: {
          code: "ResponsibleAIPolicyViolation",
          content_filter_result: {
            violence: { filtered: true, severity: "high" },
            hate: { filtered: false, severity: "safe" },
          },
        },
      },
    };
    const { entries, outcome } = await expectSameBehaviour(sdk, [json(body, 400)], (bench) =>
      azure(bench).chat.completions.create(hello),
    );
    expect(outcome.thrown).toBeInstanceOf(sdk.BadRequestError);
    expect(entries).toMatchObject([
      { outcome: "blocked", safetyPassed: false, metadata: { blocked_at: "input" } },
    ]);
    expect(entries[0]?.detectorsTriggered).toContain("azure:violence");
  });

  it("refuses configurations with the same errors", async () => {
    for (const more of [
      { apiVersion: undefined },
      { apiKey: undefined },
      { azureADTokenProvider: async () => "x" },
      { baseURL: "http://x" },
    ]) {
      const { outcome } = await expectSameBehaviour(
        sdk,
        [json({})],
        async (bench) => void azure(bench, more),
      );
      expect(outcome.thrown).toBeInstanceOf(sdk.OpenAIError);
    }
  });

  it("fails as it does when the token provider does, before anything is sent", async () => {
    const { entries, outcome } = await expectSameBehaviour(sdk, [json({})], (bench) =>
      azure(bench, {
        apiKey: undefined,
        azureADTokenProvider: async () => {
          throw new Error("no token");
        },
      }).chat.completions.create(hello),
    );
    expect(outcome.thrown).toBeInstanceOf(Error);
    expect(outcome.wire).toHaveLength(0);
    expect(entries).toMatchObject([{ outcome: "error", attempts: 0, inputContent: "Hello!" }]);
  });

  it("is an instance of both classes", async () => {
    const { outcome } = await expectSameBehaviour(sdk, [json({})], async (bench) => {
      const client = azure(bench);
      const { AzureOpenAI, OpenAI } = bench.sdk;
      bench.note(
        client instanceof AzureOpenAI,
        client instanceof OpenAI,
        client.constructor.name,
        client.apiVersion,
      );
    });
    expect(outcome.notes).toEqual([[true, true, "AzureOpenAI", "2025-01-01"]]);
  });
});
