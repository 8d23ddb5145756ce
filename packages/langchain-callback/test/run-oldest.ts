// node packages/langchain-callback/test/run-oldest.ts: runs this package's tests against the oldest
// LangChain it supports, in a directory of its own, with the sources as they are here and the Node
// that runs this. Of agents those tests stay out that need an agent's name, content blocks or a
// middleware, which these do not have. Exits with 1 when a test fails or npm cannot install.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
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
const SUITES = [
  "agents",
  "first-handler",
  "content",
  "endings",
  "failure-modes",
  "graphs",
  "heap",
  "human-review",
  "model-calls",
  "runs",
  "safety",
  "same-call",
  "secrets",
];

const here = fileURLToPath(new URL("..", import.meta.url));
const root = join(here, "..", "..");
const report = process.env["REPORT"]; // where the run's JSON report goes
const directory = mkdtempSync(join(tmpdir(), "ai-audit-oldest-"));

function run(command: string, ...options: string[]): number {
  const env = { ...process.env, LANGCHAIN_OLDEST: "1" };
  const { status, error } = spawnSync(command, options, { cwd: directory, stdio: "inherit", env });
  if (error) console.error(`${command} could not be run: ${error.message}`);
  return status ?? 1;
}

function link(name: string, target: string): void {
  const path = join(directory, "node_modules", name);
  mkdirSync(join(path, ".."), { recursive: true });
  symlinkSync(target, path);
}

const startedAt = performance.now();
let problem: string | undefined;
try {
  for (const part of ["src", "test"])
    cpSync(join(here, part), join(directory, part), { recursive: true });
  writeFileSync(
    join(directory, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies: OLDEST, overrides: OLDEST }),
  );
  const conditions = `conditions: ["ai-audit-source"]`;
  writeFileSync(
    join(directory, "vitest.config.mjs"),
    `export default { resolve: { ${conditions} }, ssr: { resolve: { ${conditions} } } };\n`,
  );
  if (run("npm", "install", "--no-audit", "--no-fund", "--loglevel=error") !== 0) {
    problem = "npm could not install it";
  } else {
    link("@ai-audit/core", join(root, "packages", "core"));
    link("@ai-audit/openai-wrapper", join(root, "packages", "openai-wrapper"));
    link("@ai-audit/test-support", join(root, "packages", "test-support"));
    link("vitest", join(root, "node_modules", "vitest"));
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const files = SUITES.map((suite) => `test/${suite}.test.ts`);
    const status = run(
      process.execPath,
      vitest,
      "run",
      "--reporter=dot",
      ...(report === undefined
        ? []
        : ["--reporter=json", `--outputFile.json=${resolve(root, report)}`]),
      "--silent=passed-only",
      ...files,
    );
    if (status !== 0) problem = "tests failed";
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
const packages = Object.entries(OLDEST).map(([name, version]) => `${name}@${version}`);
const seconds = Math.round((performance.now() - startedAt) / 1000);
console.log(
  `Node ${process.version}, ${packages.join(", ")}: ${problem ?? "passed"} (${seconds} s)`,
);
process.exit(problem === undefined ? 0 : 1);
