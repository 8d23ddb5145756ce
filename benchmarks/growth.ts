// How cost grows with the log: 10^4 to 10^6 entries in 30 segments, and 10^4 entries in 30 to 1,000
// segments, each of another process. BENCH_FULL=1 adds 10^7 entries and 10,000 segments (10 GB of
// disk, an hour: each writer looks at what others left).
//
//   npm run bench -- growth
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditLogger, FileStorage, Signer, verifyLog } from "@ai-audit/core";
import { BEGIN, DAY_MS, fill, type Filling } from "./support/fill.ts";
import { INTERACTION } from "./support/interaction.ts";
import { inProcesses, medianOf, timed } from "./support/processes.ts";
import { publish } from "./support/table.ts";

const isQuick = process.env["BENCH_QUICK"] === "1";
const SIZES: Readonly<Record<string, Filling>> = {
  "10,000 entries, 30 segments": { entries: 10_000 },
  "100,000 entries, 30 segments": { entries: 100_000 },
  ...(!isQuick && { "1,000,000 entries, 30 segments": { entries: 1_000_000, bytes: 300 } }),
  ...(process.env["BENCH_FULL"] === "1" && {
    "10,000,000 entries, 30 segments": { entries: 10_000_000, bytes: 300 },
  }),
  "10,000 entries, 100 segments": { entries: 10_000, segments: 100 },
  ...(!isQuick && { "10,000 entries, 1,000 segments": { entries: 10_000, segments: 1000 } }),
  ...(process.env["BENCH_FULL"] === "1" && {
    "10,000 entries, 10,000 segments": { entries: 10_000, segments: 10_000 },
  }),
};

const isParent = process.argv[2] !== "--measure";
const root = isParent
  ? mkdtempSync(join(tmpdir(), "ai-audit-bench-growth-"))
  : (process.env["BENCH_ROOT"] ?? "");
if (isParent) {
  const signer = await Signer.generate("bench");
  process.env["BENCH_ROOT"] = root;
  process.env["AUDIT_SIGNING_KEY"] = signer.toPem();
  for (const [name, filling] of Object.entries(SIZES))
    await fill(join(root, name), signer, filling);
}

async function measure(name: string): Promise<Record<string, number>> {
  const path = join(root, name);
  const signer = Signer.fromEnv("bench");
  const storage = new FileStorage({ path, signer, durability: "os" });
  const logger = new AuditLogger(storage, { storeContent: true });
  const first = await timed(1, async () => void (await logger.log(INTERACTION)));
  // Meanwhile the process looks at what other writers left.
  for (let n = 0; n < 2000; n += 1) await logger.log(INTERACTION);
  const more = await timed(1000, async () => {
    for (let n = 0; n < 1000; n += 1) await logger.log(INTERACTION);
  });
  const from = BEGIN + 15 * DAY_MS;
  const ids: string[] = [];
  const range = await timed(1, async () => {
    for await (const page of storage.pages({ from, to: from + 3_599_999 }, "oldest-first"))
      for (const line of page) if (ids.length < 20) ids.push(JSON.parse(line).id);
  });
  const get = await timed(Math.max(1, ids.length), async () => {
    for (const id of ids) await storage.get(id);
  });
  const count = await timed(1, async () => void (await storage.count({})));
  const health = await timed(1, async () => void (await logger.health()));
  const memory = process.memoryUsage.rss();
  await logger.close();
  const verify = await timed(
    1,
    async () => void (await verifyLog(path, { trustedKeys: [signer.vkey] })),
  );
  return {
    first: first.cpuUs / 1000,
    log: more.cpuUs,
    range: range.wallUs / 1000,
    get: get.wallUs / 1000,
    count: count.wallUs / 1000,
    health: health.wallUs / 1000,
    verify: verify.wallUs / 1000,
    memory: memory / 2 ** 20,
  };
}

const measured = await inProcesses(
  import.meta.filename,
  Object.fromEntries(Object.keys(SIZES).map((name) => [name, () => measure(name)])),
  1,
);
rmSync(root, { recursive: true, force: true });
const FIGURES = ["first", "log", "range", "get", "count", "health", "verify", "memory"];
publish({
  title: "How cost grows with the log",
  about:
    "First `log()` in ms of CPU; further ones, alone, in µs of CPU; one hour, `getEntry()`, `count()`, `health()` and `verify` in ms; " +
    "resident memory of the process before `verify`, in MiB. Entries of 10^6 have 0.3 KB + 0.3 KB, others 1 KB + 1 KB.",
  columns: ["", "first log", "log", "one hour", "get", "count", "health", "verify", "memory"],
  rows: [...measured].map(([name, samples]) => [
    name,
    ...FIGURES.map((figure) => medianOf(samples, figure).toFixed(1)),
  ]),
});
