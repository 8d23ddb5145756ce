// Cost of AuditCallbackHandler for a model call of LangChain: CPU, hash-only, file storage.
//
//   npm run bench -- langchain
import { join } from "node:path";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { AuditCallbackHandler } from "@ai-audit/langchain-callback";
import { ChatOpenAI } from "@langchain/openai";
import { comparePairs, startModelServer } from "./support/paired.ts";

const question = "What is the capital of France? ".repeat(8);

await comparePairs(
  import.meta.filename,
  "the client's process a call",
  async (compare, directory) => {
    const server = await startModelServer();
    const configuration = { baseURL: server.baseURL };
    const model = new ChatOpenAI({ model: "gpt-4o-mini", apiKey: "bench", configuration });
    const read = async (config?: { callbacks: AuditCallbackHandler[] }): Promise<void> => {
      for await (const _ of await model.stream(question, config));
    };
    for (const durability of ["os", "fsync"] as const) {
      const logger = new AuditLogger(
        new FileStorage({ path: join(directory, durability), durability }),
      );
      const callbacks = [new AuditCallbackHandler(logger)];
      await compare({
        name: `ChatOpenAI.invoke, ${durability}`,
        calls: 960,
        plain: () => model.invoke(question),
        audited: () => model.invoke(question, { callbacks }),
      });
      await compare({
        name: `ChatOpenAI.stream, 200 chunks, ${durability}`,
        calls: 64,
        plain: () => read(),
        audited: () => read({ callbacks }),
      });
      await logger.close();
    }
    server.stop();
  },
);
