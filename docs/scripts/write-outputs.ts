// node --conditions=ai-audit-source docs/scripts/write-outputs.ts [PAGE…]: writes into the pages what their examples and
// commands print now.
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { hasRuns, withRuns } from "./documented-runs.ts";
import { s3Variables } from "./s3-variables.ts";

const given = process.argv.slice(2);
const pages = given.length > 0 ? given : globSync("{README.md,docs/{*,*/*}.md}");
for (const page of pages.map((path) => resolve(path))) {
  const text = readFileSync(page, "utf8");
  if (!hasRuns(text)) continue;
  const now = await withRuns(page, text.includes("example s3-") ? await s3Variables() : {});
  if (now === text) continue;
  writeFileSync(page, now);
  console.log(page);
}
