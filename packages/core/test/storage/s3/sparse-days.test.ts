// Logs in a bucket whose sessions lie days apart: no past day can vanish unseen.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type S3Server, s3Server } from "@ai-audit/test-support/s3-servers";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { placeHold } from "../../../src/log/holds.ts";
import { Signer } from "../../../src/seal/signer.ts";
import { appendCommits, S3Log } from "../../support/s3-log.ts";

const DAY_MS = 86_400_000;

describe.skipIf(isLeftOut("moto"))("sessions that lie days apart", { timeout: 60_000 }, () => {
  let server: S3Server;
  let log: S3Log;

  beforeAll(async () => {
    server = await s3Server("moto");
  }, 60_000);

  beforeEach(async () => {
    log = await S3Log.make(server);
    onTestFinished(() => void vi.useRealTimers());
  });

  /** Streams that are at work together, so many days ago, and end in order or not at all. */
  async function session(
    daysAgo: number,
    { streams = 1, isEnded = true, signer = log.signer, trustedKeys = new Array<string>() } = {},
  ): Promise<void> {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - daysAgo * DAY_MS });
    const storages = Array.from({ length: streams }, () => log.storage({ signer, trustedKeys }));
    for (const storage of storages) await appendCommits(storage, [1, 1], Date.now());
    for (const storage of storages) if (isEnded) await storage.close();
    vi.useRealTimers();
  }

  async function removeDay(at: number): Promise<string> {
    const keys = await log.keys();
    const day = [...new Set(keys.map((key) => key.slice(0, 10)))].toSorted().at(at) ?? "";
    for (const key of keys.filter((each) => each.startsWith(day))) await log.remove(key);
    return day.replaceAll("-", "");
  }

  it.each([
    { gaps: [5, 4, 3, 2], at: 1 },
    { gaps: [200, 90, 1], at: 0 },
  ])("of $gaps days ago: the day at $at is missed", async ({ gaps, at }) => {
    for (const gap of gaps) await session(gap);
    expect(await log.verify()).toMatchObject({ exitCode: 0 });
    const day = await removeDay(at);
    const { exitCode, files } = await log.verify();
    const missing = files.filter(({ state }) => state === "MISSING").map(({ file }) => file);
    expect(exitCode).toBe(1);
    expect(missing).toEqual([expect.stringContaining(`audit_${day}_`)]);
  });

  it("without an end: the day is missed, and its ends are told while it is there", async () => {
    await session(9, { isEnded: false });
    await session(3);
    const { exitCode, verdict } = await log.verify();
    expect({ exitCode, verdict }).toEqual({
      exitCode: 0,
      verdict: expect.stringContaining("1 file ended without its end (crash or cut)"),
    });
    await removeDay(0);
    expect(await log.verify()).toMatchObject({ exitCode: 1 });
  });

  it("of many streams: the first one of the next day records all that ended", async () => {
    await session(9, { streams: 12 });
    await session(3);
    await removeDay(0);
    const { files } = await log.verify();
    expect(files.filter(({ state }) => state === "MISSING")).toHaveLength(12);
  });

  it("under an earlier key: the new key records them where it is told to trust it", async () => {
    await session(9);
    const signer = await Signer.generate("test");
    await session(3, { signer, trustedKeys: [log.signer.vkey] });
    await removeDay(0);
    const trustedKeys = [log.signer.vkey, signer.vkey];
    expect(await log.verify({ trustedKeys })).toMatchObject({ exitCode: 1 });
  });

  it("with objects that somebody planted on the days between: they hide nothing", async () => {
    await session(9);
    for (const gap of [4, 5, 6]) {
      const day = new Date(Date.now() - gap * DAY_MS).toISOString().slice(0, 10);
      await log.write(`${day}/x/control_0_0.jsonl`, "{}\n");
    }
    await session(3);
    await removeDay(0);
    expect((await log.verify()).exitCode).toBe(1);
  });

  it("remove what is past retention without a false alarm, at the first, the second and the third clean-up", async () => {
    for (const gap of [400, 300, 200, 100, 0]) await session(gap);
    for (const days of [350, 250, 150]) {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
      const storage = log.storage();
      const now = Date.now();
      await storage.prune({ before: now - days * DAY_MS, policy: "retention", actor: "test", now });
      await storage.close();
      vi.useRealTimers();
      expect(await log.verify()).toMatchObject({ exitCode: 0 });
    }
  });

  it("of which a hold keeps one: what it recorded of removed ones stays explained, at every clean-up", async () => {
    const prune = async (daysAgo: number): Promise<void> => {
      const now = Date.now() - daysAgo * DAY_MS;
      vi.useFakeTimers({ toFake: ["Date"], now });
      const storage = log.storage();
      const before = now - 150 * DAY_MS;
      await storage.prune({ before, policy: "retention", actor: "test", now });
      await storage.close();
      vi.useRealTimers();
    };
    await session(400);
    await session(300);
    const { signer, client } = log;
    const from = new Date(Date.now() - 300.1 * DAY_MS);
    const to = new Date(Date.now() - 299.9 * DAY_MS);
    const by = { reason: "case 12", actor: "legal", signer, s3: { client } };
    await placeHold(`s3://${log.bucket}/${log.prefix}`, { ...by, from, to });
    await session(200);
    await prune(200); // the day 400 days ago goes; the held one has recorded it
    expect(await log.verify()).toMatchObject({ exitCode: 0 });
    await session(10);
    await prune(10); // the line about it goes with its segment, and is carried on
    expect(await log.verify()).toMatchObject({ exitCode: 0 });
  });

  it("with a mark on the machine tell of objects that went while no writer was at work", async () => {
    const mark = await temporaryDirectory();
    const killed = log.storage({ mark });
    await appendCommits(killed, [1, 1, 1]);
    await expect.poll(async () => marksIn(mark), { timeout: 10_000 }).toContain('"size":4');
    const [, , newest = ""] = await log.keys();
    await log.remove(newest);
    const next = log.storage({ mark });
    await appendCommits(next, [1]);
    await expect
      .poll(async () => (await log.keys()).join(), { timeout: 10_000 })
      .toContain(`${next.stream}/control_0_2.jsonl`);
    await next.close();
    const { exitCode, files } = await log.verify();
    expect(exitCode).toBe(0);
    expect(JSON.stringify(files)).toContain("1 leaf that its writer remembered is gone");
    expect(await log.verify({ strict: true })).toMatchObject({ exitCode: 2 });
  });
});

async function marksIn(directory: string): Promise<string> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".json"));
  return (await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")))).join();
}
