// Every TypeScript block of the README runs, as it stands, in a process of its own.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { blocksOf, runBlock } from "@ai-audit/test-support/documented-code";
import { describe, expect, it } from "vitest";

const from = fileURLToPath(new URL("..", import.meta.url));

describe("README.md", () => {
  it("runs as it stands", async () => {
    const blocks = await blocksOf(join(from, "README.md"));
    expect(blocks).toHaveLength(1);
    const printed = await Promise.all(blocks.map((block) => runBlock(block, { from })));
    expect(printed.map(({ stdout }) => stdout)).toEqual(["chat ok 1\n"]);
  });
});
