// S3Storage beside one object an entry (the Python original's way), on the same server; finding one
// entry among many; and FileStorage that ships to it.
//
//   node --conditions=ai-audit-source benchmarks/s3.ts          starts Ceph's radosgw (scripts/install-test-tools.sh)
//   node --conditions=ai-audit-source benchmarks/s3.ts URL      any server with the keys test/testtest
//
// Server and client share the machine, and the machine is never quiet: single objects a second
// drift between 700 and 1,400 within a minute, and a block of 6,400 entries, the first one cold,
// gives anything between 6,600 and 23,500 a second. So the two ways run in pairs of blocks, each
// some seconds long, in turn first and second; the first pair warms up client and server and is not
// counted. The verdict is on the median of the pairs' ratios; all of them are printed. Processor
// time an entry is what the client itself takes; who else is busy changes it little.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AuditLogger, FileStorage, Signer, verifyLog } from "@ai-audit/core";
import { S3Archive, S3Storage } from "@ai-audit/core/s3";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { costs } from "./s3-cost.ts";

const PAIRS = 9;
const ANSWER_SECONDS = 0.03; // assumed for the table of costs: a bucket in the same region

const script = fileURLToPath(new URL("../scripts/ceph-s3.sh", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ai-audit-bench-"));
const port = 7480;
const [given] = process.argv.slice(2);
process.once("SIGINT", () => process.exit(130));
process.once("exit", () => {
  if (given === undefined) execFileSync(script, ["stop", join(folder, "ceph")]);
  rmSync(folder, { recursive: true, force: true });
});
if (given === undefined) execFileSync(script, ["start", join(folder, "ceph"), String(port)]);
const endpoint = given ?? `http://127.0.0.1:${port}`;

const sent = new Map<string, number>();
const client = new S3Client({
  region: "us-east-1",
  endpoint,
  forcePathStyle: true,
  credentials: { accessKeyId: "test", secretAccessKey: "testtest" },
  requestHandler: { httpAgent: { maxSockets: 512 } },
});
client.middlewareStack.add(
  (next, { commandName = "" }) =>
    async (args) => {
      const name = commandName.replace(/Command$/, "");
      sent.set(name, (sent.get(name) ?? 0) + 1);
      return next(args);
    },
  { step: "finalizeRequest", priority: "low" }, // behind the retries: counts what is really sent
);
const requests = (): number => [...sent.values()].reduce((sum, count) => sum + count, 0);
const bucket = `bench-${Date.now()}`;
await client.send(new CreateBucketCommand({ Bucket: bucket }));
const signer = await Signer.generate("bench");
const interaction = {
  input: "What is it? ".repeat(20),
  output: "It is this. ".repeat(40),
  provider: "openai",
  model: "gpt-5",
  metadata: { team: "research", feature: "chat" },
};

interface Figures {
  readonly perSecond: number;
  readonly requestsPerEntry: number;
  readonly cpuMicrosPerEntry: number;
}

/** Runs `write` over and over in some lanes at once. */
async function measure(
  inFlight: number,
  entries: number,
  write: () => Promise<unknown>,
): Promise<Figures> {
  sent.clear();
  const cpu = process.cpuUsage();
  const start = performance.now();
  let left = entries;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await write();
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: entries / seconds,
    requestsPerEntry: requests() / entries,
    cpuMicrosPerEntry: (user + system) / entries,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The middle one, lowest and highest. */
function spread(values: readonly number[], digits = 0): string {
  const text = (value: number): string =>
    value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text(median(values))} (${text(Math.min(...values))} – ${text(Math.max(...values))})`;
}

function print(name: string, blocks: readonly Figures[]): void {
  const rate = spread(blocks.map(({ perSecond }) => perSecond));
  const cpu = median(blocks.map(({ cpuMicrosPerEntry }) => cpuMicrosPerEntry)).toFixed(0);
  const cost = median(blocks.map(({ requestsPerEntry }) => requestsPerEntry)).toFixed(4);
  console.log(
    `${name.padEnd(42)} ${rate} entries/s, ${cost} requests and ${cpu} µs of CPU an entry`,
  );
}

const load = (): string => `load ${loadavg()[0]?.toFixed(1)}`;
console.log(`Node ${process.version}, ${cpus().length} cores, ${load()}, ${endpoint}\n`);
let line = "";
{
  const memory = new AuditLogger(new S3Storage({ bucket, prefix: "one", client, signer }));
  const id = await memory.log(interaction);
  line = (await memory.storage.get(id)) ?? "";
  await memory.close();
}
let ok = true;
for (const inFlight of [64, 512]) {
  let count = 0;
  const logger = new AuditLogger(
    new S3Storage({ bucket, prefix: `shared-${inFlight}`, client, signer }),
  );
  const put = async (): Promise<unknown> => {
    count += 1;
    return client.send(
      new PutObjectCommand({ Bucket: bucket, Key: `single-${inFlight}/${count}.json`, Body: line }),
    );
  };
  const blocks = {
    single: async () => measure(inFlight, 2500, put),
    shared: async () =>
      measure(inFlight, inFlight === 64 ? 40_000 : 100_000, async () => logger.log(interaction)),
  };
  const pairs: { readonly single: Figures; readonly shared: Figures }[] = [];
  for (let at = 0; at <= PAIRS; at += 1) {
    if (at % 2 === 0) {
      const single = await blocks.single();
      pairs.push({ single, shared: await blocks.shared() });
    } else {
      const shared = await blocks.shared();
      pairs.push({ single: await blocks.single(), shared });
    }
  }
  await logger.close();
  const [warmUp, ...counted] = pairs;
  print(
    `one object an entry, ${inFlight} in flight`,
    counted.map(({ single }) => single),
  );
  print(
    `S3Storage, ${inFlight} in flight`,
    counted.map(({ shared }) => shared),
  );
  const faster = counted.map(({ single, shared }) => shared.perSecond / single.perSecond);
  const fewer = median(
    counted.map(({ single, shared }) => single.requestsPerEntry / shared.requestsPerEntry),
  );
  const thrifty = median(
    counted.map(({ single, shared }) => single.cpuMicrosPerEntry / shared.cpuMicrosPerEntry),
  );
  console.log(
    `  ${spread(faster, 1)} times as many entries: ${faster.map((ratio) => ratio.toFixed(1)).join(" ")}`,
  );
  console.log(
    `  ${fewer.toFixed(1)} times fewer requests, ${thrifty.toFixed(1)} times less CPU of the client, ${load()}`,
  );
  if (warmUp)
    console.log(
      `  not counted: ${(warmUp.shared.perSecond / warmUp.single.perSecond).toFixed(1)} times, in the pair that warms up\n`,
    );
  ok &&= median(faster) >= 10 && fewer >= 20;
}

const logger = new AuditLogger(new S3Storage({ bucket, prefix: "many", client, signer }));
const ids: string[] = [];
await measure(512, 100_000, async () => ids.push(await logger.log(interaction)));
const finding: number[] = [];
const times: number[] = [];
for (let at = 0; at < ids.length; at += 397) {
  sent.clear();
  const start = performance.now();
  const entry = await logger.getEntry(ids[at] ?? "");
  times.push(performance.now() - start);
  finding.push(requests());
  if (entry === undefined) throw new Error(`${ids[at]} was not found`);
}
const most = Math.max(...finding);
console.log(
  `getEntry() among 100,000: ${spread(finding)} requests, median ${median(times).toFixed(1)} ms (${finding.length} ids)`,
);
sent.clear();
const start = performance.now();
const counted = await logger.count();
console.log(
  `count(): ${counted} in ${(performance.now() - start).toFixed(0)} ms with ${requests()} requests`,
);
await logger.close();
sent.clear();
const begun = performance.now();
const { verdict } = await verifyLog(`s3://${bucket}/many`, {
  trustedKeys: [signer.vkey],
  s3: { client },
});
console.log(
  `verifyLog(): ${(performance.now() - begun).toFixed(0)} ms with ${requests()} requests: ${verdict}\n`,
);

let bytesPerEntry = 0;
for (const inFlight of [64, 512]) {
  const [entriesPerBlock, log] = [40_000, join(folder, `log-${inFlight}`)];
  const archive = new S3Archive({ bucket, prefix: `shipped-${inFlight}`, client });
  const local = new AuditLogger(new FileStorage({ path: log, signer, archive }));
  const blocks: Figures[] = [];
  sent.clear();
  const shipping = new Map<string, number>();
  const note = (): void => {
    for (const [name, count] of sent) shipping.set(name, (shipping.get(name) ?? 0) + count);
    sent.clear();
  };
  for (let at = 0; at <= PAIRS; at += 1) {
    blocks.push(await measure(inFlight, entriesPerBlock, async () => local.log(interaction)));
    note();
  }
  const closing = performance.now();
  await local.close();
  note();
  const seconds = ((performance.now() - closing) / 1000).toFixed(1);
  const bytes = Number(execFileSync("du", ["-sb", log], { encoding: "utf8" }).split("\t")[0]);
  bytesPerEntry = bytes / (entriesPerBlock * blocks.length);
  print(`FileStorage, archive, ${inFlight} in flight`, blocks.slice(1));
  console.log(
    `  ${(bytes / 1e6).toFixed(0)} MB, ${bytesPerEntry.toFixed(0)} bytes an entry; the rest was shipped in ${seconds} s`,
  );
  console.log(
    `  shipped with ${[...shipping].map(([name, count]) => `${count} ${name}`).join(", ")}\n`,
  );
}

const size = bytesPerEntry.toFixed(0);
console.log(
  `${size} bytes an entry, an answer of the bucket in ${ANSWER_SECONDS * 1000} ms (assumed):`,
);
const figure = (value: number): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 2 : 0 });
console.table(
  costs(bytesPerEntry, ANSWER_SECONDS).map((cost) =>
    Object.fromEntries(
      Object.entries(cost).map(([name, value]) => [
        name,
        typeof value === "number" ? figure(value) : value,
      ]),
    ),
  ),
);
ok &&= most <= 3;
console.log(ok ? "\nwithin the targets" : "\nNOT within the targets");
process.exitCode = ok ? 0 : 1;
