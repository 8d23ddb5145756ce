// Every TypeScript block of README and guide that stands alone runs as it stands, in a process of
// its own.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { blocksOf, runBlock } from "@ai-audit/test-support/documented-code";
import { json, WireServer } from "@ai-audit/test-support/wire-server";
import { describe, expect, it } from "vitest";
import { message } from "./support/payloads.ts";

const from = fileURLToPath(new URL("..", import.meta.url));

describe.each([
  ["README.md", "text\nchat ok claude-sonnet-5-5\n"],
  ["../../docs/anthropic.md", "end_turn\nchat ok Sunny. 3\n"],
])("%s", (document, output) => {
  it("runs as it stands", async () => {
    const [block, ...others] = await blocksOf(join(from, document));
    if (!block) throw new Error("no block");
    expect(others).toEqual([]);
    await using server = await WireServer.start();
    server.script(json(message("Sunny.")));
    const env = {
      ANTHROPIC_API_KEY: "sk-ant-none",
      ANTHROPIC_BASE_URL: server.baseURL.replace(/\/v1$/, ""),
    };
    const { stdout } = await runBlock(block, { from, env });
    expect(stdout).toBe(output);
  });
});
