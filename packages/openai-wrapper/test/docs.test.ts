// Every TypeScript block of the document runs, as it stands, in a process of its own.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { blocksOf, runBlock } from "@ai-audit/test-support/documented-code";
import { completion } from "./equivalence/payloads.ts";
import { json, WireServer } from "@ai-audit/test-support/wire-server";

const from = fileURLToPath(new URL("..", import.meta.url));

/** What the blocks print, in order. */
const OUTPUTS = [
  "Sunny.\nchat ok 1\n",
  "{ open: 0, written: 1, lost: 0 }\n",
  "true\nblocked [ 'no-weapons' ] 0\n",
  "c-17 4 support\n",
];

describe("docs/openai.md", async () => {
  const blocks = await blocksOf(join(from, "../../docs/openai.md"));

  it("has as many blocks as are checked here", () => {
    expect(blocks).toHaveLength(OUTPUTS.length);
  });

  it.for(blocks.map((block, index) => ({ number: index + 1, block })))(
    "runs its block $number",
    async ({ number, block }) => {
      await using server = await WireServer.start();
      server.script(json(completion("Sunny.")));
      const env = { OPENAI_API_KEY: "sk-none", OPENAI_BASE_URL: server.baseURL };
      const { stdout } = await runBlock(block, { from, env });
      expect(stdout).toBe(OUTPUTS[number - 1]);
    },
  );
});
