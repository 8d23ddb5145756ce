import { PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import type { Pin, Verification } from "../../../src/verify/verification.ts";
import { dayOf } from "../../../src/storage/s3/keys.ts";
import { testEntry } from "../../../src/testing.ts";
import { appendCommits, S3Log } from "../../support/s3-log.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type S3Server, s3Server } from "@ai-audit/test-support/s3-servers";

const DAY_MS = 86_400_000;

function isEnd(key: string): boolean {
  return key.includes("/control_");
}

function states({ files }: Verification): string[] {
  return files.map(({ state }) => state);
}

function messages({ files }: Verification): string {
  return files.flatMap(({ problems }) => problems.map(({ message }) => message)).join("\n");
}

describe.skipIf(isLeftOut("ceph"))("verifyLog('s3://bucket/prefix')", { timeout: 60_000 }, () => {
  let server: S3Server;
  let log: S3Log;
  let keys: string[];

  beforeAll(async () => {
    server = await s3Server("ceph");
  }, 120_000);

  /** One closed stream: commits of 1, 3, 1, 2 and 1 entries, and the end. */
  async function closedLog(options?: { readonly withObjectLock?: boolean }): Promise<void> {
    log = await S3Log.make(server, options);
    const storage = log.storage();
    await appendCommits(storage, [1, 3, 1, 2, 1]);
    await storage.close();
    // By its name the end may lie before the entries: it begins with the stream, a random text.
    keys = (await log.keys()).toSorted(
      (a, b) => Number(isEnd(a)) - Number(isEnd(b)) || (a < b ? -1 : 1),
    );
  }

  it("proves a closed stream: exit code 0, all entries, sealed by the key given", async () => {
    await closedLog();
    const verification = await log.verify();
    expect(verification).toMatchObject({ exitCode: 0, entries: 8 });
    expect(states(verification)).toEqual(["OK"]);
    expect(verification.verdict).toMatch(/^OK: 8 entries in 1 file; sealed by test/);
    expect(keys).toHaveLength(6);
  });

  it("says OPEN while the stream goes on, also between its commits", async () => {
    log = await S3Log.make(server);
    const storage = log.storage();
    await appendCommits(storage, [2, 1]);
    expect(await log.verify()).toMatchObject({
      exitCode: 0,
      entries: 3,
      files: [{ state: "OPEN" }],
    });
    await storage.close();
  });

  it("says UNCLOSED for a stream of an earlier day that never ended", async () => {
    log = await S3Log.make(server);
    await appendCommits(log.storage(), [2], Date.now() - 2 * DAY_MS);
    expect(await log.verify()).toMatchObject({
      exitCode: 2,
      entries: 2,
      files: [{ state: "UNCLOSED" }],
    });
  });

  it("does not take a key from the log itself, and says so where nothing is signed", async () => {
    await closedLog();
    expect(await log.verify({ trustedKeys: [] })).toMatchObject({
      exitCode: 2,
      files: [{ state: "UNKNOWN_KEY" }],
    });
    const { bucket, client } = log;
    const { S3Storage } = await import("../../../src/storage/s3/index.ts");
    const unsigned = new S3Storage({ bucket, client, prefix: `${log.prefix}unsigned` });
    await appendCommits(unsigned, [1]);
    await unsigned.close();
    const { verifyLog } = await import("../../../src/log/verify-log.ts");
    const verification = await verifyLog(unsigned.location, { s3: { client } });
    expect(verification).toMatchObject({ exitCode: 2, entries: 1, files: [{ state: "UNSIGNED" }] });
  });

  it("names a deleted object by what the next one says, and says how much cannot be checked without it", async () => {
    await closedLog();
    await log.remove(keys[2] ?? "");
    const verification = await log.verify();
    expect(verification.exitCode).toBe(1);
    expect(states(verification)).toEqual(["MISSING"]);
    expect(verification.verdict).toContain(keys[2]);
    expect(messages(verification)).toContain("leaves 5 to 5 are gone");
    expect(messages(verification)).toContain("3 later objects cannot be checked");
  });

  it("finds that a stream's first object is gone", async () => {
    await closedLog();
    await log.remove(keys[0] ?? "");
    const verification = await log.verify();
    expect(verification.exitCode).toBe(1);
    expect(verification.verdict).toContain(keys[0]);
  });

  it("names an object that was overwritten, and the entry in it", async () => {
    await closedLog();
    const key = keys[2] ?? "";
    const { body, metadata } = await log.read(key);
    await log.write(key, body.replace('"safety_passed":true', '"safety_passed":false'), metadata);
    const verification = await log.verify();
    expect(verification.exitCode).toBe(1);
    expect(states(verification)).toEqual(["TAMPERED"]);
    expect(verification.verdict).toContain(`${key}: `);
  });

  it("finds two objects whose bodies were swapped", async () => {
    await closedLog();
    const [first, second] = [await log.read(keys[1] ?? ""), await log.read(keys[3] ?? "")];
    await log.write(keys[1] ?? "", second.body, first.metadata);
    await log.write(keys[3] ?? "", first.body, second.metadata);
    const verification = await log.verify();
    expect(states(verification)).toEqual(["TAMPERED"]);
    expect(messages(verification)).toContain(keys[1]);
    expect(messages(verification)).toContain(keys[3]);
  });

  it("finds two objects that were swapped with all that they say about themselves", async () => {
    await closedLog();
    const [first, second] = [await log.read(keys[1] ?? ""), await log.read(keys[3] ?? "")];
    await log.write(keys[1] ?? "", second.body, second.metadata);
    await log.write(keys[3] ?? "", first.body, first.metadata);
    const verification = await log.verify();
    expect(verification.exitCode).toBe(1);
    expect(states(verification)).toEqual(["TAMPERED"]);
    expect(messages(verification)).toContain(
      `${keys[1]}: its place is ${keys[3]}: an object under another name`,
    );
  });

  it("finds an object that was copied under another name", async () => {
    await closedLog();
    const [single] = await appendCommits(log.storage(), [1]);
    const copy = `${dayOf(Date.now())}/${testEntry(Date.now()).id}.json`;
    await log.copy(`${dayOf(Date.now())}/${single?.id}.json`, copy);
    const verification = await log.verify();
    expect(verification.exitCode).toBe(1);
    expect(states(verification)).toContain("FORK");
    expect(messages(verification)).toContain(copy);
  });

  it("reads an object that nothing seals as foreign", async () => {
    await closedLog();
    await log.write(
      `${dayOf(Date.now())}/6790d599-2aea-4eef-8fd2-0688895b5eb3.json`,
      testEntry(Date.now()).line,
    );
    await log.write(
      `${dayOf(Date.now())}/${testEntry(Date.now()).id}.json`,
      testEntry(Date.now()).line,
    );
    const verification = await log.verify();
    expect(verification).toMatchObject({ exitCode: 2, entries: 8 });
    expect(states(verification)).toEqual(["OK", "FOREIGN"]);
    expect(verification.files[1]).toMatchObject({ entries: 2 });
  });

  it("finds entries that were cut off at the end by a pin, or by a stream that saw them", async () => {
    log = await S3Log.make(server);
    const first = log.storage();
    await appendCommits(first, [1, 1, 1]);
    const [, , newest = ""] = await log.keys();
    const pins = (await log.verify()).files.flatMap(({ head }) => head ?? []);
    const second = log.storage();
    await appendCommits(second, [1]);
    await second.close();
    expect(await log.verify({ pins })).toMatchObject({ exitCode: 0, anchoredTo: { size: 4 } });
    await log.remove(newest);
    expect(states(await log.verify())).toContain("ROLLBACK");
    expect((await log.verify({ pins })).exitCode).toBe(1);
  });

  it("misses a whole stream that another one saw", async () => {
    log = await S3Log.make(server);
    const first = log.storage();
    await appendCommits(first, [2]);
    await first.close();
    const gone = await log.keys();
    const second = log.storage();
    await appendCommits(second, [2]);
    await second.close();
    expect((await log.verify()).exitCode).toBe(0);
    for (const key of gone) await log.remove(key);
    const verification = await log.verify();
    expect(verification.exitCode).toBe(1);
    expect(states(verification).toSorted()).toEqual(["MISSING", "OK"]);
    expect(messages(verification)).toContain("the file is gone");
  });

  it("reads a delete marker: what was deleted when, and which version still has it", async () => {
    await closedLog({ withObjectLock: true });
    await log.remove(keys.at(-2) ?? ""); // near the end, where without a marker nothing would be known
    const verification = await log.verify();
    expect(verification.exitCode).toBe(1);
    expect(states(verification)).toEqual(["MISSING"]);
    expect(verification.verdict).toContain(`${keys.at(-2)} was deleted (marker of `);
  });

  it("says since when an object is another one, where the bucket keeps versions", async () => {
    await closedLog();
    const { client, bucket } = log;
    await client.send(
      new PutBucketVersioningCommand({
        Bucket: bucket,
        VersioningConfiguration: { Status: "Enabled" },
      }),
    );
    const key = keys[2] ?? "";
    const { body, metadata } = await log.read(key);
    await log.write(key, body.replace('"alerts":[]', '"alerts":["x"]'), metadata);
    const verification = await log.verify();
    expect(states(verification)).toEqual(["TAMPERED"]);
    expect(messages(verification)).toContain(`${key} was overwritten with other bytes (20`);
  });

  /** A day of 40 days ago that was removed and is still there behind markers, and a pin of it. */
  async function hiddenDay(): Promise<{ pins: Pin[]; hidden: string[] }> {
    log = await S3Log.make(server, { withObjectLock: true });
    const old = log.storage();
    await appendCommits(old, [1, 2], Date.now() - 40 * DAY_MS);
    await old.close();
    const hidden = await log.keys();
    const pins = (await log.verify()).files.flatMap(({ head }) => head ?? []);
    const saved = await Promise.all(hidden.map(async (key) => ({ key, ...(await log.read(key)) })));
    const storage = log.storage();
    const now = Date.now();
    await storage.prune({ before: now - 30 * DAY_MS, policy: "30 days", actor: "cron", now });
    await storage.close();
    // Clean-up deletes versions too, where they are not locked. Here they stay behind markers.
    for (const { key, body, metadata } of saved) await log.write(key, body, metadata);
    for (const { key } of saved) await log.remove(key);
    return { pins, hidden };
  }

  describe("a day that clean-up removed from a bucket that keeps versions", () => {
    it.each([
      ["without a rule or a pin", {}, false, 0, "PRUNED", "removed by cron under '30 days'"],
      ["pinned and without a rule", {}, true, 2, "UNANCHORED", "1 file removed by cron"],
      ["pinned, within the rule", { retention: [{ days: 30 }] }, true, 0, "PRUNED", "anchored to"],
      ["against the rule", { retention: [{ days: 90 }] }, false, 1, "MISSING", "keeps files 90"],
      [
        "not read, as requested",
        { withoutVersions: true },
        false,
        0,
        "PRUNED",
        "versions of objects were not",
      ],
    ] as const)("%s", async (_, options, isPinned, exitCode, state, says) => {
      const { pins } = await hiddenDay();
      const given = isPinned ? { pins } : {};
      const verification = await log.verify({ ...options, ...given });
      const text = `${verification.verdict}\n${messages(verification)}`;
      expect({ exitCode: verification.exitCode, states: states(verification), text }).toEqual({
        exitCode,
        states: [state, "OK"],
        text: expect.stringContaining(says) as string,
      });
    });

    it("is TAMPERED where other bytes were put over it", async () => {
      const { hidden } = await hiddenDay();
      await log.write(hidden[0] ?? "", "{}");
      const verification = await log.verify();
      expect(verification.exitCode).toBe(1);
      expect(messages(verification)).toContain("was overwritten with other bytes");
    });
  });

  it("is TAMPERED where the same bytes were put into another segment, under a key's new metadata", async () => {
    log = await S3Log.make(server, { withObjectLock: true });
    const storage = log.storage();
    await appendCommits(storage, [1, 1]);
    await storage.close();
    const other = log.storage();
    await appendCommits(other, [1]);
    await other.close();
    const single = (await log.keys()).filter((key) => key.endsWith(".json"));
    const [first = "", , third = ""] = single;
    const { body } = await log.read(first);
    await log.write(first, body, (await log.read(third)).metadata);
    const verification = await log.verify();
    expect(verification.exitCode).toBe(1);
    expect(messages(verification)).toContain(`${first} was overwritten with other metadata (20`);
  });

  it("says PRUNED for days that cleanupExpired() removed, also where it was broken off", async () => {
    log = await S3Log.make(server);
    const old = log.storage();
    await appendCommits(old, [1, 2, 1], Date.now() - 40 * DAY_MS);
    await old.close();
    const kept = (await log.keys()).slice(1, 2);
    const saved = await log.read(kept[0] ?? "");
    const storage = log.storage();
    const now = Date.now();
    expect(
      await storage.prune({ before: now - 30 * DAY_MS, policy: "30 days", actor: "test", now }),
    ).toMatchObject({
      entries: 4,
    });
    await storage.close();
    const verification = await log.verify();
    expect(verification.exitCode).toBe(0);
    expect(states(verification).toSorted()).toEqual(["OK", "PRUNED"]);
    await log.write(kept[0] ?? "", saved.body, saved.metadata);
    const broken = await log.verify();
    expect(broken.exitCode).toBe(0);
    expect(states(broken).toSorted()).toEqual(["OK", "PRUNED"]);
  });

  it("takes what the bucket's own rule removed as removed only where the log says that there is such a rule", async () => {
    for (const [expiresDays, wanted] of [
      [30, "PRUNED"],
      [undefined, "MISSING"],
    ] as const) {
      log = await S3Log.make(server);
      const storage = log.storage({ ...(expiresDays !== undefined && { expiresDays }) });
      await appendCommits(storage, [2], Date.now() - 40 * DAY_MS);
      const gone = await log.keys();
      await appendCommits(storage, [2], Date.now() - 20 * DAY_MS);
      await storage.close();
      for (const key of await log.keys())
        if (key.slice(0, 10) === gone[0]?.slice(0, 10)) await log.remove(key);
      const verification = await log.verify();
      expect(verification.exitCode).toBe(wanted === "PRUNED" ? 0 : 1);
      expect(states(verification).toSorted()).toEqual([wanted, "OK"].toSorted());
    }
  });

  it("cannot verify a prefix without a log, or a bucket that is not there", async () => {
    log = await S3Log.make(server);
    expect(await log.verify()).toMatchObject({
      exitCode: 3,
      verdict: expect.stringContaining("there is no log here"),
    });
    const { verifyLog } = await import("../../../src/log/verify-log.ts");
    const missing = await verifyLog("s3://no-such-bucket-here/x", {
      s3: { client: server.client() },
    });
    expect(missing).toMatchObject({
      exitCode: 3,
      verdict: expect.stringMatching(/^NOT VERIFIED: /),
      failure: "NoSuchBucket",
    });
  });
});
