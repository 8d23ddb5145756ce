// Cost of the AI SDK's middleware for a call of `ai`: CPU, hash-only, file storage.
//
//   npm run bench -- ai-sdk
import { join } from "node:path";
import { auditAiSdk } from "@ai-audit/ai-sdk";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, type LanguageModel, streamText, wrapLanguageModel } from "ai";
import { comparePairs, startModelServer } from "./support/paired.ts";

const prompt = "What is the capital of France? ".repeat(8);
const request = { system: "Answer briefly.", prompt };

const call = (model: LanguageModel) => () => generateText({ model, ...request });
const stream = (model: LanguageModel) => async () => {
  for await (const _ of streamText({ model, ...request }).textStream);
};

await comparePairs(
  import.meta.filename,
  "the client's process a call",
  async (compare, directory) => {
    const server = await startModelServer();
    const plain = createOpenAI({ apiKey: "bench", baseURL: server.baseURL }).chat("gpt-4o-mini");
    for (const durability of ["os", "fsync"] as const) {
      const logger = new AuditLogger(
        new FileStorage({ path: join(directory, durability), durability }),
      );
      const middleware = auditAiSdk({ logger }).languageModel;
      const audited = wrapLanguageModel({ model: plain, middleware });
      await compare({
        name: `generateText, ${durability}`,
        calls: 512,
        plain: call(plain),
        audited: call(audited),
      });
      await compare({
        name: `streamText of 200 events, ${durability}`,
        calls: 64,
        plain: stream(plain),
        audited: stream(audited),
      });
      await logger.close();
    }
    server.stop();
  },
);
