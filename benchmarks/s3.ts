// S3Storage beside one object an entry (the Python original's way), on the same server; and finding one entry among many.
//
//   node --conditions=ai-audit-source benchmarks/s3.ts          starts Ceph's radosgw (scripts/install-s3-servers.sh)
//   node --conditions=ai-audit-source benchmarks/s3.ts URL      any server with the keys test/testtest
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AuditLogger, FileStorage, Signer, verifyLog } from "@ai-audit/core";
import { S3Archive, S3Storage } from "@ai-audit/core/s3";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

const script = fileURLToPath(new URL("../scripts/ceph-s3.sh", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ai-audit-bench-"));
const port = 7480;
const [given] = process.argv.slice(2);
if (given === undefined) execFileSync(script, ["start", join(folder, "ceph"), String(port)]);
const endpoint = given ?? `http://127.0.0.1:${port}`;

let requests = 0;
const client = new S3Client({
  region: "us-east-1",
  endpoint,
  forcePathStyle: true,
  credentials: { accessKeyId: "test", secretAccessKey: "testtest" },
  requestHandler: { httpAgent: { maxSockets: 512 } },
});
client.middlewareStack.add(
  (next) => async (args) => {
    requests += 1;
    return next(args);
  },
  { step: "finalizeRequest", priority: "low" }, // behind the retries: counts what is really sent
);
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
}

/** Runs `write` over and over in some lanes at once. */
async function measure(inFlight: number, entries: number, write: () => Promise<unknown>): Promise<Figures> {
  requests = 0;
  const start = performance.now();
  let left = entries;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await write();
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - start) / 1000;
  return { perSecond: entries / seconds, requestsPerEntry: requests / entries };
}

function print(name: string, { perSecond, requestsPerEntry }: Figures): void {
  const rate = Math.round(perSecond).toLocaleString("en-US").padStart(7);
  console.log(`${name.padEnd(48)} ${rate} entries/s   ${requestsPerEntry.toFixed(4)} requests an entry`);
}

console.log(`Node ${process.version}, ${endpoint}\n`);
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
  const single = await measure(inFlight, 2000, () =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key: `single-${inFlight}/${(count += 1)}.json`, Body: line })),
  );
  print(`one object an entry, ${inFlight} in flight`, single);
  const logger = new AuditLogger(new S3Storage({ bucket, prefix: `shared-${inFlight}`, client, signer }));
  await logger.log(interaction);
  const shared = await measure(inFlight, inFlight * 100, () => logger.log(interaction));
  await logger.close();
  print(`S3Storage, ${inFlight} in flight`, shared);
  const faster = shared.perSecond / single.perSecond;
  const fewer = single.requestsPerEntry / shared.requestsPerEntry;
  console.log(`  ${faster.toFixed(1)} times as many entries, ${fewer.toFixed(1)} times fewer requests\n`);
  ok &&= faster >= 10 && fewer >= 20;
}

const logger = new AuditLogger(new S3Storage({ bucket, prefix: "many", client, signer }));
const ids: string[] = [];
const filled = await measure(512, 100_000, async () => ids.push(await logger.log(interaction)));
print("100,000 entries, 512 in flight", filled);
const costs: number[] = [];
const times: number[] = [];
for (let at = 0; at < ids.length; at += 397) {
  requests = 0;
  const start = performance.now();
  const entry = await logger.getEntry(ids[at] ?? "");
  times.push(performance.now() - start);
  costs.push(requests);
  if (entry === undefined) throw new Error(`${ids[at]} was not found`);
}
times.sort((a, b) => a - b);
const most = Math.max(...costs);
const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
const median = times[Math.floor(times.length / 2)] ?? 0;
console.log(
  `getEntry among 100,000: ${mean.toFixed(2)} requests, at most ${most}; median ${median.toFixed(1)} ms (${costs.length} ids)`,
);
requests = 0;
const start = performance.now();
const counted = await logger.count();
console.log(`count(): ${counted} in ${(performance.now() - start).toFixed(0)} ms with ${requests} requests`);
await logger.close();
requests = 0;
const begun = performance.now();
const { verdict } = await verifyLog(`s3://${bucket}/many`, { trustedKeys: [signer.vkey], s3: { client } });
console.log(`verifyLog(): ${(performance.now() - begun).toFixed(0)} ms with ${requests} requests: ${verdict}\n`);

const archive = new S3Archive({ bucket, prefix: "shipped", client });
const local = new AuditLogger(new FileStorage({ path: join(folder, "log"), signer, archive }));
const written = await measure(512, 300_000, () => local.log(interaction));
print("FileStorage with an archive, 512 in flight", written);
requests = 0;
const closing = performance.now();
await local.close();
const bytes = Number(execFileSync("du", ["-sb", join(folder, "log")], { encoding: "utf8" }).split("\t")[0]);
const seconds = ((performance.now() - closing) / 1000).toFixed(1);
console.log(
  `${(bytes / 1e6).toFixed(0)} MB, ${(bytes / 300_000).toFixed(0)} bytes an entry; the rest was shipped in ${seconds} s\n`,
);
if (given === undefined) execFileSync(script, ["stop", join(folder, "ceph")]);
rmSync(folder, { recursive: true });
ok &&= most <= 3;
console.log(ok ? "\nwithin the targets" : "\nNOT within the targets");
process.exitCode = ok ? 0 : 1;
