// Every TypeScript block of docs/agents.md runs, as it stands, in a process of its own.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { blocksOf, runBlock } from "@ai-audit/test-support/documented-code";
import { describe, expect, it } from "vitest";
import { startOfficeServer } from "../src/support/office-server.ts";

const from = fileURLToPath(new URL("..", import.meta.url));

/** What the blocks print, in order. */
const OUTPUTS = [
  "invoice-17.pdf says: 950 EUR to Acme, due on 30 November.\n" +
    "chat ada researcher researcher\n" +
    "execute_tool ada researcher researcher\n" +
    "chat ada researcher researcher\n",
  "1\ntrue bob modified true\n",
];

describe("docs/agents.md", async () => {
  const blocks = await blocksOf(join(from, "../docs/agents.md"));

  it("has as many blocks as are checked here", () => {
    expect(blocks).toHaveLength(OUTPUTS.length);
  });

  it.for(blocks.map((block, index) => ({ number: index + 1, block })))(
    "runs its block $number",
    async ({ number, block }) => {
      const server = await startOfficeServer();
      const env = { OPENAI_API_KEY: "none", OPENAI_BASE_URL: server.baseURL };
      const { stdout } = await runBlock(block, { from, env });
      await server.stop();
      expect(stdout).toBe(OUTPUTS[number - 1]);
    },
  );
});
