import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  GetObjectRetentionCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { AuditLogger } from "../../../src/log/logger.ts";
import { newEntryId } from "../../../src/format/id.ts";
import { dayOf } from "../../../src/storage/s3/keys.ts";
import { testEntry } from "../../../src/testing.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { FaultProxy } from "@ai-audit/test-support/fault-proxy";
import { appendCommits, S3Log } from "../../support/s3-log.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type S3Server, s3Server, serverAt } from "@ai-audit/test-support/s3-servers";
import { times } from "@ai-audit/test-support/soak";

const WRITER = fileURLToPath(new URL("../../support/s3-writer.ts", import.meta.url));

/** An entry as the Python original stores it, but for fields that do not matter here. */
function original(id: string, timestamp: string): string {
  return JSON.stringify({
    id,
    timestamp,
    input_hash: "a",
    output_hash: "b",
    provider: "openai",
    metadata: { n: 1 },
  });
}

describe.skipIf(isLeftOut("ceph"))("Writers of one prefix", { timeout: 120_000 }, () => {
  let server: S3Server;

  beforeAll(async () => {
    server = await s3Server("ceph");
  }, 120_000);

  it("are four processes at a time: every entry is there, in order, and the verdict is clean", async () => {
    const log = await S3Log.make(server);
    const each = times(200, 1000);
    const args = [WRITER, server.endpoint, log.bucket, log.prefix, log.signer.toPem(), `${each}`];
    const run = promisify(execFile);
    const outputs = await Promise.all([1, 2, 3, 4].map(() => run(process.execPath, args)));
    const ids = outputs.flatMap(({ stdout }) => stdout.trim().split("\n")).toSorted();
    expect(new Set(ids).size).toBe(4 * each);
    const logger = new AuditLogger(log.storage());
    const entries = await Array.fromAsync(logger.entries());
    expect(entries.map(({ id }) => id)).toEqual(ids);
    expect(await logger.count()).toBe(4 * each);
    const verification = await log.verify();
    expect(verification).toMatchObject({ exitCode: 0, entries: 4 * each });
    expect(verification.files.map(({ state }) => state)).toEqual(["OK", "OK", "OK", "OK"]);
    const keys = await log.keys();
    expect(keys.length).toBeLessThan((4 * each) / 5);
    await logger.close();
  });

  it("put a single entry where the original puts it, as its line and nothing else", async () => {
    const log = await S3Log.make(server);
    const logger = new AuditLogger(log.storage());
    const id = await logger.log({
      input: "Hello!",
      output: "Hi.",
      provider: "openai",
      model: "gpt-5",
    });
    const key = `${dayOf(Date.now())}/${id}.json`;
    expect(await log.keys()).toEqual([key]);
    const { body, metadata } = await log.read(key);
    expect(JSON.parse(body)).toMatchObject({
      id,
      provider: "openai",
      model: "gpt-5",
      input_content: null,
    });
    expect(body).not.toContain("\n");
    expect(metadata).toMatchObject({
      "audit-stream": logger.storage.stream,
      "audit-leaf": "0",
      "audit-entries": "1",
    });
    expect(Buffer.from(metadata["audit-checkpoint"] ?? "", "base64").toString()).toMatch(
      new RegExp(`^test/${logger.storage.stream}/audit_\\d{8}_${logger.storage.stream}_0\n2\n`),
    );
    await logger.close();
  });

  it("read what the original wrote into the same prefix, also where it is printed over several lines", async () => {
    const log = await S3Log.make(server);
    const ids = ["f2c0a7f6-4c3e-4f0e-9d55-0f6ad0a9c1d2", "0178c1f0-1e4b-4a57-8f0e-53a2c54f6a11"];
    await log.write(
      `2024-02-29/${ids[0]}.json`,
      original(ids[0] ?? "", "2024-02-29T23:59:59.999999"),
    );
    await log.write(
      `2024-03-01/${ids[1]}.json`,
      JSON.stringify(
        JSON.parse(original(ids[1] ?? "", "2024-03-01T00:00:00.000001")),
        undefined,
        2,
      ),
    );
    const logger = new AuditLogger(log.storage());
    const ours = await logger.log({ input: "a", output: "b" });
    const all = await Array.fromAsync(logger.entries());
    expect(all.map(({ id }) => id)).toEqual([...ids, ours]);
    expect(await logger.getEntry(ids[1] ?? "")).toMatchObject({
      timestamp: "2024-03-01T00:00:00.000001Z",
      metadata: { n: 1 },
    });
    const leapDay = await logger.getEntries(
      new Date("2024-02-29T00:00:00Z"),
      new Date("2024-02-29T23:59:59.999Z"),
    );
    expect(leapDay.map(({ id }) => id)).toEqual([ids[0]]);
    expect(
      await logger.count({
        from: new Date("2024-02-01T00:00:00Z"),
        to: new Date("2024-03-01T23:59:59.999Z"),
      }),
    ).toBe(2);
    expect(await logger.count()).toBe(3);
    await logger.close();
  });

  it("find an entry of a busy prefix in at most three requests", async () => {
    const log = await S3Log.make(server);
    const storage = log.storage();
    const start = Date.now() - 60_000;
    const entries = [];
    for (let second = 0; second < 40; second += 1)
      entries.push(...(await appendCommits(storage, [1, 50], start + second * 500)));
    const proxy = await FaultProxy.start(server.endpoint);
    const reader = log.storage({ client: serverAt(proxy.endpoint).client() });
    for (const { id, line } of entries.filter((_, index) => index % 97 === 0)) {
      proxy.seen.length = 0;
      expect(await reader.get(id)).toBe(line);
      expect(proxy.seen.length).toBeLessThanOrEqual(3);
    }
    await storage.close();
  });

  it("find a key taken by other bytes: a new stream begins, nothing is lost, and the verifier sees the intruder", async () => {
    const log = await S3Log.make(server);
    const storage = log.storage();
    const [first] = await appendCommits(storage, [1]);
    const single = testEntry(Date.now());
    const many = [testEntry(Date.now()), testEntry(Date.now())];
    await log.write(`${dayOf(Date.now())}/${single.id}.json`, "something else");
    await log.write(`${dayOf(Date.now())}/${many[0]?.id}.jsonl`, "something else");
    await storage.append(single.line, single.id);
    await Promise.all(many.map(({ line, id }) => storage.append(line, id)));
    await storage.close();
    for (const entry of [first, single, ...many])
      expect(await storage.get(entry?.id ?? "")).toBe(entry?.line);
    const lines = (await Array.fromAsync(storage.pages({}, "oldest-first"))).flat();
    expect(lines).toEqual([first, single, ...many].map((entry) => entry?.line));
    const verification = await log.verify();
    expect(verification.entries).toBe(4);
    expect(verification.files.map(({ state }) => state).toSorted()).toEqual([
      "FOREIGN",
      "OK",
      "OPEN",
    ]);
  });

  it("share objects within the bounds given: entries, bytes, and a delay that flush() cuts short", async () => {
    const log = await S3Log.make(server);
    const storage = log.storage({ commit: { maxEntries: 10, maxDelayMs: 1000 } });
    const entries = Array.from({ length: 25 }, () => testEntry(Date.now()));
    const appended = Promise.all(entries.map(({ line, id }) => storage.append(line, id)));
    await storage.flush();
    await appended;
    const keys = await log.keys();
    expect(keys).toHaveLength(3);
    const counts = await Promise.all(
      keys.map(async (key) => (await log.read(key)).metadata["audit-entries"]),
    );
    expect(counts).toEqual(["10", "10", "5"]);
    await storage.close();
    const small = log.storage({ commit: { maxBytes: 500 } });
    await appendCommits(small, [4]);
    await small.close();
    expect(await log.keys()).toHaveLength(3 + 1 + 4 + 1);
  });

  it("send a large entry in parts, and find it whole", async () => {
    const log = await S3Log.make(server);
    const storage = log.storage({ partBytes: 5 * 2 ** 20 });
    const large = testEntry(Date.now(), { metadata: { text: "ä".repeat(6 * 2 ** 20) } });
    await storage.append(large.line, large.id);
    await storage.close();
    expect(await storage.get(large.id)).toBe(large.line);
    expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 1 });
  });
});

