// Every TypeScript block of the documents runs, as it stands, in a process of its own.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { API_KEY } from "./fixtures.ts";
import { chatFor, type SentRequest, startOpenAiServer } from "./openai-server.ts";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));

/** What each document's blocks print, in order. */
const DOCUMENTS: Record<string, readonly string[]> = {
  "../../../docs/langchain.md": [
    "4\n",
    "chat ok [ 'forecaster', 'model_request' ] undefined\n" +
      "execute_tool ok [ 'forecaster', 'tools' ] call_1\n" +
      "chat ok [ 'forecaster', 'model_request' ] undefined\n",
    "chat ok t-1 undefined\nhuman_review interrupted t-1 requested\nhuman_review ok t-1 decided\n",
    "{ open: 0, written: 1, lost: 0 }\n",
    "1\n",
  ],
  "../README.md": ["", "chat [ 'LangGraph', 'model_request' ]\n"],
};

function asksForWeather({ body }: SentRequest): boolean {
  const messages = body["messages"] as { role: string }[];
  return body["tools"] !== undefined && !messages.some(({ role }) => role === "tool");
}

describe.each(Object.entries(DOCUMENTS))("%s", async (document, outputs) => {
  const text = await readFile(join(here, document), "utf8");
  const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

  it("has as many blocks as are checked here", () => {
    expect(blocks).toHaveLength(outputs.length);
  });

  it.each(outputs.map((output, index) => [index + 1, output] as const))(
    "runs its block %i",
    async (number, output) => {
      await using server = await startOpenAiServer((request) =>
        asksForWeather(request)
          ? chatFor(request, "", {
              toolCalls: [{ id: "call_1", name: "weather", args: { city: "Rome" } }],
            })
          : chatFor(request, "Sunny."),
      );
      const directory = await mkdtemp(join(tmpdir(), "ai-audit-docs-"));
      const file = join(here, `block-${process.pid}-${number}.ts`); // here: the packages are found from here
      try {
        await writeFile(file, blocks[number - 1] ?? "");
        const { stdout } = await run(process.execPath, ["--conditions=ai-audit-source", file], {
          cwd: directory,
          env: { ...process.env, OPENAI_API_KEY: API_KEY, OPENAI_BASE_URL: server.url },
        });
        expect(stdout).toBe(output);
      } finally {
        await rm(file, { force: true });
        await rm(directory, { recursive: true, force: true });
      }
    },
  );
});
