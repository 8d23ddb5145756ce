// Calls beside messages: files, sessions of agents, the old completions, administration, and what
// leaves no entry.
import { createHash } from "node:crypto";
import { type AuditEntry, AuditLogger, MemoryStorage } from "@ai-audit/core";
import { events, json, type Reply } from "@ai-audit/test-support/wire-server";
import { toFile } from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { withAudit } from "../src/index.ts";
import {
  entriesOf,
  loadSdk,
  type Sdk,
  useWireServer,
  wireServer,
} from "./support/same-behaviour.ts";

useWireServer();

type Client = InstanceType<Sdk["Anthropic"]>;

async function record(
  reply: Reply,
  use: (client: Client) => Promise<unknown>,
  version = "@anthropic-ai/sdk",
): Promise<readonly (AuditEntry & { readonly input: unknown; readonly output: unknown })[]> {
  const sdk = await loadSdk(version);
  wireServer().script(reply);
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  const client = new (withAudit(sdk.Anthropic))({
    apiKey: "k",
    baseURL: wireServer().baseURL.replace(/\/v1$/, ""),
    audit: logger,
  });
  await use(client);
  const entries = await entriesOf(logger);
  const whole = entries.map((entry) => {
    const { input, output } = logger.content(entry);
    return { ...entry, input, output };
  });
  await logger.close();
  return whole;
}

describe("files.upload()", () => {
  it("has the file by name, type, size and digest", async () => {
    const bytes = Buffer.alloc(5000, 1);
    const entries = await record(
      json({ id: "file_1", type: "file", size_bytes: 5000 }),
      async (c) =>
        c.beta.files.upload({ file: await toFile(bytes, "a.pdf", { type: "application/pdf" }) }),
    );
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(entries).toMatchObject([
      {
        operation: "files.create",
        outcome: "ok",
        input: { file: { name: "a.pdf", mime: "application/pdf", bytes: 5000, sha256 } },
        output: { id: "file_1" },
      },
    ]);
  });
});

describe("sessions of agents", () => {
  it("have an entry for what is sent, and one for the stream of answers", async () => {
    const answer = { type: "agent.message", content: [{ type: "text", text: "Hi." }] };
    const sent = { type: "user.message", content: [{ type: "text", text: "Hello!" }] };
    const [first] = await record(json({ data: [sent] }), (client) =>
      client.post("/v1/sessions/sesn_1/events", { body: { events: [sent] } }),
    );
    expect(first).toMatchObject({
      operation: "agents.sessions.events.send",
      input: { events: [sent] },
      outcome: "ok",
    });
    const read: unknown[] = [];
    const [second] = await record(
      events([answer], { named: true, ending: "end" }),
      async (client) => {
        for await (const event of await client.beta.sessions.events.stream("sesn_1"))
          read.push(event);
      },
    );
    expect(read).toEqual([answer]);
    expect(second).toMatchObject({
      operation: "agents.sessions.events.stream",
      output: [answer],
      streamed: true,
      outcome: "ok",
    });
  });

  it("have an entry for the agent, without the keys of its servers", async () => {
    const [entry] = await record(json({ id: "agent_1" }), (client) =>
      client.post("/v1/agents", {
        body: {
          name: "clerk",
          model: "m",
          mcp_servers: [
            { name: "crm", url: "https://u:p@x.example", authorization_token: "tok-1" },
          ],
        },
      }),
    );
    expect(entry).toMatchObject({ operation: "create_agent", model: "m", outcome: "ok" });
    expect(JSON.stringify(entry)).not.toMatch(/tok-1|u:p/);
  });
});

describe("completions.create() of versions before 1.0", () => {
  const prompt = "\n\nHuman: Hello\n\nAssistant:";
  const asked = { model: "claude-2.1", max_tokens_to_sample: 9, prompt };

  it.each(["anthropic-v0", "anthropic-v0-newest"])("is recorded, of %s", async (version) => {
    const body = { id: "c1", type: "completion", completion: " Hi.", stop_reason: "stop_sequence" };
    const [entry] = await record(
      json(body),
      (c) => c.post("/v1/complete", { body: asked }),
      version,
    );
    expect(entry).toMatchObject({
      operation: "text_completion",
      model: "claude-2.1",
      input: prompt,
      output: " Hi.",
      parameters: { max_tokens: 9 },
      finishReasons: ["stop_sequence"],
    });
    expect(entry?.parameters).not.toHaveProperty("parameters_omitted");
  });

  it("is recorded as a stream", async () => {
    const piece = { type: "completion", completion: " Hi", stop_reason: null, model: "claude-2.1" };
    const all = [piece, { ...piece, completion: ".", stop_reason: "stop_sequence" }];
    const [entry] = await record(
      events(all, { named: true, ending: "end" }),
      async (client) => {
        const stream = await client.post("/v1/complete", {
          body: { ...asked, stream: true },
          stream: true,
        });
        for await (const _ of stream as AsyncIterable<unknown>);
      },
      "anthropic-v0",
    );
    expect(entry).toMatchObject({ output: " Hi.", outcome: "ok", streamed: true });
  });
});

describe("administration", () => {
  it.each([
    "/v1/vaults/v1/credentials",
    "/v1/organizations/api_keys/k1",
    "/v1/tunnels/t1/rotate_token",
  ])("has only the fact: %s", async (path) => {
    const [entry] = await record(json({ token: "secret-out" }), (client) =>
      client.post(path, { body: { value: "secret-in" } }),
    );
    expect(entry).toMatchObject({ outcome: "ok", input: { omitted: "credentials" } });
    expect(JSON.stringify(entry)).not.toMatch(/secret/);
  });
});

describe("lists, models and downloads", () => {
  it("have no entry", async () => {
    const entries = await record(json({ data: [], id: "m" }), async (client) => {
      await client.models.retrieve("m");
      await client.beta.files.retrieveMetadata("file_1");
      await client.get("/v1/files/file_1/content");
      await client.get("/v1/messages/batches");
    });
    expect(entries).toEqual([]);
  });
});
