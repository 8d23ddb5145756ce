import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { formatControlLine } from "../../../src/format/control-line.ts";
import { Signer } from "../../../src/seal/signer.ts";
import { type HoldOptions, listHolds, placeHold, releaseHold } from "../../../src/log/holds.ts";
import type { PruneResult } from "../../../src/storage/storage.ts";
import { appendCommits, S3Log } from "../../support/s3-log.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type S3Server, s3Server } from "@ai-audit/test-support/s3-servers";

const DAY_MS = 86_400_000;
const NOON = Math.floor(Date.now() / DAY_MS) * DAY_MS - 40 * DAY_MS + DAY_MS / 2;
const BY = { reason: "case 12/2026", actor: "legal@example.com" };

describe.skipIf(isLeftOut("moto"))("holds in a bucket", { timeout: 120_000 }, () => {
  let server: S3Server;

  beforeAll(async () => {
    server = await s3Server("moto");
  }, 120_000);

  /** A log with an entry on each of two days, forty days ago. */
  async function fresh(): Promise<{
    readonly log: S3Log;
    readonly location: string;
    readonly by: HoldOptions;
  }> {
    const log = await S3Log.make(server);
    for (const day of [0, 1]) {
      const storage = log.storage();
      await appendCommits(storage, [1], NOON + day * DAY_MS);
      await storage.close();
    }
    const by = { ...BY, signer: log.signer, s3: { client: log.client } };
    return { log, location: `s3://${log.bucket}/${log.prefix}`, by };
  }

  it("keep the days that they touch, until they are released, and the log verifies throughout", async () => {
    const { log, location, by } = await fresh();
    const day = { from: new Date(NOON), to: new Date(NOON) };

    const hold = await placeHold(location, { ...by, ...day });

    expect(await listHolds(location, { s3: { client: log.client } })).toMatchObject([
      {
        id: hold,
        from: day.from.toISOString(),
        to: day.to.toISOString(),
        ...BY,
        vkey: log.signer.vkey,
      },
    ]);
    expect(await prune(log)).toMatchObject({
      entries: 1,
      held: [dayOf(NOON)],
      expired: [
        {
          file: dayOf(NOON),
          entries: null,
          fate: "held",
          reason: `hold ${hold} by legal@example.com: case 12/2026`,
        },
        { file: dayOf(NOON + DAY_MS), entries: 1, fate: "removed" },
      ],
    });
    expect((await log.verify()).exitCode).toBe(0);
    await releaseHold(location, hold, by);
    expect(await listHolds(location, { s3: { client: log.client } })).toEqual([]);
    expect(await prune(log)).toMatchObject({ entries: 1, held: [] });
    expect((await log.verify()).exitCode).toBe(0);
  });

  it("stand years: the day that records one stays while it is in force", async () => {
    const { log, location, by } = await fresh();
    const placed = Date.now() - 35 * DAY_MS;
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ["Date"], now: placed });
    await placeHold(location, { ...by, from: new Date(NOON), to: new Date(NOON) });
    vi.useRealTimers();
    const { held } = await prune(log);
    expect(held).toEqual([dayOf(NOON), dayOf(placed)]);
  });

  it("are not ended by a release under another key, or under none, or by one that was planted", async () => {
    const { log, location, by } = await fresh();
    const hold = await placeHold(location, by);
    const other = { ...by, signer: await Signer.generate("other") };
    await releaseHold(location, hold, other);
    await expect(releaseHold(location, hold, { ...by, signer: undefined })).rejects.toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: `hold ${hold} was placed under a signing key: an unsigned release does not end it`,
    });
    const [own = ""] = (await log.keys()).filter((key) => key.includes("/control_0_0."));
    const { metadata } = await log.read(own);
    const release = formatControlLine({
      type: "retention.release",
      hold,
      ...BY,
      released: new Date().toISOString(),
    });
    await log.write(
      own.replace(/\/[^/]+\/control/, "/AAAAAAAAAAAAAAAA/control"),
      `${release}\n`,
      metadata,
    );
    const planted = `${own.slice(0, 10)}/BBBBBBBBBBBBBBBB/control_0_0.jsonl`;
    await log.write(planted, `{"type":"segment.open"}\n${release}\n`);

    expect(await listHolds(location, by)).toMatchObject([{ id: hold }]);
    expect(await prune(log)).toMatchObject({ entries: 0, files: [] });
  });

  it("can be released under the log's own key, whoever placed them", async () => {
    const { log, location, by } = await fresh();
    const other = { ...by, signer: await Signer.generate("other") };
    const hold = await placeHold(location, other);
    await releaseHold(location, hold, by);
    const s3 = { client: log.client };
    expect(await listHolds(location, { s3, vkey: log.signer.vkey })).toEqual([]);
    expect(await listHolds(location, { s3 })).toMatchObject([{ id: hold }]);
  });

  it("cannot be released where they are not in force, and are not read where there is no bucket", async () => {
    const { log, location, by } = await fresh();
    await expect(releaseHold(location, "none", by)).rejects.toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: "no hold none is in force",
    });
    await expect(
      listHolds("s3://no-such-bucket/x", { s3: { client: log.client } }),
    ).rejects.toMatchObject({
      code: "AUDIT_READ_FAILED",
      message: "the holds could not be read: The specified bucket does not exist",
    });
  });
});

async function prune(log: S3Log): Promise<PruneResult> {
  const now = Date.now();
  const storage = log.storage();
  const result = await storage.prune({
    before: now - 30 * DAY_MS,
    policy: "30 days",
    actor: "test",
    now,
  });
  await storage.close();
  return result;
}

function dayOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 10)}/`;
}
