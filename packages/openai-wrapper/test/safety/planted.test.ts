// Nothing that a provider writes reaches a log in clear, wherever in its answer it stands.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { corpus, type CorpusCase } from "@ai-audit/test-support/corpus";
import { startCorpusServer } from "@ai-audit/test-support/corpus-server";
import { linesWithPlanted, plantings } from "@ai-audit/test-support/planted";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { AuditedOpenAI } from "../../src/index.ts";

async function ask(client: AuditedOpenAI, { api, events }: CorpusCase): Promise<void> {
  const stream = events !== undefined;
  const answer =
    api === "responses"
      ? await client.responses.create({ model: "m", input: "hi", stream })
      : await client.chat.completions.create({
          model: "m",
          messages: [{ role: "user", content: "hi" }],
          stream,
        });
  if (Symbol.asyncIterator in answer) for await (const _ of answer);
}

describe("personal data that a provider writes", { timeout: 120_000 }, () => {
  it("is in no byte of a log by default: each string of each answer of the corpus", async () => {
    const path = await temporaryDirectory();
    const logger = new AuditLogger(new FileStorage({ path }));
    const seen = new Set<string>();
    for (const one of corpus())
      for (const { place, payload } of plantings({ body: one.body, events: one.events })) {
        const leaf = `${one.api} ${place}`;
        if (seen.has(leaf)) continue;
        seen.add(leaf);
        await using server = await startCorpusServer({ ...one, ...Object(payload) });
        const audit = { logger, metadata: { leaf } };
        const client = new AuditedOpenAI({
          apiKey: "k",
          baseURL: server.url,
          maxRetries: 0,
          audit,
        });
        await ask(client, one).catch(() => undefined); // errors are answers too
      }
    await logger.close();
    expect(seen.size).toBeGreaterThan(100);
    const files = await readdir(path);
    const bytes = await Promise.all(files.map((file) => readFile(join(path, file), "utf8")));
    expect(bytes.join("").match(/"leaf"/g)).toHaveLength(seen.size);
    expect(linesWithPlanted(bytes.join(""))).toEqual([]);
  });
});
