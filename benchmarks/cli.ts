// The built command on a log of a million entries: verify beside the machine's own reading, a query
// over one hour, start-up, and how much memory each command takes.
//
//   npm run bench:cli
//
// The log is written once by the real logger, whose clock is moved over thirty days, and removed
// afterwards.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtemp, open, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import { fileURLToPath } from "node:url";
import { AuditLogger, FileStorage, Signer } from "@ai-audit/core";

const ENTRIES = 1_000_000;
const DAYS = 30;
const BEGIN = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
/** Entries on their way at once, as of a busy server: they share a commit. */
const IN_FLIGHT = 1000;
const MIB = 2 ** 20;
/** Of util-linux. */
const ON_ONE_CORE = ["taskset", "-c", "0"] as const;
const BUILT = fileURLToPath(new URL("../packages/cli/dist/main.js", import.meta.url));
/** Prints what only the process itself knows, on a stream of its own. */
const REPORT = `data:text/javascript,${encodeURIComponent(
  'import { writeSync } from "node:fs"; process.on("exit", () => { writeSync(3, JSON.stringify(process.resourceUsage())); });',
)}`;

interface Run {
  readonly ms: number;
  /** CPU of all threads. */
  readonly cpuMs: number;
  readonly peakMib: number;
  readonly outBytes: number;
}

function text(seed: string): string {
  return seed.repeat(Math.ceil(300 / seed.length)).slice(0, 300);
}

async function writeLog(path: string, entries: number, signer: Signer): Promise<void> {
  const logger = new AuditLogger(new FileStorage({ path, durability: "os", signer }), {
    storeContent: true,
  });
  mock.timers.enable({ apis: ["Date"], now: BEGIN });
  try {
    for (let n = 0; n < entries; n += IN_FLIGHT) {
      mock.timers.setTime(BEGIN + Math.floor((n / entries) * DAYS * DAY_MS));
      const calls = Array.from({ length: Math.min(IN_FLIGHT, entries - n) }, (_, at) =>
        logger.log({
          input: text(`What is the capital of country ${n + at}? `),
          output: text(`It is city ${n + at}. `),
          provider: "openai",
          model: at % 3 === 0 ? "gpt-5" : "gpt-5-mini",
          conversationId: `conv-${(n + at) % 5000}`,
          latencyMs: 100 + (at % 900),
          inputTokens: 80,
          outputTokens: 70,
          metadata: { user_id: `u-${at % 100}` },
        }),
      );
      await Promise.all(calls);
    }
    await logger.close();
  } finally {
    mock.timers.reset();
  }
}

/**
 * Runs the built command to its end, its output counted and thrown away. `oneCore`: with one core
 * to run on.
 */
