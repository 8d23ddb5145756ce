// What clean-up in a bucket removes was the only record of what stays: it must be on record again
// before it goes.
import { describe, expect, it } from "vitest";
import { formatControlLine } from "../../../src/format/control-line.ts";
import { Signer } from "../../../src/seal/signer.ts";
import { listHolds, placeHold, releaseHold } from "../../../src/log/holds.ts";
import { dayOf } from "../../../src/storage/s3/keys.ts";
import { AttackedLog, DAY_MS, daysAgo, messages } from "../../support/attacked-log.ts";
import { appendCommits } from "../../support/s3-log.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";

const BY = { reason: "case 12/2026", actor: "legal@example.com" };

describe.skipIf(isLeftOut("ceph"))(
  "What only removed days recorded of a day that stays",
  { timeout: 120_000 },
  () => {
    const bench = AttackedLog.onCeph();

    /** A stream that wrote on each of these days. */
    async function stream(...days: readonly number[]): Promise<void> {
      const storage = bench.log.storage();
      for (const day of days) await appendCommits(storage, [1], Date.now() - day * DAY_MS);
      await storage.close();
    }

    async function holdDay(days: number): Promise<string> {
      const [from, to] = [
        new Date(Date.now() - days * DAY_MS),
        new Date(Date.now() - days * DAY_MS),
      ];
      const s3 = { client: bench.log.client };
      return placeHold(`s3://${bench.log.bucket}/${bench.log.prefix}`, {
        ...BY,
        from,
        to,
        signer: bench.log.signer,
        s3,
      });
    }

    async function removeDay(days: number): Promise<void> {
      const day = dayOf(Date.now() - days * DAY_MS);
      const keys = (await bench.log.keys()).filter((key) => key.startsWith(`${day}/`));
      expect(keys.length).toBeGreaterThan(0);
      for (const key of keys) await bench.log.remove(key);
    }

    it("is on record again: a held day that is deleted after the clean-up is missing, and its hold is named", async () => {
      const { log } = bench;
      await stream(40, 39, 38);
      const hold = await holdDay(39);

      expect((await bench.prune()).held).toEqual([`${dayOf(Date.now() - 39 * DAY_MS)}/`]);
      expect(await log.verify()).toMatchObject({ exitCode: 0 });
      await removeDay(39);

      const verification = await log.verify();
      expect(verification.exitCode).toBe(1);
      expect(messages(verification)).toContain(
        `no retention.prune line says why, though hold ${hold} by legal@example.com: case 12/2026 keeps its day`,
      );
    });

    it("is on record again for segments that a directory shipped", async () => {
      const { log } = bench;
      await bench.shippedDirectory([40, 39]);
      await holdDay(40);
      await bench.prune();
      expect(await log.verify()).toMatchObject({ exitCode: 0 });

      await removeDay(40);

      expect(await log.verify()).toMatchObject({ exitCode: 1 });
      expect(await bench.statesByStream()).toContain("MISSING");
    });

    it("is carried from clean-up to clean-up, until the day itself may go", async () => {
      const { log } = bench;
      await stream(80, 79);
      await daysAgo(78, async () => void (await holdDay(2)));
      const remover = log.storage({ client: bench.server.client() }); // one that takes the server's clock
      await daysAgo(40, async () => {
        await bench.prune(30, remover);
      });
      await bench.prune(30);
      expect(await log.verify()).toMatchObject({ exitCode: 0 });
      const keys = (await log.keys()).filter((key) =>
        key.startsWith(dayOf(Date.now() - 80 * DAY_MS)),
      );
      const objects = await Promise.all(
        keys.map(async (key) => ({ key, ...(await log.read(key)) })),
      );
      await removeDay(80);
      expect(await log.verify()).toMatchObject({ exitCode: 1 });

      for (const { key, body, metadata } of objects) await log.write(key, body, metadata);
      const location = `s3://${log.bucket}/${log.prefix}`;
      const [hold] = await listHolds(location, {
        vkey: log.signer.vkey,
        s3: { client: log.client },
      });
      await releaseHold(location, hold?.id ?? "", {
        ...BY,
        signer: log.signer,
        s3: { client: log.client },
      });
      expect((await bench.prune(30)).files).toEqual(expect.arrayContaining(keys));
      expect(await log.verify()).toMatchObject({ exitCode: 0 });
    });

    it("is held against a segment that was cut off since, when its hold has ended", async () => {
      const { log } = bench;
      const storage = log.storage();
      await appendCommits(storage, [1, 1], Date.now() - 40 * DAY_MS);
      await appendCommits(storage, [1], Date.now() - 39 * DAY_MS);
      await storage.close();
      const hold = await holdDay(40);
      await bench.prune();
      const day = dayOf(Date.now() - 40 * DAY_MS);
      const end =
        (await log.keys()).find((key) => key.startsWith(`${day}/`) && key.includes("/control_")) ??
        "";
      await log.remove(end);
      const s3 = { client: log.client };
      await releaseHold(`s3://${log.bucket}/${log.prefix}`, hold, {
        ...BY,
        signer: log.signer,
        s3,
      });

      const { files, refused = [] } = await bench.prune();

      expect({ files, refused: refused.length }).toEqual({ files: [], refused: 2 });
      expect(await log.verify()).toMatchObject({ exitCode: 1 });
    });

    it("counts for nothing where nobody we trust sealed it", async () => {
      const { log } = bench;
      await stream(0);
      const [file = ""] = (await log.verify()).files.map((found) => found.file);
      const stranger = log.storage({ signer: await Signer.generate("stranger") });
      const root = Buffer.alloc(32, 1).toString("base64");
      await stranger.append(
        formatControlLine({ type: "retention.seen", seen: [{ file, size: 2, root }] }),
      );
      await stranger.close();

      const { files } = await log.verify();

      expect(files.find((found) => found.file === file)).toMatchObject({
        state: "OK",
        problems: [],
      });
    });

    it("stays where another key sealed it than the cleaner's, unless the cleaner trusts that key", async () => {
      const { log } = bench;
      const older = await Signer.generate("older");
      const keys = await bench.stream([1, 2], 40, older);

      const { files, refused = [] } = await bench.prune();
      expect({ files, refused: refused.toSorted() }).toEqual({
        files: [],
        refused: keys.toSorted(),
      });
      expect(bench.errors.join()).toContain(
        `sealed by another key: ${older.vkey.split("+", 2).join("+")}, which is not in`,
      );

      const trusting = log.storage({ trustedKeys: [older.vkey] });
      expect((await bench.prune(30, trusting)).files.toSorted()).toEqual(keys.toSorted());
      expect(() => log.storage({ trustedKeys: ["nonsense"] })).toThrow(
        expect.objectContaining({ code: "AUDIT_KEY_INVALID" }),
      );
    });
  },
);
