// pnpm clickhouse: runs our statements for ClickHouse in ClickHouse, over a bucket with a log that
// was written directly and one that was shipped. ClickHouse comes as the npm package chdb (566 MB),
// which is installed beside the work folder once. Athena is a service of AWS: it cannot be run
// here.
import assert from "node:assert/strict";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AuditLogger, FileStorage, Signer } from "@ai-audit/core";
import { S3Archive, S3Storage } from "@ai-audit/core/s3";
import { clickhouseDdl } from "@ai-audit/core/sql";
import { run } from "./run.ts";
import { startS3Server } from "./servers.ts";

const BUCKET = "clickhouse";
const PREFIX = "audit/";
const PROGRAM = "clickhouse.mjs";

const work = join(tmpdir(), `ai-audit-consumers-${userInfo().uid}`, "clickhouse");
await mkdir(work, { recursive: true });
await cp(fileURLToPath(new URL(`../app/${PROGRAM}`, import.meta.url)), join(work, PROGRAM));
const dependencies = { chdb: "^3.4.0" };
await writeFile(join(work, "package.json"), JSON.stringify({ private: true, dependencies }));
await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline"], {
  cwd: work,
  timeoutSeconds: 540,
});

await using server = await startS3Server(BUCKET);
Object.assign(process.env, { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "testtest" });
const connection = {
  bucket: BUCKET,
  prefix: PREFIX,
  region: "us-east-1",
  endpoint: server.url,
};
const signer = await Signer.generate("clickhouse");
const direct = new AuditLogger(new S3Storage({ ...connection, signer }), { storeContent: true });
const archive = new S3Archive(connection);
const shipped = new AuditLogger(
  new FileStorage({ path: join(work, `log-${Date.now()}`), signer, archive }),
  {
    storeContent: true,
  },
);
const metadata = { team: "support" };
for (const logger of [direct, shipped]) {
  await logger.log({ input: "one", output: "1", model: "m", latencyMs: 12.5, metadata });
  await logger.log({ input: "two", output: "2", outcome: "blocked", safetyPassed: false });
  await logger.close();
}

const location = `s3://${BUCKET}/${PREFIX}`;
// The statements name AWS; here the same bucket lies elsewhere, and asks for keys.
const ddl = clickhouseDdl({ location }).replace(
  /S3\('https:\/\/clickhouse\.s3\.amazonaws\.com\/(.*?)', /,
  (_, path: string) => `S3('${server.url}/${BUCKET}/${path}', 'test', 'testtest', `,
);
assert.ok(ddl.includes(server.url), "the statements name the bucket as this script expects it");
const question = `SELECT count() AS entries, uniqExact(id) AS ids, countIf(safety_passed = false) AS flagged,
  countIf(outcome = 'blocked') AS blocked, sum(latency_ms) AS latency,
  countIf(JSONExtractString(metadata, 'team') = 'support') AS teams,
  countIf(recorded > now() - INTERVAL 1 HOUR AND recorded <= now() + INTERVAL 1 MINUTE) AS recent
FROM audit_entries;
`;
await writeFile(join(work, "statements.sql"), `${ddl}\n${question}`);
const answer = await run("sh", ["-c", `'${process.execPath}' ${PROGRAM} < statements.sql`], {
  cwd: work,
});
assert.deepEqual(
  Object.fromEntries(Object.entries(JSON.parse(answer) as object).map(([k, v]) => [k, Number(v)])),
  { entries: 4, ids: 4, flagged: 2, blocked: 2, latency: 25, teams: 2, recent: 4 },
);
console.log(
  "ClickHouse reads the bucket: 4 entries, written directly and shipped. Athena was not run.",
);