async function run(
  words: readonly string[],
  { oneCore = false }: { readonly oneCore?: boolean } = {},
): Promise<Run> {
  const argv = [
    ...(oneCore ? ON_ONE_CORE : []),
    process.execPath,
    `--import=${REPORT}`,
    BUILT,
    ...words,
  ];
  const [program = "", ...rest] = argv;
  const begin = performance.now();
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe", "pipe"] });
  let outBytes = 0;
  let errors = "";
  let report = "";
  child.stdout?.on("data", (chunk: Buffer) => (outBytes += chunk.length));
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  child.stdio[3]?.on("data", (chunk: Buffer) => (report += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  const ms = performance.now() - begin;
  if (code !== 0) throw new Error(`ai-audit ${words.join(" ")} ended with ${code}: ${errors}`);
  const { userCPUTime, systemCPUTime, maxRSS }: NodeJS.ResourceUsage = JSON.parse(report);
  return { ms, cpuMs: (userCPUTime + systemCPUTime) / 1000, peakMib: maxRSS / 1024, outBytes };
}

/** MiB a second at which this machine hands the files over, from wherever it keeps them now. */
async function readSpeed(path: string, files: readonly string[], bytes: number): Promise<number> {
  const buffer = Buffer.allocUnsafe(MIB);
  const begin = performance.now();
  for (const file of files) {
    const handle = await open(join(path, file));
    while ((await handle.read(buffer, 0, MIB, null)).bytesRead > 0);
    await handle.close();
  }
  return bytes / MIB / ((performance.now() - begin) / 1000);
}

async function median(rounds: number, measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round += 1) values.push(await measure());
  return values.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}

function row(name: string, figure: string, target?: string): void {
  console.log(
    `${name.padEnd(52)}${figure.padStart(14)}${target === undefined ? "" : `   (target: ${target})`}`,
  );
}

const hasTaskset = spawnSync(ON_ONE_CORE[0], ["--version"]).status === 0;
execFileSync(process.execPath, [BUILT, "--version"]); // fails where nothing was built: npm run build
const root = await mkdtemp(join(tmpdir(), "ai-audit-bench-cli-"));
try {
  const [large, small] = [join(root, "large"), join(root, "small")];
  const signer = await Signer.generate("bench");
  const begin = performance.now();
  await writeLog(small, 1, signer);
  await writeLog(large, ENTRIES, signer);
  const files = await readdir(large);
  let bytes = 0;
  for (const file of files) bytes += (await stat(join(large, file))).size;
  const took = ((performance.now() - begin) / 1000).toFixed(0);
  console.log(
    `${ENTRIES} entries in ${files.length} files, ${(bytes / MIB).toFixed(0)} MiB, written in ${took} s\n`,
  );

  const version = await median(15, async () => (await run(["--version"])).ms);
  row("start-up: ai-audit --version", `${version.toFixed(0)} ms`, "at most 150 ms");
  const hour = ["--since", "2026-01-15T10:00", "--until", "2026-01-15T10:59:59", "--json"];
  const started = await median(15, async () => (await run(["query", small, "--json"])).ms);
  row("start-up: query in a log of one entry", `${started.toFixed(0)} ms`);
  const queried = await median(15, async () => (await run(["query", large, ...hour])).ms);
  row(
    "one hour of a million entries, after start-up",
    `${(queried - started).toFixed(0)} ms`,
    "at most 50 ms",
  );

  await readSpeed(large, files, bytes); // both read what the operating system has in memory
  const read = await median(3, () => readSpeed(large, files, bytes));
  const verify = ["verify", large, "--trust", signer.vkey];
  const seconds =
    (await median(3, async () => (await run(verify, { oneCore: hasTaskset })).ms)) / 1000;
  const speed = bytes / MIB / seconds;
  const target = Math.min(250, read / 2);
  row("reading alone", `${read.toFixed(0)} MiB/s`);
  row(
    `verify${hasTaskset ? ", on one core" : ""}`,
    `${speed.toFixed(0)} MiB/s`,
    `at least ${target.toFixed(0)} MiB/s`,
  );

  console.log("");
  // `sql` is mostly what DuckDB takes by itself; more columns at a time take more, more rows do
  // not.
  const commands: Readonly<Record<string, readonly string[]>> = {
    verify,
    stats: ["stats", large, "--by", "model"],
    "query, all entries out": ["query", large, "--json"],
    "query, one conversation": ["query", large, "--conversation", "conv-17"],
    "export, csv": ["export", large, "--format", "csv"],
    "sql, grouped": ["sql", "SELECT model, count(*) AS calls FROM entries GROUP BY model", large],
    "sql, all columns out": ["sql", "SELECT * FROM entries LIMIT 200000", large, "--json"],
    "sql, two columns out": ["sql", "SELECT id, model FROM entries", large, "--json"],
  };
  for (const [name, words] of Object.entries(commands)) {
    const { ms, peakMib, outBytes } = await run(words);
    const out = `${(outBytes / MIB).toFixed(0)} MiB out, ${(ms / 1000).toFixed(1)} s`;
    row(`memory: ${name} (${out})`, `${peakMib.toFixed(0)} MiB`, "at most 300 MiB");
  }
} finally {
  await rm(root, { recursive: true, force: true });
}
