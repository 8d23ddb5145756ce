// Runs the examples and commands that a page shows, and gives the page with what they print now.
//
// `<!-- example NAME -->` … `<!-- /example -->` holds examples/src/NAME.ts and its output.
// `<!-- console -->` … `<!-- /console -->` holds commands after `$ ` and their output. All of one
// page run in one directory, in the page's order. `npx ai-audit` is the command from its sources.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const MARKED = /<!-- (example|console)(?: ([\w-]+))? -->\n([\s\S]*?)<!-- \/\1 -->/g;

/** Whether a page shows anything that runs. */
export function hasRuns(text: string): boolean {
  return text.search(MARKED) !== -1;
}

/**
 * The page with its examples and outputs as they are now. An output that differs from the page's
 * only in ids, times and keys stays as it is on the page.
 */
export async function withRuns(
  page: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const text = readFileSync(page, "utf8");
  const folder = await mkdtemp(join(tmpdir(), "ai-audit-page-"));
  try {
    const run = await shellIn(folder, env);
    let written = "";
    let at = 0;
    for (const { 0: all, 1: kind, 2: name = "", 3: body = "", index } of text.matchAll(MARKED)) {
      const now =
        kind === "example" ? await example(page, name, run) : await consoleBlock(body, run);
      const shown = steady(now) === steady(body) ? body : now;
      written += `${text.slice(at, index)}${all.slice(0, all.indexOf("\n") + 1)}${shown}<!-- /${kind} -->`;
      at = index + all.length;
    }
    return written + text.slice(at);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Run = (line: string) => Promise<string>;

async function example(page: string, name: string, run: Run): Promise<string> {
  const file = join(root, "examples/src", `${name}.ts`);
  const output = await run(`node --conditions=ai-audit-source '${file}'`);
  const link = `[examples/src/${name}.ts](${relative(dirname(page), file)})`;
  const source = readFileSync(file, "utf8");
  return `\n${link}:\n\n\`\`\`ts\n${source}\`\`\`\n\nIt prints:\n\n\`\`\`text\n${output.trimEnd()}\n\`\`\`\n\n`;
}

async function consoleBlock(body: string, run: Run): Promise<string> {
  const lines = [...body.matchAll(/^\$ (.*)$/gm)].map(([, line = ""]) => line);
  let block = "";
  for (const line of lines) {
    const output = await run(line);
    block += `$ ${line}\n${output === "" ? "" : `${output.trimEnd()}\n`}`;
  }
  return `\n\`\`\`console\n${block}\`\`\`\n\n`;
}

/** Runs lines by bash, as a user who has the packages. Standard error is part of what they print. */
async function shellIn(folder: string, env: Readonly<Record<string, string>>): Promise<Run> {
  const bin = join(folder, ".bin");
  await mkdir(bin);
  const main = join(root, "packages/cli/src/main.ts");
  const npx = `#!/bin/sh\nshift\nexec '${process.execPath}' --conditions=ai-audit-source '${main}' "$@"\n`;
  await writeFile(join(bin, "npx"), npx);
  await chmod(join(bin, "npx"), 0o755);
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(?:AUDIT_|AWS_|FORCE_COLOR|NODE_OPTIONS|NO_COLOR|VITEST)/.test(name),
  );
  const path = [bin, dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
  const variables = { ...Object.fromEntries(own), NO_COLOR: "1", ...env, PATH: path };
  return (line) =>
    new Promise((resolve, reject) => {
      const options = { cwd: folder, env: variables, timeout: 120_000 };
      execFile("bash", ["-c", `${line} 2>&1`], options, (error, stdout) => {
        // A verdict's exit code is part of what a page shows; anything else is a broken example.
        if (error && (typeof error.code !== "number" || error.code > 3 || line.startsWith("node ")))
          reject(new Error(`${line}\n${stdout}`, { cause: error }));
        else resolve(stdout.replaceAll(`${folder}/`, ""));
      });
    });
}

/** Output with ids, times and other parts that change from run to run taken out. */
export function steady(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "ID")
    .replaceAll(/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?)?/g, "TIME")
    .replaceAll(/\b\d\d:\d\d:\d\d(?:\.\d+)?/g, "TIME")
    .replaceAll(/audit_\d{8}/g, "audit_DAY")
    .replaceAll(/\+[0-9a-f]{8}\+[\w+/=]{40,}/g, "+KEY")
    .replaceAll(/\+[0-9a-f]{8}\b/g, "+KEY")
    .replaceAll(/\beyJ[\w.-]+/g, "JWE")
    .replaceAll(/[\w+/-]{43,}={0,2}/g, "KEY")
    .replaceAll(/(key "|kid"?: ?"|acme\/)[\w-]{11,22}(?![\w-])/g, "$1KID")
    .replaceAll(/\b[0-9a-f]{8,}\b/g, "HEX")
    .replaceAll(/\b\d+(?:\.\d+)? (?:ms|s|bytes|B)\b/g, "N")
    .replaceAll(/(latencyMs|latency_ms)\b.*/g, "$1")
    .replaceAll(/[ ─]+/g, " ")
    .replaceAll(/ $/gm, "");
}
