// Nothing that a provider writes reaches a log in clear, wherever in its answer it stands.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { corpus } from "@ai-audit/test-support/corpus";
import { startCorpusServer } from "@ai-audit/test-support/corpus-server";
import { nativeCorpus } from "@ai-audit/test-support/native-corpus";
import { linesWithPlanted, plantings } from "@ai-audit/test-support/planted";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { ChatOpenAI } from "@langchain/openai";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AuditCallbackHandler } from "../src/index.ts";
import { OLDEST_HOST } from "./fixtures.ts";
import { HOSTS, startNativeServer } from "./native-server.ts";

/** A log, and a way to call a model so that its entry names the place. */
async function startLog(): Promise<{
  readonly call: (model: BaseChatModel, place: string, isStream: boolean) => Promise<void>;
  readonly bytes: () => Promise<string>;
}> {
  const path = await temporaryDirectory();
  const logger = new AuditLogger(new FileStorage({ path }));
  return {
    call: async (model, place, isStream) => {
      const callbacks = [new AuditCallbackHandler(logger, { metadata: { place } })];
      try {
        if (isStream) for await (const _ of await model.stream("hi", { callbacks }));
        else await model.invoke("hi", { callbacks });
      } catch {
        // errors are answers too
      }
    },
    bytes: async () => {
      await logger.close();
      const files = await readdir(path);
      return (await Promise.all(files.map((file) => readFile(join(path, file), "utf8")))).join("");
    },
  };
}

afterEach(() => vi.restoreAllMocks());

describe("personal data that a provider writes", { timeout: 240_000 }, () => {
  it("is in no byte of a log by default: each string of each answer of the corpus", async () => {
    vi.spyOn(console, "warn").mockReturnValue(); // LangChain warns of odd content
    const { call, bytes } = await startLog();
    const seen = new Set<string>();
    for (const one of corpus())
      for (const { place, payload } of plantings({ body: one.body, events: one.events })) {
        const leaf = `${one.api} ${place}`;
        if (seen.has(leaf)) continue;
        seen.add(leaf);
        await using server = await startCorpusServer({ ...one, ...Object(payload) });
        const model = new ChatOpenAI({
          model: "m",
          apiKey: "k",
          maxRetries: 0,
          useResponsesApi: one.api === "responses",
          configuration: { baseURL: server.url },
        });
        await call(model, leaf, one.events !== undefined);
      }
    const log = await bytes();
    expect(log.match(/"place"/g)).toHaveLength(seen.size);
    expect(linesWithPlanted(log)).toEqual([]);
  });

  it.skipIf(OLDEST_HOST)("nor of the answers in providers' own protocols", async () => {
    const { call, bytes } = await startLog();
    const seen = new Set<string>();
    for (const one of nativeCorpus())
      for (const name of Object.keys(one.entries))
        for (const { place, payload } of plantings({ body: one.body, events: one.events })) {
          const leaf = `${name} ${place}`;
          const host = HOSTS[name];
          if (host === undefined || seen.has(leaf)) continue;
          seen.add(leaf);
          const { body, events } = Object(payload) as {
            body?: unknown;
            events?: readonly unknown[];
          };
          const isStream = place.startsWith("events");
          const { status = 200, headers = {} } = one;
          const answer =
            isStream && events ? { status, headers, events } : { status, headers, body };
          await using server = await startNativeServer([answer], host.framing);
          await call(host.model(server.url), leaf, isStream);
        }
    const log = await bytes();
    expect(log.match(/"place"/g)).toHaveLength(seen.size);
    expect(linesWithPlanted(log)).toEqual([]);
  });
});
