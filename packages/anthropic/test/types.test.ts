// The types of an audited client are the SDK's.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import { AnthropicBedrock } from "@anthropic-ai/bedrock-sdk";
import { Anthropic, type APIPromise, type ClientOptions } from "@anthropic-ai/sdk";
import type { Stream } from "@anthropic-ai/sdk/streaming";
import * as v0 from "anthropic-v0";
import * as v0Newest from "anthropic-v0-newest";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type Audit,
  auditClient,
  AuditedAnthropic,
  auditOptions,
  withAudit,
} from "../src/index.ts";

const logger = new AuditLogger(new MemoryStorage());
const client = new AuditedAnthropic({ apiKey: "k", audit: logger });
const body = { model: "m", max_tokens: 1, messages: [] };

const call = (): APIPromise<Anthropic.Message> => client.messages.create(body);
const stream = (): APIPromise<Stream<Anthropic.RawMessageStreamEvent>> =>
  client.messages.create(
    { ...body, stream: true },
    { timeout: 1, ...auditOptions({ subject: "s" }) },
  );
// @ts-expect-error audit is required
const without = (): Anthropic => new AuditedAnthropic({ apiKey: "k" });
const misspelt = (): Anthropic =>
  // @ts-expect-error no such option
  new AuditedAnthropic({ apiKey: "k", audit: { logger, failureMood: "open" } });

describe("the types of an audited client", () => {
  it("are those of the SDK's instances", () => {
    expectTypeOf(client).toEqualTypeOf<Anthropic>();
    expectTypeOf<AuditedAnthropic>().toEqualTypeOf<Anthropic>();
    expectTypeOf(client.withOptions({ timeout: 1 })).toEqualTypeOf<Anthropic>();
    expectTypeOf(auditClient(new Anthropic({ apiKey: "k" }), logger)).toEqualTypeOf<Anthropic>();
    expectTypeOf(client.messages).toEqualTypeOf<Anthropic["messages"]>();
    expect(client).toBeInstanceOf(Anthropic);
  });

  it("narrow by instanceof, with both classes", () => {
    const unknown: unknown = client;
    if (unknown instanceof AuditedAnthropic) expectTypeOf(unknown).toEqualTypeOf<Anthropic>();
    expect(unknown instanceof AuditedAnthropic && unknown instanceof Anthropic).toBe(true);
  });

  it("give calls the SDK's return types", () => {
    expect([call, stream]).toHaveLength(2); // each compiles with its type
  });

  it("take the SDK's options, and one more that is required", () => {
    type Options = ConstructorParameters<typeof AuditedAnthropic>[0];
    expectTypeOf<Options>().toExtend<ClientOptions>();
    expectTypeOf<Options["audit"]>().toEqualTypeOf<Audit>();
    expect([without, misspelt]).toHaveLength(2);
  });

  it("keep the class's statics", () => {
    expectTypeOf(AuditedAnthropic.APIError).toEqualTypeOf<typeof Anthropic.APIError>();
    expect(AuditedAnthropic.APIError).toBe(Anthropic.APIError);
  });

  it("make call options that every method takes", () => {
    const options = auditOptions({ conversationId: "c" });
    expectTypeOf(options).toExtend<Anthropic.RequestOptions>();
    expectTypeOf(options).toExtend<v0.Anthropic.RequestOptions>();
    expect(Object.keys(options)).toEqual([]);
  });

  it("are those of other versions, of subclasses and of classes with several constructors", () => {
    class Mine extends Anthropic {
      readonly mine = true;
    }
    const given = { apiKey: "k", audit: logger };
    expectTypeOf(new (withAudit(Mine))(given)).toEqualTypeOf<Mine>();
    expectTypeOf(new (withAudit(v0.Anthropic))(given)).toEqualTypeOf<v0.Anthropic>();
    expectTypeOf(new (withAudit(v0Newest.Anthropic))(given)).toEqualTypeOf<v0Newest.Anthropic>();
    const Bedrock = withAudit(AnthropicBedrock);
    const keys = { awsAccessKey: "a", awsSecretKey: "s", audit: logger };
    expectTypeOf(new Bedrock(given)).toEqualTypeOf<AnthropicBedrock>();
    expectTypeOf(new Bedrock(keys)).toEqualTypeOf<AnthropicBedrock>();
    expect(new (withAudit(Mine))(given).mine).toBe(true);
  });
});
