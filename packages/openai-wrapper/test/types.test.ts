// The types of an audited client are the SDK's.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import { APIPromise, AzureOpenAI, type ClientOptions, OpenAI } from "openai";
import * as v5 from "openai-v5";
import * as v6 from "openai-v6-newest";
import type { Stream } from "openai/streaming";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type Audit,
  auditClient,
  AuditedAzureOpenAI,
  AuditedOpenAI,
  auditOptions,
  withAudit,
} from "../src/index.ts";

const logger = new AuditLogger(new MemoryStorage());
const client = new AuditedOpenAI({ apiKey: "k", audit: logger });
const azure = new AuditedAzureOpenAI({
  apiKey: "k",
  apiVersion: "1",
  endpoint: "https://x.openai.azure.com",
  audit: logger,
});

const call = (): APIPromise<OpenAI.Chat.ChatCompletion> =>
  client.chat.completions.create({ model: "m", messages: [] });
const stream = (): APIPromise<Stream<OpenAI.Chat.ChatCompletionChunk>> =>
  client.chat.completions.create({ model: "m", messages: [], stream: true });
const embed = (): APIPromise<OpenAI.CreateEmbeddingResponse> =>
  client.embeddings.create(
    { model: "m", input: "x" },
    { timeout: 1, ...auditOptions({ subject: "s" }) },
  );
// @ts-expect-error audit is required
const without = (): OpenAI => new AuditedOpenAI({ apiKey: "k" });
const misspelt = (): OpenAI =>
  // @ts-expect-error no such option
  new AuditedOpenAI({ apiKey: "k", audit: { logger, failureMood: "open" } });

describe("the types of an audited client", () => {
  it("are those of the SDK's instances", () => {
    expectTypeOf(client).toEqualTypeOf<OpenAI>();
    expectTypeOf(azure).toEqualTypeOf<AzureOpenAI>();
    expectTypeOf<AuditedOpenAI>().toEqualTypeOf<OpenAI>();
    expectTypeOf(client.withOptions({ timeout: 1 })).toEqualTypeOf<OpenAI>();
    expectTypeOf(auditClient(new OpenAI({ apiKey: "k" }), logger)).toEqualTypeOf<OpenAI>();
    expectTypeOf(client.chat).toEqualTypeOf<OpenAI["chat"]>();
    expectTypeOf(client.responses).toEqualTypeOf<OpenAI["responses"]>();
    expect(client).toBeInstanceOf(OpenAI);
    expect(azure).toBeInstanceOf(AzureOpenAI);
  });

  it("narrow by instanceof, with both classes", () => {
    const unknown: unknown = client;
    if (unknown instanceof AuditedOpenAI) expectTypeOf(unknown).toEqualTypeOf<OpenAI>();
    expect(unknown instanceof AuditedOpenAI && unknown instanceof OpenAI).toBe(true);
  });

  it("give calls the SDK's return types", () => {
    type Create = OpenAI["chat"]["completions"]["create"];
    expectTypeOf<(typeof client.chat.completions)["create"]>().toEqualTypeOf<Create>();
    expect([call, stream, embed]).toHaveLength(3); // each compiles with its type
  });

  it("take the SDK's options, and one more that is required", () => {
    type Options = ConstructorParameters<typeof AuditedOpenAI>[0];
    expectTypeOf<Options>().toExtend<ClientOptions>();
    expectTypeOf<Options["audit"]>().toEqualTypeOf<Audit>();
    expect([without, misspelt]).toHaveLength(2);
  });

  it("keep the class's statics", () => {
    expectTypeOf(AuditedOpenAI.DEFAULT_TIMEOUT).toBeNumber();
    expectTypeOf(AuditedOpenAI.APIError).toEqualTypeOf<typeof OpenAI.APIError>();
    expect(AuditedOpenAI.APIError).toBe(OpenAI.APIError);
  });

  it("make call options that every method takes", () => {
    const options = auditOptions({ conversationId: "c" });
    expectTypeOf(options).toExtend<OpenAI.RequestOptions>();
    expectTypeOf(options).toExtend<v5.OpenAI.RequestOptions>();
    expect(Object.keys(auditOptions({ conversationId: "c" }))).toEqual([]);
  });

  it("are those of other versions and of subclasses too", () => {
    class Mine extends OpenAI {
      readonly mine = true;
    }
    expectTypeOf(new (withAudit(Mine))({ apiKey: "k", audit: logger })).toEqualTypeOf<Mine>();
    expectTypeOf(
      new (withAudit(v5.OpenAI))({ apiKey: "k", audit: logger }),
    ).toEqualTypeOf<v5.OpenAI>();
    expectTypeOf(
      new (withAudit(v6.OpenAI))({ apiKey: "k", audit: logger }),
    ).toEqualTypeOf<v6.OpenAI>();
    expect(new (withAudit(Mine))({ apiKey: "k", audit: logger }).mine).toBe(true);
  });
});
