// node consumers/src/main.ts [--quick] [NAME …]: packs the packages, installs them into fresh
// projects as users do, and runs a program in each. NAMEs choose cases by the words in their names.
import { mkdir, readdir, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { casesOf } from "./cases.ts";
import { packAll, startRegistry } from "./packed.ts";
import { startModelServer, startS3Server } from "./servers.ts";
import { makeTools } from "./tools.ts";

const { values, positionals } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
  allowPositionals: true,
});

// Outside of the repository: its node_modules must not be found from the projects.
const work = join(tmpdir(), `ai-audit-consumers-${userInfo().uid}`);
const bucket = "consumers";

await mkdir(work, { recursive: true });
await packAll(join(work, "packed"));
await forgetOurs(join(work, "caches"));
await using registry = await startRegistry(join(work, "packed"));
await using model = await startModelServer();
await using s3 = await startS3Server(bucket);
const tools = await makeTools(join(work, "tools"), values.quick);
const cases = casesOf({
  work,
  registry: registry.url,
  tools,
  env: {
    PATH: [tools.folder, process.env["PATH"]].join(":"),
    MODEL_URL: model.url,
    OPENAI_BASE_URL: model.url,
    OPENAI_API_KEY: "k",
    ANTHROPIC_BASE_URL: new URL(model.url).origin,
    ANTHROPIC_API_KEY: "k",
    S3_ENDPOINT: s3.url,
    S3_BUCKET: bucket,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "testtest",
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_S3: s3.url,
    BUN_INSTALL_CACHE_DIR: join(work, "caches", "bun"),
    DENO_DIR: join(work, "caches", "deno"),
    YARN_GLOBAL_FOLDER: join(work, "caches", "yarn4"),
    YARN_CACHE_FOLDER: join(work, "caches", "yarn1"),
  },
});

const failed: string[] = [];
let passed = 0;
for (const { name, quick, needs, check } of cases) {
  const isWanted = positionals.length === 0 || positionals.some((word) => name.includes(word));
  if (!isWanted || (values.quick && !quick)) continue;
  if (needs !== undefined && failed.includes(needs)) {
    failed.push(name);
    console.error(`FAILED  ${name}: needs ${needs}`);
    continue;
  }
  const began = performance.now();
  try {
    await check();
    passed += 1;
    console.log(`ok      ${name} (${Math.round((performance.now() - began) / 1000)} s)`);
  } catch (error) {
    failed.push(name);
    console.error(`FAILED  ${name}\n${error instanceof Error ? error.message : String(error)}\n`);
  }
}
console.log(
  `${passed} passed, ${failed.length} failed${failed.map((name) => `\n  ${name}`).join("")}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Package managers keep what they downloaded by name and version, and ours changes under one. */
async function forgetOurs(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (/ai-audit|^127\.0\.0\.1|^http_127/.test(entry.name))
      await rm(join(entry.parentPath, entry.name), { recursive: true, force: true });
  }
}