describe.skipIf(isLeftOut("ceph"))(
  "With Object Lock in COMPLIANCE mode",
  { timeout: 60_000 },
  () => {
    it("an object cannot be deleted by anybody, nor can its lock be shortened", async () => {
      const log = await S3Log.make(await s3Server("ceph"), { withObjectLock: true });
      const storage = log.storage({ objectLock: { mode: "COMPLIANCE", days: 1 }, legalHold: true });
      const [entry] = await appendCommits(storage, [1]);
      await storage.close();
      const Key = `${log.prefix}${dayOf(Date.now())}/${entry?.id}.json`;
      const target = { Bucket: log.bucket, Key };
      const { Versions = [] } = await log.client.send(
        new ListObjectVersionsCommand({ Bucket: log.bucket, Prefix: Key }),
      );
      const VersionId = Versions[0]?.VersionId;
      expect(
        await rejected(log.client.send(new DeleteObjectCommand({ ...target, VersionId }))),
      ).toMatchObject({
        name: "AccessDenied",
      });
      const batch = new DeleteObjectsCommand({
        Bucket: log.bucket,
        Delete: { Objects: [{ Key, VersionId }] },
      });
      expect((await log.client.send(batch)).Errors).toMatchObject([{ Code: "AccessDenied" }]);
      const { Retention } = await log.client.send(new GetObjectRetentionCommand(target));
      expect(Retention?.Mode).toBe("COMPLIANCE");
      expect(
        Math.round(((Retention?.RetainUntilDate?.getTime() ?? 0) - Date.now()) / 3_600_000),
      ).toBe(24);
      const head = await log.client.send(new HeadObjectCommand(target));
      expect(head.ObjectLockLegalHoldStatus).toBe("ON");
      expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 1 });
    });

    it("cleanupExpired() says which object the server keeps, and removes the days that it lets go", async () => {
      const log = await S3Log.make(await s3Server("ceph"), { withObjectLock: true });
      const locked = log.storage({ objectLock: { mode: "COMPLIANCE", days: 1 } });
      const old = Date.now() - 40 * 86_400_000;
      await appendCommits(locked, [2], old);
      await locked.close();
      const storage = log.storage();
      await appendCommits(storage, [3], old - 86_400_000);
      const logger = new AuditLogger(storage, { retentionDays: 30 });
      expect(await rejected(logger.cleanupExpired())).toMatchObject({
        code: "AUDIT_WRITE_FAILED",
        message: expect.stringMatching(
          /^\d objects of \d{4}-\d\d-\d\d were not deleted; s3:\/\/.*: AccessDenied/,
        ),
      });
      expect(await logger.count()).toBe(2);
      await logger.close();
      expect((await log.verify()).files.map(({ state }) => state).toSorted()).toEqual([
        "OK",
        "OK",
        "PRUNED",
      ]);
    });
  },
);

