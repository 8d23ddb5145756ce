// Runs the benchmarks one after another, and writes their tables into docs/benchmarks.md.
//
//   npm run bench                   all, about half an hour
//   npm run bench -- write read     these alone; the page keeps the other tables
//   npm run bench:quick             all with few rounds, some minutes; writes nothing
//   npm run bench:guard             quick; fails where a ratio is twice what docs/benchmarks.md says
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, type } from "node:os";
import { fileURLToPath } from "node:url";
import { asMarkdown, type Table } from "./support/table.ts";

const ALL = [
  "write",
  "profile",
  "encryption",
  "openai",
  "anthropic",
  "ai-sdk",
  "langchain",
  "large",
  "read",
  "growth",
];
const PAGE = fileURLToPath(new URL("../docs/benchmarks.md", import.meta.url));
const MARK = "<!-- Below: written by npm run bench -->";
/** A loaded machine and a new compiler may cost that much; more is a mistake of ours. */
const WORSE = 2;

const words = process.argv.slice(2);
const isGuard = words.includes("--guard");
const named = words.filter((word) => !word.startsWith("--"));
if (isGuard || words.includes("--quick")) process.env["BENCH_QUICK"] = "1";

let tables: Table[] = [];
await run(named.length > 0 ? named : isGuard ? ["write"] : ALL);
if (process.env["BENCH_QUICK"] !== "1") writePage();
if (isGuard) {
  // Once more before a word is said: one sample on a busy machine proves nothing.
  const suspects = worseThanBefore();
  if (suspects.length > 0) await run(["write"]);
  const worse = suspects.length > 0 ? worseThanBefore() : [];
  const confirmed = worse.filter(({ cell }) => suspects.some((one) => one.cell === cell));
  for (const { cell, ratios } of confirmed) console.error(`worse: ${cell}: ${ratios}`);
  if (confirmed.length > 0) process.exitCode = 1;
}

async function run(names: readonly string[]): Promise<void> {
  tables = [];
  for (const name of names) {
    const child = fork(new URL(`${name}.ts`, import.meta.url));
    child.on("message", (table: Table) => tables.push(table));
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`${name}.ts ended with ${String(code)}`);
  }
}

/** Replaces the tables of the same titles, and keeps the others. */
function writePage(): void {
  const [about = "", old = ""] = readFileSync(PAGE, "utf8").split(MARK);
  const kept = new Map(
    old
      .split(/^(?=## )/m)
      .slice(1)
      .map((section) => [section.slice(3, section.indexOf("\n")), section.trim()]),
  );
  for (const table of tables) kept.set(table.title, asMarkdown(table));
  const [cpu] = cpus();
  const machine =
    `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${type()}, ` +
    `${cpus().length} × ${cpu?.model ?? "an unknown processor"}.`;
  writeFileSync(PAGE, [about + MARK, machine, ...kept.values(), ""].join("\n\n").trimEnd() + "\n");
}

/** The ratios (cells that end in ×) that are worse than the page's cells of the same name. */
function worseThanBefore(): { readonly cell: string; readonly ratios: string }[] {
  const page = readFileSync(PAGE, "utf8");
  return tables.flatMap(({ title, columns, rows }) => {
    const known = page.split("## ").find((part) => part.startsWith(`${title}\n`)) ?? "";
    return rows.flatMap(([name = "", ...cells]) => {
      const line = known.split("\n").find((text) => text.startsWith(`| ${name} |`));
      const before = line?.split("|").slice(2, -1) ?? [];
      return cells.flatMap((now, at) => {
        const was = before[at]?.trim() ?? "";
        const isRatio = now.endsWith("×") && was.endsWith("×");
        if (!isRatio || Number.parseFloat(now) <= WORSE * Number.parseFloat(was)) return [];
        const cell = `${title}, ${name}, ${columns[at + 1] ?? ""}`;
        return [{ cell, ratios: `${now}, was ${was}` }];
      });
    });
  });
}
