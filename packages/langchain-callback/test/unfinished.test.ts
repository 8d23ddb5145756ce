// A stream that its reader left, in a process that then ends by itself.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { AuditLogger } from "@ai-audit/core";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";

const PROGRAM = `
import { AuditLogger } from "@ai-audit/core";
import { AuditCallbackHandler } from "@ai-audit/langchain-callback";
import { FakeListChatModel } from "@langchain/core/utils/testing";
const handler = new AuditCallbackHandler(new AuditLogger(process.argv[1]));
const model = new FakeListChatModel({ responses: ["Hello from a model"] });
for await (const _ of await model.stream("Hi", { callbacks: [handler] })) break;
`;

describe("a stream that is left in a process that ends by itself", { timeout: 30_000 }, () => {
  it("leaves its entry", async () => {
    const path = await temporaryDirectory();
    const flags = ["--conditions=ai-audit-source", "--input-type=module", "-e", PROGRAM, path];
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    await promisify(execFile)(process.execPath, flags, { cwd });
    const logger = new AuditLogger(path);
    const entries = await Array.fromAsync(logger.entries());
    await logger.close();
    expect(entries).toMatchObject([{ operation: "chat", outcome: "abandoned" }]);
  });
});
