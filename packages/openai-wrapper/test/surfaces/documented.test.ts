// The table of surfaces in docs/openai-surfaces.md: each operation by the SDK's own method, and
// what its entry holds.
import { readFile } from "node:fs/promises";
import { type AuditEntry, AuditLogger, type JsonValue, MemoryStorage } from "@ai-audit/core";
import type { OpenAI } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AuditedOpenAI } from "../../src/index.ts";
import { json, type Reply, WireServer } from "@ai-audit/test-support/wire-server";
import { ASKING } from "./documented/asking.ts";
import { KEEPING, OTHERS } from "./documented/keeping.ts";

const SURFACES = { ...ASKING, ...KEEPING };

const UNRECORDED: Record<string, (client: OpenAI) => PromiseLike<unknown>> = {
  "a list": (client) => client.files.list(),
  "a list of models": (client) => client.models.list(),
  "a model": (client) => client.models.retrieve("gpt-5"),
  "a file": (client) => client.files.retrieve("file_1"),
  "a file's content": async (client) => (await client.files.content("file_1")).text(),
};

let server: WireServer;
beforeAll(async () => {
  server = await WireServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

async function recorded(
  answer: unknown,
  call: (client: OpenAI) => PromiseLike<unknown>,
): Promise<readonly (AuditEntry & { readonly input?: JsonValue; readonly output?: JsonValue })[]> {
  server.script(isReply(answer) ? answer : json(answer));
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  await call(
    new AuditedOpenAI({ apiKey: "sk-none", baseURL: server.baseURL, maxRetries: 0, audit: logger }),
  );
  const entries = await Array.fromAsync(logger.entries());
  const read = entries.map((entry) => ({ ...entry, ...logger.content(entry) }));
  await logger.close();
  return read;
}

function isReply(answer: unknown): answer is Reply {
  return typeof answer === "function";
}

describe("the table of surfaces", async () => {
  const doc = await readFile(
    new URL("../../../../docs/openai-surfaces.md", import.meta.url),
    "utf8",
  );
  const [, table = ""] = /\n\| path .*\n\| -.*\n((?:\|.*\n)+)/.exec(doc) ?? [];
  const operations = table
    .split("\n")
    .flatMap((row) => [...(row.split("|")[2] ?? "").matchAll(/`([^`]+)`/g)]);

  it("has the operations that are shown here", () => {
    expect(new Set(operations.map(([, name]) => name))).toEqual(new Set(Object.keys(SURFACES)));
  });
});

const CASES = Object.entries({ ...SURFACES, ...OTHERS }).flatMap(([operation, cases]) =>
  cases.map((one) => [operation, one.how, one] as const),
);

describe("the entry of a call", () => {
  it.each(CASES)(
    "is that of %s, %s",
    async (operation, _, { answer, call, input, output, entry }) => {
      const entries = await recorded(answer, call);
      expect(entries).toMatchObject([
        {
          operation,
          alerts: [],
          latencyMs: expect.any(Number),
          requestId: "req_1",
          attempts: 1,
          ...entry,
        },
      ]);
      expect(entries[0]?.input).toEqual(input);
      expect(entries[0]?.output).toEqual(output);
      expect(JSON.stringify(entries)).not.toContain("secret");
      expect(JSON.stringify(entries)).not.toContain("somebody");
    },
  );

  it.each(Object.entries(UNRECORDED))("does not exist for %s", async (_, call) => {
    expect(await recorded({ object: "list", data: [] }, call)).toEqual([]);
  });
});
