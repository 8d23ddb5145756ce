// Every TypeScript block of the document runs, as it stands, in a process of its own.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { completion } from "./equivalence/payloads.ts";
import { json, WireServer } from "./equivalence/wire-server.ts";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const wrapper = new URL("../src/index.ts", import.meta.url).href;

/** What the blocks print, in order. */
const OUTPUTS = [
  "Sunny.\nchat ok 1\n",
  "{ open: 0, written: 1, lost: 0 }\n",
  "true\nblocked [ 'no-weapons' ] 0\n",
  "c-17 4 support\n",
];

describe("docs/openai.md", async () => {
  const text = await readFile(join(here, "../../../docs/openai.md"), "utf8");
  const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

  it("has as many blocks as are checked here", () => {
    expect(blocks).toHaveLength(OUTPUTS.length);
  });

  it.each(OUTPUTS.map((output, index) => [index + 1, output] as const))(
    "runs its block %i",
    async (number, output) => {
      await using server = await WireServer.start();
      server.script(json(completion("Sunny.")));
      const directory = await mkdtemp(join(tmpdir(), "ai-audit-docs-"));
      const file = join(here, `block-${process.pid}-${number}.ts`); // here: the packages are found from here
      try {
        await writeFile(
          file,
          (blocks[number - 1] ?? "").replace('"@ai-audit/openai-wrapper"', JSON.stringify(wrapper)),
        );
        const { stdout } = await run(process.execPath, ["--conditions=ai-audit-source", file], {
          cwd: directory,
          env: { ...process.env, OPENAI_API_KEY: "sk-none", OPENAI_BASE_URL: server.baseURL },
        });
        expect(stdout).toBe(output);
      } finally {
        await rm(file, { force: true });
        await rm(directory, { recursive: true, force: true });
      }
    },
  );
});