describe.skipIf(isLeftOut("moto"))("Options for objects, on moto", { timeout: 60_000 }, () => {
  it("are passed on: server-side encryption, KMS key, storage class, lock", async () => {
    const server = await s3Server("moto");
    const log = await S3Log.make(server, { withObjectLock: true });
    const kmsKeyId = `arn:aws:kms:us-east-1:123456789012:key/${newEntryId()}`;
    const storage = log.storage({
      serverSideEncryption: { kmsKeyId },
      storageClass: "STANDARD_IA",
      objectLock: { mode: "GOVERNANCE", days: 2 },
    });
    await appendCommits(storage, [1]);
    const [key = ""] = await log.keys();
    const target = { Bucket: log.bucket, Key: log.prefix + key };
    expect(await log.client.send(new HeadObjectCommand(target))).toMatchObject({
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: kmsKeyId,
      StorageClass: "STANDARD_IA",
      ObjectLockMode: "GOVERNANCE",
    });
    const plain = log.storage({
      serverSideEncryption: "sse-s3",
      partBytes: 5 * 2 ** 20,
      prefix: `${log.prefix}b`,
    });
    const large = testEntry(Date.now(), { metadata: { text: "x".repeat(6 * 2 ** 20) } });
    await plain.append(large.line, large.id);
    const head = new HeadObjectCommand({
      Bucket: log.bucket,
      Key: `${log.prefix}b/${dayOf(Date.now())}/${large.id}.json`,
    });
    expect(await log.client.send(head)).toMatchObject({ ServerSideEncryption: "AES256" });
    expect(await plain.get(large.id)).toBe(large.line);
    await plain.close();
    await storage.close();
  });
});
