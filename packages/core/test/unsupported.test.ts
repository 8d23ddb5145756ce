// Where Node.js is missing, every entry point of every package says so in one sentence.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

/** Imports each name, and prints what it throws. */
const SCRIPT = `
  for (const name of process.argv.slice(1)) {
    const thrown = await import(name).then(() => "loaded", ({ code, message }) => code + " " + message);
    console.log(name + ": " + thrown);
  }`;

async function importsOf(folder: string, condition: string): Promise<[string, string[]]> {
  const cwd = fileURLToPath(new URL(`../../${folder}`, import.meta.url));
  const { name, exports }: { name: string; exports: object } = JSON.parse(
    await readFile(`${cwd}/package.json`, "utf8"),
  );
  const entries = Object.keys(exports)
    .filter((path) => path !== "./package.json")
    .map((path) => `${name}${path.slice(1)}`);
  const args = [`--conditions=${condition}`, "--input-type=module", "--eval", SCRIPT, ...entries];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd });
  const sentence = `AUDIT_CONFIG_INVALID ${name} needs Node.js 22.18 or later: it does not run in browsers, Cloudflare Workers and edge runtimes. Log from a Node.js server.`;
  return [stdout, entries.map((entry) => `${entry}: ${sentence}\n`)];
}

describe.each(["core", "openai-wrapper", "anthropic", "langchain-callback", "mcp"])(
  "The package %s",
  (folder) => {
    it.each(["workerd", "edge-light", "browser"])(
      "refuses to load, at each entry point, under the condition %s",
      async (condition) => {
        const [printed, wanted] = await importsOf(folder, condition);
        expect(printed).toBe(wanted.join(""));
      },
    );
  },
);
