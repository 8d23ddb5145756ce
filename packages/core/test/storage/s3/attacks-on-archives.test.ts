// Between a directory and its archive: what is shipped, and what explains that it is gone there.
import { readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SegmentArchive } from "../../../src/retention/archive.ts";
import { FileStorage } from "../../../src/storage/file/file.ts";
import { S3Archive } from "../../../src/storage/s3/index.ts";
import { verifyLog } from "../../../src/log/verify-log.ts";
import {
  AttackedLog,
  DAY_MS,
  daysAgo,
  ROOT,
  segments,
  states,
  write,
} from "../../support/attacked-log.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

describe.skipIf(isLeftOut("ceph"))(
  "Whoever may write to the directory or to its bucket, without the key,",
  { timeout: 120_000 },
  () => {
    const bench = AttackedLog.onCeph();

    describe("cannot use a directory:", () => {
      it("a segment that was altered before it was shipped is not shipped, not recorded and not removed", async () => {
        const { log } = bench;
        const path = await temporaryDirectory();
        await daysAgo(3, () => write(new FileStorage({ path, signer: log.signer })));
        const [file = ""] = await segments(path);
        const text = await readFile(join(path, file), "utf8");
        await writeFile(
          join(path, file),
          text.replace('"safety_passed":true', '"safety_passed":false'),
        );
        await bench.ship(path, 0);

        expect(bench.errors.join()).toContain(
          `${file} was not shipped: it does not match its seal`,
        );
        expect((await log.keys()).filter((key) => key.endsWith(file))).toEqual([]);
        expect(await segments(path)).toContain(file);
        for (const name of await segments(path))
          expect(await readFile(join(path, name), "utf8")).not.toContain("retention.archived");
      });

      it("nor is one with a forged last checkpoint", async () => {
        const { log } = bench;
        const path = await temporaryDirectory();
        await daysAgo(3, () => write(new FileStorage({ path, signer: log.signer })));
        const [file = ""] = await segments(path);
        const text = await readFile(join(path, file), "utf8");
        const { signer } = log;
        const note = `test/x/${file.slice(0, -6)}\n900\n${ROOT}\n\n${signer.sign("x\n")}`;
        await writeFile(
          join(path, file),
          `${text}${JSON.stringify({ type: "checkpoint", note })}\n`,
        );
        await utimes(join(path, file), new Date(), new Date(Date.now() - 2 * DAY_MS)); // nobody writes to it any more
        await bench.ship(path, 0);

        expect(bench.errors.join()).toContain(`${file} was not shipped`);
        expect(await segments(path)).toContain(file);
      });

      it("what its own retention removed after it was shipped is MISSING in the bucket when it is gone there", async () => {
        const { log } = bench;
        const path = await bench.shippedDirectory([40, 20]);
        const [key = ""] = await log.keys();
        const storage = new FileStorage({ path, signer: log.signer, archive: bench.archive() });
        const now = Date.now();
        const { files } = await storage.prune({
          before: now - 30 * DAY_MS,
          policy: "retention",
          actor: "test",
          now,
        });
        await storage.close();
        expect(files).toHaveLength(1);
        expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 9 });
        expect(await verifyLog(path, { trustedKeys: [log.signer.vkey] })).toMatchObject({
          exitCode: 0,
        });

        await log.remove(key);

        expect(await log.verify()).toMatchObject({ exitCode: 1 });
        expect(await bench.statesByStream()).toContain("MISSING");
      });

      it("what it removed before it ever had an archive is PRUNED there, and so is what the bucket's clean-up removed", async () => {
        const { log } = bench;
        const path = await temporaryDirectory();
        for (const days of [40, 35, 20])
          await daysAgo(days, () => write(new FileStorage({ path, signer: log.signer })));
        const storage = new FileStorage({ path, signer: log.signer });
        const now = Date.now();
        await storage.prune({ before: now - 37 * DAY_MS, policy: "retention", actor: "test", now });
        await storage.close();
        await bench.ship(path);
        expect(await log.verify()).toMatchObject({ exitCode: 0 });
        expect(await bench.statesByStream()).toContain("PRUNED");

        expect(await bench.prune()).toMatchObject({ entries: 3 });

        expect(await log.verify()).toMatchObject({ exitCode: 0 });
        expect((await bench.statesByStream()).filter((state) => state === "PRUNED")).toHaveLength(
          2,
        );
      });
    });

    it("cannot pass a loss for expiry: only a rule that the directory's segments name explains what an archive lost", async () => {
      for (const [expiresDays, state] of [
        [30, "PRUNED"],
        [undefined, "MISSING"],
      ] as const) {
        const log = await bench.renew();
        const path = await temporaryDirectory();
        const { bucket, prefix, client } = log;
        const named = { ...silent, expiresDays };
        for (const days of [40, 20])
          await daysAgo(days, () =>
            write(new FileStorage({ path, signer: log.signer, archive: named })),
          );
        const options = {
          bucket,
          prefix,
          client,
          onError: bench.onError,
          ...(expiresDays !== undefined && { expiresDays }),
        };
        await write(new FileStorage({ path, signer: log.signer, archive: new S3Archive(options) }));
        expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 9 });

        await log.remove((await log.keys())[0] ?? "");

        expect((await log.verify()).exitCode).toBe(state === "PRUNED" ? 0 : 1);
        expect(await bench.statesByStream()).toContain(state);
        await rm(join(path, (await segments(path))[0] ?? "")); // the directory itself has no such rule
        expect(states(await verifyLog(path, { trustedKeys: [log.signer.vkey] }))).toContain(
          "MISSING",
        );
      }
    });
  },
);

/** An archive that takes nothing yet. */
const silent: SegmentArchive = {
  keepLocalDays: Infinity,
  onError: () => undefined,
  store: () => Promise.reject(new Error("not now")),
};
