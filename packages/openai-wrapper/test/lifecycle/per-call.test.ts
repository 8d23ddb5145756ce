// What a client, a context and a call say of an entry.
import { AuditConfigError, AuditLogger, MemoryStorage, withAuditContext } from "@ai-audit/core";
import { AzureOpenAI, OpenAI } from "openai";
import { describe, expect, it } from "vitest";
import {
  auditClient,
  AuditedOpenAI,
  auditOptions,
  auditStats,
  withAudit,
} from "../../src/index.ts";
import { chunks, completion } from "../equivalence/payloads.ts";
import { events, json } from "@ai-audit/test-support/wire-server";
import { hello, lifecycleBench } from "./bench.ts";

/** What the SDKs of one generator share: the methods that the seam goes through. */
class Generated {
  request(): void {}
  makeRequest(): void {}
  prepareRequest(): void {}
  retryRequest(): void {}
  getUserAgent(): string {
    return `${this.constructor.name}/JS 4.104.0`;
  }
}

describe("values of an entry", () => {
  it("come from the client, over them the context, over that the call", async () => {
    const { client, entries } = await lifecycleBench([json(completion("Hi."))], {
      conversationId: "client",
      metadata: { who: "client", a: 1 },
    });
    await client.chat.completions.create(hello);
    await withAuditContext(
      { conversationId: "context", metadata: { who: "context", b: 2 } },
      async () => {
        await client.chat.completions.create(hello);
        const own = auditOptions({ conversationId: "call", metadata: { who: "call", c: 3 } });
        await client.chat.completions.create(hello, own);
        await client.chat.completions.create(hello, { timeout: 5000, ...own });
      },
    );
    const call = { conversationId: "call", metadata: { who: "call", a: 1, b: 2, c: 3 } };
    expect(await entries()).toMatchObject([
      { conversationId: "client", metadata: { who: "client", a: 1 } },
      { conversationId: "context", metadata: { who: "context", a: 1, b: 2 } },
      call,
      call,
    ]);
  });

  it("are as the call began, each once, whatever they are and whatever detectors find", async () => {
    const detectors = [{ name: "d", checkInput: () => ({ action: "flag" as const, reason: "r" }) }];
    const { client, entries } = await lifecycleBench([json(completion("Hi."))], { detectors });
    const found = { name: "d", at: "input", action: "flag", reason: "r", categories: [] };
    const run = { id: "first" };
    const begun = client.chat.completions.create(hello, auditOptions({ run }));
    await Promise.resolve();
    const call = begun.asResponse();
    await call;
    run.id = "changed";
    await begun;
    const odd: unknown[] = [null, ["a"], "text"];
    for (const metadata of odd)
      await client.chat.completions.create(hello, auditOptions({ metadata } as object));
    const safety = { detectors: ["mine"] };
    await client.chat.completions.create(hello, auditOptions({ metadata: { safety } }));
    expect(await entries()).toMatchObject([{ run: { id: "first" } }, {}, {}, {}, {}]);
    expect((await entries()).slice(1).map(({ metadata }) => metadata)).toEqual([
      ...odd.map((metadata) => ({ metadata, safety: { detectors: [found] } })),
      { safety: { detectors: ["mine", found] } },
    ]);
  });

  it("reach helpers and streams, and never the wire", async () => {
    const { client, entries, server } = await lifecycleBench([events(chunks)]);
    const own = auditOptions({
      conversationId: "not-for-the-wire",
      metadata: { secret: "not-for-the-wire" },
    });
    await client.chat.completions.stream(hello, own).done();
    await client.chat.completions
      .create({ ...hello, stream: true }, own)
      .then((stream) => Array.fromAsync(stream));
    expect(await entries()).toMatchObject([
      { conversationId: "not-for-the-wire" },
      { conversationId: "not-for-the-wire" },
    ]);
    expect(JSON.stringify(server.seen)).not.toContain("not-for-the-wire");
  });

  it("are those of the context in which the call was made, wherever its stream is read", async () => {
    const { client, entries } = await lifecycleBench([events(chunks)]);
    const stream = await withAuditContext({ conversationId: "made here" }, () =>
      client.chat.completions.create({ ...hello, stream: true }),
    );
    await withAuditContext({ conversationId: "read here" }, () => Array.fromAsync(stream));
    expect(await entries()).toMatchObject([{ conversationId: "made here" }]);
  });

  it("hold no credentials", async () => {
    const message =
      "Incorrect API key provided: sk-secr**********6789. Authorization: Bearer sk-secret-key-0123456789";
    const { client, entries } = await lifecycleBench([
      json({ error: { message, code: "invalid_api_key" } }, 401),
    ]);
    const special = client.withOptions({
      defaultHeaders: { "x-token": "header-secret" },
      organization: "org-0123456789abcdef",
    });
    await expect(special.chat.completions.create(hello)).rejects.toThrow("Incorrect API key");
    const text = JSON.stringify(await entries());
    expect(text).toContain("invalid_api_key");
    for (const secret of ["sk-secr", "header-secret", "org-0123456789abcdef"])
      expect(text).not.toContain(secret);
  });

  it("keep digest and length of content that is too large or not wanted", async () => {
    const { client, entries } = await lifecycleBench([json(completion("x".repeat(5000)))], {
      captureInput: false,
      maxContentBytes: 1000,
    });
    await client.chat.completions.create(hello);
    const [entry] = await entries();
    expect(JSON.parse(entry?.inputContent ?? "")).toMatchObject({
      omitted: "captureInput",
      bytes: 6,
    });
    expect(JSON.parse(entry?.outputContent ?? "")).toMatchObject({
      omitted: "maxContentBytes",
      bytes: 5000,
    });
  });
});

