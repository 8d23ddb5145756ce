// One day of 100,000,000 entries in a bucket: requests, dollars and CPU of reading it. Measured on
// small buckets of two sizes, and multiplied by the day's objects and entries.
//
//   npm run bench -- s3-day         starts Ceph's radosgw (scripts/install-test-tools.sh)
//   S3_SERVER=URL npm run bench -- s3-day        any server with the keys test/testtest
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AuditLogger, FileStorage, Signer, verifyLog } from "@ai-audit/core";
import {
  AnchorLog,
  type AnchorState,
  beginAnchor,
  directoryStore,
  KnownHeads,
  logSourcesAt,
  runAnchor,
} from "@ai-audit/core/anchor";
import { S3Archive, S3Storage } from "@ai-audit/core/s3";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { costs, READ_DOLLARS, WRITE_DOLLARS } from "./s3-cost.ts";
import { INTERACTION } from "./support/interaction.ts";
import { publish } from "./support/table.ts";

const ENTRIES_A_DAY = 100_000_000;
/** Objects whose metadata an anchorer keeps (core/src/storage/s3/known-heads.ts). */
const MAX_KNOWN = 50_000;
const ANSWER_SECONDS = 0.03; // assumed, as in docs/scale.md
const DIRECT = "direct, 10 processes, maxDelayMs 1000";
/** Objects of a direct log; segments of a shipped one. */
const SIZES = { direct: [50, 250], shipped: [2, 6] } as const;
const ENTRIES = { direct: 120, shipped: 40_000 } as const;

const script = fileURLToPath(new URL("../scripts/ceph-s3.sh", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ai-audit-bench-"));
const port = 7490;
const given = process.env["S3_SERVER"];
process.once("exit", () => {
  if (given === undefined) execFileSync(script, ["stop", join(folder, "ceph")]);
  rmSync(folder, { recursive: true, force: true });
});
if (given === undefined)
  execFileSync(script, ["start", join(folder, "ceph"), String(port)], { stdio: "ignore" });

const sent = { LIST: 0, GET: 0, HEAD: 0 };
const client = new S3Client({
  region: "us-east-1",
  endpoint: given ?? `http://127.0.0.1:${port}`,
  forcePathStyle: true,
  credentials: { accessKeyId: "test", secretAccessKey: "testtest" },
});
client.middlewareStack.add(
  (next, { commandName = "" }) =>
    async (args) => {
      if (commandName.startsWith("List")) sent.LIST += 1;
      if (commandName.startsWith("Get")) sent.GET += 1;
      if (commandName.startsWith("Head")) sent.HEAD += 1;
      return next(args);
    },
  { step: "finalizeRequest", priority: "low" },
);
const bucket = `day-${Date.now()}`;
await client.send(new CreateBucketCommand({ Bucket: bucket }));
const signer = await Signer.generate("bench");
const { input: _, output: __, ...rest } = INTERACTION;
const interaction = { ...rest, input: "What is it?", output: "It is this." };

async function together(logger: AuditLogger, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => logger.log(interaction)));
}

type Way = keyof typeof SIZES;

async function fill(way: Way, prefix: string, objects: number): Promise<void> {
  for (let n = 0; n < (way === "direct" ? 1 : objects); n += 1) {
    const path = join(folder, `${prefix}-${n}`);
    const storage =
      way === "direct"
        ? new S3Storage({ bucket, prefix, client, signer })
        : new FileStorage({
            path,
            signer,
            durability: "os",
            archive: new S3Archive({ bucket, prefix, client }),
          });
    const logger = new AuditLogger(storage, { maxPendingBytes: 2 ** 28 });
    for (let each = 0; each < (way === "direct" ? objects : 1); each += 1)
      await together(logger, ENTRIES[way]);
    await logger.close();
  }
}

interface Spent {
  readonly reads: number;
  readonly lists: number;
  readonly cpuSeconds: number;
}

async function spent(work: () => Promise<unknown>): Promise<Spent> {
  Object.assign(sent, { LIST: 0, GET: 0, HEAD: 0 });
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { reads: sent.GET + sent.HEAD, lists: sent.LIST, cpuSeconds: (user + system) / 1e6 };
}

