// What objects say about themselves beside their bytes, and readers go by.
import { describe, expect, it } from "vitest";
import { Segment } from "../../../src/storage/segment.ts";
import { AttackedLog, messages, ROOT } from "../../support/attacked-log.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";

describe.skipIf(isLeftOut("ceph"))(
  "Whoever may write to the bucket, without the key,",
  { timeout: 120_000 },
  () => {
    const bench = AttackedLog.onCeph();

    describe("cannot lie about an object beside its bytes:", () => {
      const lies: readonly (readonly [string, string, string])[] = [
        ["audit-entries", "2", "its metadata says 2 entries; there are 3"],
        ["audit-linked", "1", "its metadata says 1 linked entries"],
        [
          "audit-last",
          "00000000-0000-7000-8000-000000000000",
          "its metadata says 00000000-0000-7000-8000-000000000000 as the last entry",
        ],
        ["audit-stream", "AAAAAAAAAAAAAAAA", "its metadata says AAAAAAAAAAAAAAAA as the stream"],
        [
          "audit-previous",
          "2020-01-01/x.json",
          "its metadata says 2020-01-01/x.json as the object before",
        ],
      ];

      it.each(lies)("%s of a commit", async (name, lie, message) => {
        const { log } = bench;
        const [, key = ""] = await bench.stream([1, 3, 1], 0);
        const { body, metadata } = await log.read(key);
        await log.write(key, body, { ...metadata, [name]: lie });

        const verification = await log.verify();

        expect(verification).toMatchObject({ exitCode: 1, files: [{ state: "TAMPERED" }] });
        expect(messages(verification)).toContain(`${key}: ${message}`);
      });

      const shippedLies: readonly (readonly [string, string, string])[] = [
        ["audit-entries", "5", "its metadata says 5 entries; there are 3"],
        ["audit-linked", "3", "its metadata says 3 linked"],
        ["audit-again", "1", "its metadata says that it has lines written again"],
        ["audit-first", "ffffffff-0000-7000-8000-000000000000", "as the first entry"],
        ["audit-last", "00000000-0000-7000-8000-000000000000", "as the last entry"],
        ["audit-leaves", "900", "its metadata says 900 leaves"],
        ["audit-root", ROOT, "as the root"],
        ["audit-sha256", "00", "its metadata says 00 as the SHA-256"],
      ];

      it.each(shippedLies)("%s of a shipped segment", async (name, lie, message) => {
        const { log } = bench;
        await bench.shippedDirectory([1]);
        const [key = ""] = await log.keys();
        const { body, metadata } = await log.read(key);
        await log.write(key, body, { ...metadata, [name]: lie });

        const verification = await log.verify();

        expect(verification).toMatchObject({
          exitCode: 1,
          files: [{ state: "TAMPERED" }, { state: "OK" }],
        });
        expect(messages(verification)).toContain(message);
      });

      it("a commit of several entries under the name of a single one, where readers see one", async () => {
        const { log } = bench;
        const [, key = ""] = await bench.stream([1, 3, 1], 0);
        const { body, metadata } = await log.read(key);
        await log.write(key.slice(0, -1), body, metadata);
        await log.remove(key);

        const verification = await log.verify();

        expect(verification).toMatchObject({ exitCode: 1, files: [{ state: "TAMPERED" }] });
        expect(messages(verification)).toContain(`its place is ${key}`);
      });

      it("a finding under the name of a file that another directory's log is said to await", async () => {
        const { log } = bench;
        await bench.shippedDirectory([]);
        const [key = ""] = await log.keys();
        await bench.altered(key, '"safety_passed":true', '"safety_passed":false');
        const [, directory = "", file = ""] = /^(.*)\/([^/]+)$/.exec(key) ?? [];
        const name = file.replace(".jsonl", "_900.jsonl");
        const seen = [{ file, size: 3, root: ROOT }];
        const stream = "zzzzzzzzzzzzzzzz"; // behind the others in a listing
        const planted = new Segment({
          file: name,
          stream,
          seq: 0,
          created: "",
          prev: null,
          seen,
          sdk: "",
        });
        const place = `${key.slice(0, 10)}/${stream}/${name}`;
        await log.write(place, planted.close("close").toString(), { "audit-directory": directory });

        const { files } = await log.verify();

        expect(files.filter((found) => found.file === key).map(({ state }) => state)).toContain(
          "TAMPERED",
        );
      });

      it("entries under the name of control lines, where readers look for none", async () => {
        const { log } = bench;
        const [, key = "", , end = ""] = await bench.stream([1, 3, 1], 0);
        const { body, metadata } = await log.read(key);
        await log.write(end.replace(/control_0_\d+/, "control_0_2"), body, metadata);
        await log.remove(key);

        expect(messages(await log.verify())).toContain(`its place is ${key}`);
      });
    });
  },
);
