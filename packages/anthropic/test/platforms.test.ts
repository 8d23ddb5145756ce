// The clients of Bedrock, Vertex and Foundry, audited: same results, their own wire, one entry.
import { crc32 } from "node:zlib";
import { type AuditEntry, AuditLogger, MemoryStorage } from "@ai-audit/core";
import { AnthropicBedrock } from "@anthropic-ai/bedrock-sdk";
import { AnthropicFoundry } from "@anthropic-ai/foundry-sdk";
import { AnthropicVertex } from "@anthropic-ai/vertex-sdk";
import { json, type Reply, text } from "@ai-audit/test-support/wire-server";
import { OAuth2Client } from "google-auth-library";
import { describe, expect, it } from "vitest";
import { auditClient, withAudit } from "../src/index.ts";
import { hello, helloEvents, message } from "./support/payloads.ts";
import { entriesOf, useWireServer, wireServer } from "./support/same-behaviour.ts";

useWireServer();

const base = (): string => wireServer().baseURL.replace(/\/v1$/, "");

/** Google credentials that ask nobody. */
class Credentials extends OAuth2Client {
  override getRequestHeaders(): Promise<Headers> {
    return Promise.resolve(new Headers({ authorization: "Bearer ya29.secret" }));
  }
}

/** The options of each platform's client, without the audit. */
const BEDROCK = () => ({ baseURL: base(), awsRegion: "eu-central-1", apiKey: "secret-key" });
const VERTEX = () => ({
  baseURL: `${base()}/v1`,
  region: "europe-west1",
  projectId: "project-1",
  authClient: new Credentials(),
});
const FOUNDRY = () => ({ baseURL: base(), apiKey: "secret-key" });

const bedrock = withAudit(AnthropicBedrock);
const vertex = withAudit(AnthropicVertex);
const foundry = withAudit(AnthropicFoundry);

interface Client {
  readonly messages: {
    create(body: typeof hello): Promise<unknown>;
    create(body: typeof hello & { stream: true }): Promise<AsyncIterable<{ type: string }>>;
  };
}

async function compared(
  reply: Reply,
  plain: Client,
  audited: (logger: AuditLogger) => Client,
  use: (client: Client) => Promise<unknown>,
): Promise<{ wire: readonly string[]; entries: readonly AuditEntry[] }> {
  const server = wireServer();
  server.script(reply);
  const expected = await use(plain);
  const [sent] = server.seen;
  server.script(reply);
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  expect(await use(audited(logger))).toEqual(expected);
  expect(server.seen.map(({ url, body }) => ({ url, body }))).toEqual([
    { url: sent?.url, body: sent?.body },
  ]);
  const entries = await entriesOf(logger);
  await logger.close();
  return { wire: server.seen.map(({ url }) => url), entries };
}

/** Amazon's event stream: https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html */
function frame(event: unknown): Buffer {
  const bytes = Buffer.from(JSON.stringify(event)).toString("base64");
  const payload = Buffer.from(JSON.stringify({ bytes }));
  const headers = Buffer.concat(
    [
      [":event-type", "chunk"],
      [":content-type", "application/json"],
      [":message-type", "event"],
    ].map(([name = "", value = ""]) =>
      Buffer.concat([
        Buffer.from([name.length]),
        Buffer.from(name),
        Buffer.from([7, 0, value.length]),
        Buffer.from(value),
      ]),
    ),
  );
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(16 + headers.length + payload.length, 0);
  prelude.writeUInt32BE(headers.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const whole = Buffer.concat([prelude, headers, payload]);
  const end = Buffer.alloc(4);
  end.writeUInt32BE(crc32(whole));
  return Buffer.concat([whole, end]);
}

const create = (client: Client): Promise<unknown> => client.messages.create(hello);

async function streamOf(client: Client): Promise<readonly unknown[]> {
  return Array.fromAsync(await client.messages.create({ ...hello, stream: true }));
}

describe("withAudit", () => {
  it("records a client of Bedrock, whose model is in the path", async () => {
    const { wire, entries } = await compared(
      json(message(), 200, { "x-amzn-requestid": "amzn-1" }),
      new AnthropicBedrock(BEDROCK()),
      (audit) => new bedrock({ ...BEDROCK(), audit }),
      create,
    );
    expect(wire).toEqual(["/model/claude-opus-5/invoke"]);
    expect(entries).toMatchObject([
      {
        provider: "aws.bedrock",
        operation: "chat",
        model: "claude-opus-5",
        inputContent: "Hello!",
        outputContent: "Hi.",
        attempts: 1,
        outcome: "ok",
      },
    ]);
    expect(JSON.stringify(entries)).not.toContain("secret-key");
  });

  it("records a stream of Bedrock, in Amazon's frames", async () => {
    const { entries } = await compared(
      text(Buffer.concat(helloEvents.map(frame)), "application/vnd.amazon.eventstream"),
      new AnthropicBedrock(BEDROCK()),
      (audit) => new bedrock({ ...BEDROCK(), audit }),
      streamOf,
    );
    expect(entries).toMatchObject([
      { outcome: "ok", streamed: true, outputContent: "Hello, world", outputTokens: 7 },
    ]);
  });

  it("records a client of Vertex", async () => {
    const { wire, entries } = await compared(
      json(message()),
      new AnthropicVertex(VERTEX()),
      (audit) => new vertex({ ...VERTEX(), audit }),
      create,
    );
    expect(wire).toEqual([
      "/v1/projects/project-1/locations/europe-west1/publishers/anthropic/models/claude-opus-5:rawPredict",
    ]);
    expect(entries).toMatchObject([
      { provider: "gcp.vertex_ai", operation: "chat", model: "claude-opus-5", outcome: "ok" },
    ]);
    expect(JSON.stringify(entries)).not.toContain("ya29");
  });

  it("records a client of Foundry", async () => {
    const { entries } = await compared(
      json(message()),
      new AnthropicFoundry(FOUNDRY()),
      (audit) => new foundry({ ...FOUNDRY(), audit }),
      create,
    );
    expect(entries).toMatchObject([
      { provider: "azure.ai.inference", operation: "chat", model: "claude-opus-5", outcome: "ok" },
    ]);
  });
});

describe("auditClient", () => {
  it("records a client that exists, and its clones, and leaves others alone", async () => {
    wireServer().script(json(message()));
    const logger = new AuditLogger(new MemoryStorage());
    const other = new AnthropicBedrock(BEDROCK());
    const client = auditClient(new AnthropicBedrock(BEDROCK()), logger);
    expect(client).toBeInstanceOf(AnthropicBedrock);
    await other.messages.create(hello);
    await client.messages.create(hello);
    await client.withOptions({ maxRetries: 0 }).messages.create(hello);
    expect(await entriesOf(logger)).toHaveLength(2);
    await logger.close();
  });
});

describe("a class of another SDK", () => {
  it("is refused", () => {
    expect(() => withAudit(Map)).toThrow(
      expect.objectContaining({
        code: "AUDIT_CONFIG_INVALID",
        message: "not a client of @anthropic-ai/sdk 0.50 to 1: another provider's SDK?",
      }),
    );
  });
});
