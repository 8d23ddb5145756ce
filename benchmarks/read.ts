// Finding, counting, verifying and removing in a log of 100,000 entries, whose calls came one at a
// time: a checkpoint for each.
//
//   npm run bench -- read
import { hash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { cp, readdir, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditLogger, FileStorage, Signer, verifyLog } from "@ai-audit/core";
import { BEGIN, DAY_MS, DAYS, fill } from "./support/fill.ts";
import { inProcesses, medianOf, type Subject, timed } from "./support/processes.ts";
import { publish } from "./support/table.ts";

const isQuick = process.env["BENCH_QUICK"] === "1";
const ENTRIES = isQuick ? 20_000 : 100_000;
const MIB = 2 ** 20;
const MS = 1000;

const isParent = process.argv[2] !== "--measure";
const root = isParent ? mkdtempSync(join(tmpdir(), "ai-audit-bench-read-")) : "";
if (isParent) {
  process.env["BENCH_LOG"] = join(root, "log");
  const signer = await Signer.generate("bench");
  process.env["BENCH_VKEY"] = signer.vkey;
  await fill(join(root, "log"), signer, { entries: ENTRIES, inFlight: 1 });
}
const log = process.env["BENCH_LOG"] ?? "";
const trustedKeys = [process.env["BENCH_VKEY"] ?? ""];
const bytes = await sizeOf(log);

async function sizeOf(path: string): Promise<number> {
  let sum = 0;
  for (const file of await readdir(path)) sum += (await stat(join(path, file))).size;
  return sum;
}

function reader(path: string): { readonly storage: FileStorage; readonly logger: AuditLogger } {
  const storage = new FileStorage({ path, trustedKeys, durability: "os" });
  return { storage, logger: new AuditLogger(storage) };
}

/** The machine's own rate: SHA-256 of the same bytes, on one core. */
const hashing: Subject = async () => {
  const block = Buffer.alloc(64 * 1024, 1);
  const blocks = Math.floor(bytes / block.length);
  const { cpuUs } = await timed(1, async () => {
    for (let n = 0; n < blocks; n += 1) hash("sha256", block);
  });
  return { rate: bytes / MIB / (cpuUs / 1e6) };
};

const verifying: Subject = async () => {
  const { cpuUs, wallUs } = await timed(1, async () => {
    const { exitCode, verdict } = await verifyLog(log, { trustedKeys });
    if (exitCode !== 0) throw new Error(verdict);
  });
  return { rate: bytes / MIB / (cpuUs / 1e6), wall: wallUs / MS };
};

const HOUR = { from: BEGIN + 15 * DAY_MS, to: BEGIN + 15 * DAY_MS + 3_600_000 - 1 };

const finding: Subject = async () => {
  const { storage, logger } = reader(log);
  const ids: string[] = [];
  const first = await timed(1, async () => {
    for await (const page of storage.pages(HOUR, "oldest-first"))
      for (const line of page) ids.push(JSON.parse(line).id);
  });
  const again = await timed(1, async () => {
    for await (const page of storage.pages(HOUR, "oldest-first")) void page;
  });
  const got = await timed(ids.length, async () => {
    for (const id of ids) if (!(await storage.get(id))) throw new Error(`${id} was not found`);
  });
  const counted = await timed(1, async () => void (await storage.count({})));
  await logger.close();
  return {
    first: first.wallUs / MS,
    again: again.wallUs / MS,
    get: got.wallUs / MS,
    count: counted.wallUs / MS,
  };
};

const cleaning: Subject = async (directory) => {
  const path = join(directory, "copy");
  await cp(log, path, { recursive: true });
  for (const file of await readdir(path)) await readFile(join(path, file)); // in memory, as the log is
  const { storage, logger } = reader(path);
  const { cpuUs, wallUs } = await timed(1, async () => {
    const { files } = await storage.prune({
      before: BEGIN + (DAYS / 2) * DAY_MS,
      policy: "half",
      actor: "bench",
      now: Date.now(),
    });
    if (Number(files) === 0) throw new Error("nothing was removed");
  });
  await logger.close();
  return { rate: bytes / 2 / MIB / (cpuUs / 1e6), wall: wallUs / MS };
};

const measured = await inProcesses(
  import.meta.filename,
  { hashing, verifying, finding, cleaning },
  isQuick ? 1 : 3,
);
rmSync(root, { recursive: true, force: true });

const figure = (subject: string, name: string): number =>
  medianOf(measured.get(subject) ?? [], name);
const ms = (value: number): string => `${value.toFixed(1)} ms`;
const rate = (subject: string): string =>
  `${figure(subject, "rate").toFixed(0)} MiB a CPU second, ${(figure(subject, "rate") / figure("hashing", "rate")).toFixed(2)} of SHA-256`;
publish({
  title: `A log of ${ENTRIES.toLocaleString("en")} entries`,
  about: `${DAYS} days, ${(bytes / MIB).toFixed(0)} MiB, committed one by one and signed.`,
  columns: ["work", "figure"],
  rows: [
    ["SHA-256 of as many bytes", `${figure("hashing", "rate").toFixed(0)} MiB a CPU second`],
    ["verify", `${ms(figure("verifying", "wall"))}; ${rate("verifying")}`],
    ["remove the older half", `${ms(figure("cleaning", "wall"))}; ${rate("cleaning")}`],
    ["one hour, the first question of a process", ms(figure("finding", "first"))],
    ["one hour, again", ms(figure("finding", "again"))],
    ["one entry by its id", `${figure("finding", "get").toFixed(2)} ms`],
    ["count of all", ms(figure("finding", "count"))],
  ],
});
