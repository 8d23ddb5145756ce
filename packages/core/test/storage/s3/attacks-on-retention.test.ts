// Whoever may put and delete objects, without the signing key, against those who act on what is in
// the bucket.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { formatControlLine } from "../../../src/format/control-line.ts";
import { Signer } from "../../../src/seal/signer.ts";
import type { Verification } from "../../../src/verify/verification.ts";
import { FileStorage } from "../../../src/storage/file/file.ts";
import { placeHold } from "../../../src/log/holds.ts";
import type { S3Storage } from "../../../src/storage/s3/index.ts";
import { dayOf } from "../../../src/storage/s3/keys.ts";
import { testEntry } from "../../../src/testing.ts";
import { verifyLog } from "../../../src/log/verify-log.ts";
import {
  AttackedLog,
  DAY_MS,
  daysAgo,
  decode,
  messages,
  ROOT,
  sealed,
  write,
} from "../../support/attacked-log.ts";
import { appendCommits } from "../../support/s3-log.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const BY = { reason: "case 12/2026", actor: "legal@example.com" };

describe.skipIf(isLeftOut("ceph"))(
  "Whoever may write to the bucket, without the key,",
  { timeout: 120_000 },
  () => {
    const bench = AttackedLog.onCeph();

    describe("cannot use the clean-up", () => {
      it("to have the removal of a living segment signed: a planted object that names it is refused, and stays", async () => {
        const { log } = bench;
        const [, end = ""] = await bench.stream([3], 0);
        await bench.stream([1], 0); // has seen the first one
        const old = dayOf(Date.now() - 40 * DAY_MS);
        const planted = `${old}/x/control_0_1.jsonl`;
        await log.write(planted, "{}\n", await bench.forged(end, 1000));

        expect(await bench.prune()).toMatchObject({ entries: 0, files: [], refused: [planted] });
        expect(bench.errors.join()).toContain(planted);
        await log.remove(planted);
        const gone =
          (await log.keys()).find((key) => key.endsWith(".jsonl") && !key.includes("/control_")) ??
          "";
        await log.remove(gone);
        await log.remove(end);

        expect(await log.verify()).toMatchObject({ exitCode: 1 });
        expect(await bench.statesByStream()).toEqual(["MISSING", "OK"]);
      });

      it("to have a segment of today removed that was moved to an old day's folder, metadata and all", async () => {
        const { log } = bench;
        const keys = await bench.stream([1, 2], 0);
        await bench.stream([1], 0);
        const old = dayOf(Date.now() - 40 * DAY_MS);
        for (const key of keys) {
          const { body, metadata } = await log.read(key);
          await log.write(old + key.slice(10), body, metadata);
          await log.remove(key);
        }

        const { files, refused = [] } = await bench.prune();

        expect(files).toEqual([]);
        expect(refused.toSorted()).toEqual(keys.map((key) => old + key.slice(10)).toSorted());
        const verification = await log.verify();
        expect(verification.exitCode).toBe(1);
        expect(messages(verification)).toContain(`its place is ${keys[0]}`);
      });

      it("to remove the evidence: an altered object past retention stays, with the rest of its segment", async () => {
        const keys = await bench.stream([1, 2, 1], 40);
        const others = await bench.stream([2], 40);
        await bench.altered(keys[1] ?? "", '"safety_passed":true', '"safety_passed":false');

        const { files, refused = [], entries } = await bench.prune();

        expect({ files: files.toSorted(), entries }).toEqual({
          files: others.toSorted(),
          entries: 2,
        });
        expect(refused.toSorted()).toEqual(keys.toSorted());
        expect(bench.errors.join()).toContain(keys[0]);
        expect(await bench.statesByStream()).toEqual(["OK", "PRUNED", "TAMPERED"]);
      });

      it("to remove a shipped segment that was altered, or that lies under another day or stream", async () => {
        const { log } = bench;
        const path = await bench.shippedDirectory([40, 39, 38]);
        const [first = "", second = "", third = ""] = await log.keys();
        await bench.altered(first, '"safety_passed":true', '"safety_passed":false');
        const { body, metadata } = await log.read(second);
        const elsewhere = second.replace(/^\d{4}/, "2020");
        await log.write(elsewhere, body, metadata);
        await log.remove(second);

        expect(await bench.prune()).toMatchObject({ files: [third], refused: [elsewhere, first] });
        expect((await log.verify()).exitCode).toBe(1);
        expect(await readdir(path)).toContain(first.split("/").at(-1));
      });

      it("to lift a hold: a release that our key did not seal counts for nothing", async () => {
        const { log } = bench;
        const path = await bench.shippedDirectory([40]);
        const hold = await placeHold(path, { ...BY, signer: log.signer });
        await bench.ship(path);
        const release = formatControlLine({ type: "retention.release", hold, ...BY, released: "" });
        const stranger = await Signer.generate("test");
        for (const [day, signer] of [
          ["01", undefined],
          ["02", stranger],
        ] as const) {
          const file = `audit_202001${day}.jsonl`;
          await log.write(
            `2020-01-${day}/BBBBBBBBBBBBBBBB/${file}`,
            sealed(file, release, signer).toString(),
          );
        }
        await log.write("2020-01-03/BBBBBBBBBBBBBBBB/audit_20200103.jsonl", `x\n${release}\n`);

        const { files, held } = await bench.prune();

        expect(files.filter((key) => !key.startsWith("2020-01"))).toEqual([]);
        expect(held).toContain(`${dayOf(Date.now() - 40 * DAY_MS)}/`);
      });

      it("to remove what is left of a stream whose objects were stripped of what sealed them", async () => {
        const { log } = bench;
        const keys = await bench.stream([1, 1], 40);
        const going = log.storage();
        await appendCommits(going, [1], Date.now() - 40 * DAY_MS);
        await going.close();
        await bench.shippedDirectory([40]);
        const shipped =
          (await log.keys()).find((key) =>
            key.endsWith(`${dayOf(Date.now() - 40 * DAY_MS).replaceAll("-", "")}.jsonl`),
          ) ?? "";
        const stripped = [...keys.slice(1), shipped];
        for (const key of stripped) await log.write(key, (await log.read(key)).body);

        const { files, refused = [] } = await bench.prune();

        // The stream that went on has recorded the first one: what is left of it is cut short.
        expect(refused.toSorted()).toEqual([...keys, shipped].toSorted());
        expect(files).toHaveLength(2);
        expect(bench.errors.join("\n")).toContain("it has no seal any more");
      });

      it("by a segment of its own under the name of one that our key sealed, whatever refers to that later", async () => {
        const { log } = bench;
        const idle = log.storage();
        await appendCommits(idle, [1], Date.now() - 40 * DAY_MS);
        await expect.poll(() => log.keys(), { timeout: 10_000 }).toHaveLength(2);
        const gone = await log.keys();
        await appendCommits(idle, [1], Date.now() - 1 * DAY_MS);
        await idle.close();
        for (const key of gone) await log.remove(key);
        const planted = await bench.stream([1, 1, 1, 1], 40, await Signer.generate("stranger"));
        await bench.renameStream(planted, idle.stream);

        const { files, refused = [] } = await bench.prune();

        expect(files).toEqual([]);
        expect(refused.length).toBeGreaterThan(0);
        expect((await log.verify()).exitCode).toBe(1);
      });

      it("by a forged record of an earlier run that was broken off", async () => {
        const { log } = bench;
        const [key = "", ...others] = await bench.stream([1, 1], 40);
        const [, end = ""] = await bench.stream([1], 0);
        await bench.altered(key, '"safety_passed":true', '"safety_passed":false');
        const { file = "" } =
          (await log.verify()).files.find(({ state }) => state === "TAMPERED") ?? {};
        const line = formatControlLine({
          type: "retention.prune",
          file,
          leaves: 9,
          root: ROOT,
          from: null,
          to: null,
          policy: "p",
          actor: "a",
        });
        const { metadata } = await log.read(end);
        const leaf = Number(metadata["audit-leaf"]) + 1;
        const planted = end.replace(/_\d+\.jsonl$/, `_${leaf}.jsonl`);
        const about = {
          ...(await bench.forged(end, leaf + 1)),
          "audit-leaf": String(leaf),
          "audit-previous": end,
        };
        await log.write(planted, `${line}\n`, about);

        expect((await bench.prune()).refused?.toSorted()).toEqual([key, ...others].toSorted());
      });
    });

    it("cannot have a state recorded that a stream never had: the next writer vouches for what our key signed alone", async () => {
      const { log } = bench;
      const [first = ""] = await bench.stream([1, 1], 0);
      const planted = `${dayOf(Date.now())}/${testEntry(Date.now()).id}.json`;
      await log.write(planted, "{}", await bench.forged(first, 1_000_000));
      await bench.stream([1], 0);
      const { metadata } = await log.read(
        (await log.keys()).find((key) => key.endsWith(".json") && key > planted) ?? "",
      );
      await log.remove(planted);

      expect(decode(metadata["audit-open"])).toContain('"seen":[{');
      expect(decode(metadata["audit-open"])).not.toContain("1000000");
      expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 3 });
    });

    it.each(["directory", "bucket"])(
      "gains nothing by a prune line of other times than its segment's day, in a %s",
      async (home) => {
        const { log } = bench;
        const path = await temporaryDirectory();
        const storages = (): FileStorage | S3Storage =>
          home === "bucket" ? log.storage() : new FileStorage({ path, signer: log.signer });
        await write(storages());
        await write(storages());
        const verify = (): Promise<Verification> =>
          home === "bucket" ? log.verify() : verifyLog(path, { trustedKeys: [log.signer.vkey] });
        const { file, head } = (await verify()).files[0] ?? {};
        const remover = storages();
        const times = { from: "2020-01-01T00:00:00.000Z", to: "2020-01-01T23:59:59.999Z" };
        const known = { file: file ?? "", leaves: head?.size ?? 0, root: head?.root ?? "" };
        await remover.append(
          formatControlLine({
            type: "retention.prune",
            ...known,
            ...times,
            policy: "p",
            actor: "a",
          }),
        );
        await remover.close();
        if (home === "bucket") {
          const [, name = ""] = /_([\w-]{16})_\d+\.jsonl$/.exec(file ?? "") ?? [];
          for (const key of await log.keys())
            if ((await log.read(key)).metadata["audit-stream"] === name) await log.remove(key);
        } else await rm(join(path, file ?? ""));

        const verification = await verify();

        expect(verification).toMatchObject({
          exitCode: 1,
          files: expect.arrayContaining([expect.objectContaining({ file, state: "MISSING" })]),
        });
      },
    );

    describe("Retention in a bucket", () => {
      it("goes on where it was broken off, by the line that it wrote before", async () => {
        const { log } = bench;
        const keys = await bench.stream([1, 2, 1], 40);
        const [, kept = ""] = keys;
        const { body, metadata } = await log.read(kept);
        await bench.prune();
        await log.write(kept, body, metadata); // not deleted, let us say

        expect(await bench.prune()).toMatchObject({ files: [kept], refused: [] });
        expect(await log.verify()).toMatchObject({ exitCode: 0 });
      });

      it("removes what a trusted key sealed, where it is sound and what was recorded of it", async () => {
        const { log } = bench;
        const older = await Signer.generate("older");
        const keys = await bench.stream([1, 2], 40, older);
        const storage = log.storage({ trustedKeys: [older.vkey] });
        expect((await bench.prune(30, storage)).files.toSorted()).toEqual(keys.toSorted());
      });

      it("keeps every version of what it refuses, and none of what goes, where the bucket keeps versions", async () => {
        const log = await bench.renew({ withObjectLock: true });
        const altered = await bench.stream([1, 2], 40);
        const cut = await bench.stream([1, 2], 40);
        const sound = await bench.stream([2], 40);
        await bench.altered(altered[0] ?? "", '"safety_passed":true', '"safety_passed":false');
        await log.remove(cut.at(-1) ?? ""); // a marker, at the very end

        const { files, refused = [] } = await bench.prune();

        expect(files.toSorted()).toEqual(sound.toSorted());
        expect(refused.toSorted()).toEqual([...altered, ...cut.slice(0, -1)].toSorted());
        const command = new ListObjectVersionsCommand({ Bucket: log.bucket, Prefix: log.prefix });
        const { Versions = [] } = await log.client.send(command);
        const versions = Versions.map(({ Key = "" }) => Key.slice(log.prefix.length));
        expect(versions.filter((key) => key === altered[0])).toHaveLength(2);
        expect(versions).toContain(cut.at(-1));
        expect(versions.filter((key) => sound.includes(key))).toEqual([]);
        expect(await bench.statesByStream()).toEqual(["MISSING", "OK", "PRUNED", "TAMPERED"]);
      });

      it("never removes what is of the real today, whatever present it is given", async () => {
        const { log } = bench;
        await bench.stream([1], 0);
        const now = Date.now() + 3 * DAY_MS;
        const storage = log.storage();
        expect(await storage.prune({ before: now, policy: "p", actor: "a", now })).toMatchObject({
          files: [],
        });
        await storage.close();
      });

      it("carries a line on while a stream that goes on refers to what it is about", async () => {
        const { log } = bench;
        const idle = log.storage();
        await appendCommits(idle, [1], Date.now() - 80 * DAY_MS);
        await expect.poll(() => log.keys(), { timeout: 10_000 }).toHaveLength(2); // ended, as its day is over
        const remover = log.storage({ client: bench.server.client() }); // one that takes the server's clock
        await daysAgo(40, async () => {
          await bench.prune(30, remover);
        });
        await appendCommits(idle, [1], Date.now() - 1 * DAY_MS);
        await idle.close();
        expect(await log.verify()).toMatchObject({ exitCode: 0 });
        expect(await bench.statesByStream()).toContain("PRUNED");

        const { files } = await bench.prune(30); // the day with the line goes

        expect(files.length).toBeGreaterThan(0);
        expect(await log.verify()).toMatchObject({ exitCode: 0 });
      });
    });
  },
);
