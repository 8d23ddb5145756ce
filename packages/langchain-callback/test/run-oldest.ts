// node packages/langchain-callback/test/run-oldest.ts: runs this package's tests against the oldest LangChain it
// supports, in a directory of its own, with the sources as they are here. Tests of agents and middleware need newer
// packages than these and stay out.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST = {
  "@langchain/core": "1.0.0",
  "@langchain/openai": "1.0.0",
  "@langchain/langgraph": "1.0.0",
  "@langchain/langgraph-checkpoint": "1.0.0",
  "@langchain/langgraph-sdk": "1.0.0",
  langchain: "1.0.1",
  zod: "4.1.12",
};
const SUITES = ["content", "endings", "failure-modes", "heap", "model-calls", "safety", "secrets"];

const here = fileURLToPath(new URL("..", import.meta.url));
const root = join(here, "..", "..");
const directory = mkdtempSync(join(tmpdir(), "ai-audit-oldest-"));

function run(command: string, ...options: string[]): number {
  const env = { ...process.env, LANGCHAIN_OLDEST: "1" };
  return spawnSync(command, options, { cwd: directory, stdio: "inherit", env }).status ?? 1;
}

function link(name: string, target: string): void {
  const path = join(directory, "node_modules", name);
  mkdirSync(join(path, ".."), { recursive: true });
  symlinkSync(target, path);
}

let status = 1;
try {
  for (const part of ["src", "test"]) cpSync(join(here, part), join(directory, part), { recursive: true });
  writeFileSync(
    join(directory, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies: OLDEST, overrides: OLDEST }),
  );
  const conditions = `conditions: ["ai-audit-source"]`;
  writeFileSync(
    join(directory, "vitest.config.mjs"),
    `export default { resolve: { ${conditions} }, ssr: { resolve: { ${conditions} } } };\n`,
  );
  status = run("npm", "install", "--no-audit", "--no-fund", "--loglevel=error");
  if (status === 0) {
    link("@ai-audit/core", join(root, "packages", "core"));
    link("vitest", join(root, "node_modules", "vitest"));
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    status = run(process.execPath, vitest, "run", ...SUITES.map((suite) => `test/${suite}.test.ts`));
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exit(status);
