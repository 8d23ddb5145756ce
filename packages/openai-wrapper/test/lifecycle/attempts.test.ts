// Attempts that the SDK makes after a response has begun, or with other options than at first.
import { OpenAI } from "openai";
import { describe, expect, it } from "vitest";
import { withAudit } from "../../src/index.ts";
import { completion } from "../equivalence/payloads.ts";
import { json, type Reply } from "@ai-audit/test-support/wire-server";
import { hello, lifecycleBench } from "./bench.ts";

/** Headers and half a body, and nothing more. */
const stalledBody: Reply = (response) => {
  response.writeHead(200, { "content-type": "application/json" });
  response.write('{"id":');
};

describe("a body that does not come in time", () => {
  it("is asked for again, and the call is one with two attempts", async () => {
    const { client, entries, server } = await lifecycleBench([
      stalledBody,
      json(completion("Hi.")),
    ]);
    await client.chat.completions.create(hello, { timeout: 150, maxRetries: 1 });
    expect(server.seen).toHaveLength(2);
    expect(await entries()).toMatchObject([{ outcome: "ok", attempts: 2, outputContent: "Hi." }]);
  });

  it("ends the call as a time-out when it is not asked for again", async () => {
    const { client, entries } = await lifecycleBench([stalledBody]);
    await expect(client.chat.completions.create(hello, { timeout: 150 })).rejects.toThrow(
      "Request timed out.",
    );
    expect(await entries()).toMatchObject([
      { outcome: "timeout", attempts: 1, error: { type: "APIConnectionTimeoutError" } },
    ]);
  });

  it("ends the call as an error when it fails the second time", async () => {
    const { client, entries } = await lifecycleBench([
      stalledBody,
      json({ error: { message: "No." } }, 400),
    ]);
    await expect(
      client.chat.completions.create(hello, { timeout: 150, maxRetries: 1 }),
    ).rejects.toThrow("No.");
    expect(await entries()).toMatchObject([
      { outcome: "error", attempts: 2, error: { status: 400 } },
    ]);
  });
});

describe("a token that is refused", () => {
  it("is renewed, and the call is one with two attempts", async () => {
    const { logger, server, entries } = await lifecycleBench([
      json({ error: { message: "Expired." } }, 401),
      json(completion("Hi.")),
    ]);
    const client = new (withAudit(OpenAI))({
      baseURL: server.baseURL,
      workloadIdentity: {
        identityProviderId: "idp",
        serviceAccountId: "account",
        provider: { tokenType: "jwt", getToken: async () => "subject-token" },
      },
      fetch: async (url, init) =>
        (url instanceof Request ? url.url : url.toString()).startsWith(server.baseURL)
          ? fetch(url, init)
          : Response.json({ access_token: "exchanged", expires_in: 3600, token_type: "Bearer" }),
      audit: logger,
    });
    await expect(client.chat.completions.create(hello)).resolves.toMatchObject({
      id: "chatcmpl-1",
    });
    expect(server.seen).toHaveLength(2);
    expect(await entries()).toMatchObject([{ outcome: "ok", attempts: 2, outputContent: "Hi." }]);
  });
});

describe("a search that pages", () => {
  it("waits for its entry, and fails with it", async () => {
    const found = {
      object: "vector_store.search_results.page",
      data: [{ file_id: "f", score: 1 }],
      has_more: false,
    };
    const { client, entries, storage } = await lifecycleBench([json(found)]);
    const page = await client.vectorStores.search("vs_1", { query: "Hello!" });
    expect(page.data).toMatchObject([{ file_id: "f" }]);
    expect(await entries()).toMatchObject([{ outcome: "ok" }]);
    storage.fault = "fail";
    await expect(
      client.vectorStores.search("vs_1", { query: "Hello!" }).then(undefined),
    ).rejects.toMatchObject({
      code: "AUDIT_WRITE_FAILED",
    });
  });
});