const trustedKeys = [signer.vkey];
const s3 = { client };

/** The work on a log, each piece with what it sends. */
async function measure(way: Way, objects: number): Promise<Record<string, Spent>> {
  const prefix = `${way}-${objects}`;
  await fill(way, prefix, objects);
  const location = `s3://${bucket}/${prefix}`;
  const logger = new AuditLogger(new S3Storage({ bucket, prefix, client }));
  const verify = await spent(async () => {
    const { exitCode, verdict } = await verifyLog(location, { trustedKeys, s3 });
    if (exitCode !== 0) throw new Error(verdict);
  });
  const count = await spent(() => logger.count());
  const statistics = await spent(async () => {
    for await (const entry of logger.entries()) if (entry.id === "") throw new Error("no id");
  });
  const anchorKey = await Signer.generate("anchor");
  const anchor = directoryStore(join(folder, `anchor-${prefix}`));
  let state: AnchorState = await beginAnchor(anchor, anchorKey);
  const heads = new KnownHeads();
  const sources = (): ReturnType<typeof logSourcesAt> => logSourcesAt(location, { s3, heads });
  const run = async (): Promise<void> => {
    const log = await AnchorLog.read(anchor, anchorKey.vkey);
    const done = await runAnchor(log, state, { sources, trustedKeys, signer: anchorKey });
    if (done.result.exitCode !== 0) throw new Error("not anchored");
    state = done.state;
  };
  const first = await spent(run);
  await fill(way, prefix, 1);
  const later = await spent(run);
  await logger.close();
  return {
    "`verify`": verify,
    "`count`": count,
    "`stats`, or any full scan": statistics,
    "`anchor`, the first run": first,
    "`anchor`, one more object": later,
  };
}

const rows: string[][] = [];
for (const way of ["direct", "shipped"] as const) {
  const [few, many] = SIZES[way];
  const small = await measure(way, few);
  const large = await measure(way, many);
  const bytesPerEntry = 533; // docs/scale.md
  const day = costs(bytesPerEntry, ANSWER_SECONDS, [ENTRIES_A_DAY / 86_400]).find((cost) =>
    way === "shipped" ? cost.way === "shipped" : cost.way === DIRECT,
  );
  if (!day) throw new Error("no such way to write");
  const written = day.writesPerDay + day.readsPerDay;
  rows.push([
    `**${day.way}**: ${whole(day.objectsPerDay)} objects`,
    whole(written),
    "",
    dollars(day.requestDollarsPerDay),
    "",
  ]);
  for (const [work, { reads, lists, cpuSeconds }] of Object.entries(large)) {
    const before = small[work];
    if (!before) continue;
    // What grows with the objects, and what does not.
    const grown = (reads - before.reads) / (many - few);
    const isWhole = !work.includes("one more");
    const unknown = isWhole ? 0 : Math.max(0, day.objectsPerDay - MAX_KNOWN);
    const allReads = reads + grown * (day.objectsPerDay - many) + unknown;
    const allLists = lists + day.objectsPerDay / 1000; // a listing has 1,000 names
    const cpu = isWhole ? (cpuSeconds / (many * ENTRIES[way])) * ENTRIES_A_DAY : cpuSeconds;
    rows.push([
      work,
      whole(allReads + allLists),
      `${share(((allReads + allLists) / written) * 100)}%`,
      dollars(allReads * READ_DOLLARS + allLists * WRITE_DOLLARS),
      isWhole ? whole(cpu) : cpu.toFixed(1),
    ]);
  }
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function share(percent: number): string {
  return percent < 10 ? percent.toFixed(1) : percent.toFixed(0);
}

function dollars(value: number): string {
  return value < 0.01 ? value.toFixed(5) : value.toFixed(2);
}

publish({
  title: "One day of 100,000,000 entries in a bucket",
  about:
    "On paper: what was measured for small logs, multiplied. Entries of 533 bytes, 1,157 a second; the first line of each part is what writing takes. " +
    "CPU is of one core.",
  columns: ["", "requests", "of the day's", "dollars", "CPU, s"],
  rows,
});
process.exit(); // the client's sockets