describe("the audit option", () => {
  it("is a logger or an object with one", async () => {
    const { logger, server, entries } = await lifecycleBench([json(completion("Hi."))]);
    const client = new AuditedOpenAI({ apiKey: "k", baseURL: server.baseURL, audit: logger });
    await client.chat.completions.create(hello);
    expect(await entries()).toHaveLength(1);
  });

  it.each([
    [undefined, "the client needs an audit option"],
    [{}, "logger must be an AuditLogger"],
    [{ logger: {} }, "logger must be an AuditLogger"],
    [{ maxContentBytes: -1 }, "maxContentBytes must be a number >= 0"],
    [{ captureInput: "yes" }, "captureInput must be a boolean"],
    [{ failureMode: "ajar" }, "failureMode must be 'closed' or 'open'"],
    [{ detectors: [{}] }, "detectors must be an array"],
    [{ blockedOutput: "hide" }, "blockedOutput must be 'mark' or 'withhold'"],
    [{ detectorTimeoutMs: 0 }, "detectorTimeoutMs must be a number > 0"],
    [
      { failuremode: "open" },
      'audit: option "failuremode" is unknown: there are logger, failureMode',
    ],
  ])("is refused when it is %o", (audit, message) => {
    const logger = new AuditLogger(new MemoryStorage());
    const given =
      audit && Object.keys(audit).length > 0 && !("logger" in audit) ? { logger, ...audit } : audit;
    const make = (): object =>
      Reflect.construct(AuditedOpenAI, [{ apiKey: "k", audit: given }]) as object;
    expect(make).toThrow(AuditConfigError);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code: "AUDIT_CONFIG_INVALID" }));
  });

  it("is kept by clones, which count together", async () => {
    const { client, entries } = await lifecycleBench([json(completion("Hi."))]);
    const clone = client.withOptions({ timeout: 1000 }).withOptions({ maxRetries: 1 });
    await clone.chat.completions.create(hello);
    await client.chat.completions.create(hello);
    expect(await entries()).toHaveLength(2);
    expect(auditStats(clone)).toEqual({ open: 0, written: 2, lost: 0 });
    expect(auditStats(client)).toEqual(auditStats(clone));
  });

  it("works for a class of the caller's own, whose overrides stay in force", async () => {
    const { logger, server, entries } = await lifecycleBench([json(completion("Hi."))]);
    class Mine extends OpenAI {
      protected override async prepareOptions(
        options: Parameters<OpenAI["prepareOptions"]>[0],
      ): Promise<void> {
        options.headers = { "x-mine": "yes" };
      }
    }
    const client = new (withAudit(Mine))({ apiKey: "k", baseURL: server.baseURL, audit: logger });
    await client.chat.completions.create(hello);
    expect(client).toBeInstanceOf(Mine);
    expect(server.seen[0]?.headers).toContain("x-mine");
    expect(server.seen[0]?.headers.some((header) => header.startsWith("Mine/JS "))).toBe(true);
    expect(await entries()).toHaveLength(1);
  });

  it.each([
    [
      "another generated SDK",
      class extends Generated {},
      "not a client of openai 5, 6 or 7: another provider's SDK?",
    ],
    [
      "openai 4",
      class extends Generated {
        static readonly OpenAIError = Error;
      },
      "openai 4.104.0 is not supported: openai 5, 6 or 7 is needed",
    ],
    ["a class that is no client", Map, "not a client of openai 5, 6 or 7: another provider's SDK?"],
  ])("refuses %s", (_, Base, message) => {
    expect(() => withAudit(Base)).toThrow(
      expect.objectContaining({ code: "AUDIT_CONFIG_INVALID", message }),
    );
  });
});

describe("auditClient()", () => {
  it("records a client that somebody else made, and leaves others of its class alone", async () => {
    const { logger, server, entries } = await lifecycleBench([json(completion("Hi."))]);
    const options = { apiKey: "k", baseURL: server.baseURL, maxRetries: 0 };
    const [client, other] = [new OpenAI(options), new OpenAI(options)];
    expect(auditClient(client, logger)).toBe(client);
    await other.chat.completions.create(hello);
    await client.chat.completions.create(hello);
    await client.withOptions({ timeout: 1000 }).chat.completions.create(hello);
    expect(await entries()).toMatchObject([{ outcome: "ok" }, { outcome: "ok" }]);
    expect(Object.keys(client)).toEqual(Object.keys(other));
    expect(auditStats(client).written).toBe(2);
  });

  it("records an Azure client with its deployment", async () => {
    const { logger, server, entries } = await lifecycleBench([json(completion("Hi."))]);
    const endpoint = new URL(server.baseURL).origin;
    const azure = new AzureOpenAI({
      apiKey: "k",
      apiVersion: "2025-01-01",
      endpoint,
      deployment: "mine",
    });
    await auditClient(azure, { logger, conversationId: "c" }).chat.completions.create(hello);
    expect(await entries()).toMatchObject([
      { provider: "azure.ai.openai", model: "mine", conversationId: "c" },
    ]);
  });

  it("refuses a client that is already audited, and what is no client", async () => {
    const { client, logger } = await lifecycleBench([]);
    expect(() => auditClient(client, logger)).toThrow("already audited");
    expect(() => auditClient({}, logger)).toThrow("not a client of openai 5, 6 or 7");
    expect(() => auditStats(new OpenAI({ apiKey: "k" }))).toThrow(
      "auditStats() takes an audited client",
    );
  });
});
