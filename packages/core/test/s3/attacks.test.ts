// Whoever may put and delete objects, without the signing key, against those who act on what is in the bucket.
import { readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { retentionPrune, retentionRelease } from "../../src/integrity/control-line.ts";
import { Segment } from "../../src/integrity/segment.ts";
import { Signer } from "../../src/integrity/signer.ts";
import type { Verification } from "../../src/integrity/verification.ts";
import type { SegmentArchive } from "../../src/storage/archive.ts";
import { FileStorage } from "../../src/storage/file.ts";
import { placeHold } from "../../src/storage/place-hold.ts";
import { S3Archive, type S3Storage } from "../../src/storage/s3.ts";
import { dayOf } from "../../src/storage/s3/keys.ts";
import type { PruneResult } from "../../src/storage/storage.ts";
import { testEntry } from "../../src/testing.ts";
import { verifyLog } from "../../src/verify-log.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { appendCommits, S3Log } from "../support/s3-log.ts";
import { isAbsent, type S3Server, s3Server, serverAt } from "../support/s3-servers.ts";
import { temporaryDirectory } from "../temporary-directory.ts";

const DAY_MS = 86_400_000;
const ROOT = Buffer.alloc(32).toString("base64");
const BY = { reason: "case 12/2026", actor: "legal@example.com" };

describe.skipIf(isAbsent("ceph"))("Whoever may write to the bucket, without the key,", { timeout: 120_000 }, () => {
  let server: S3Server;
  let log: S3Log;
  let errors: string[];

  beforeAll(async () => {
    server = await s3Server("ceph");
  }, 120_000);

  async function fresh(): Promise<void> {
    log = await S3Log.make(server);
    errors = [];
  }

  const onError = ({ message }: Error): void => void errors.push(message);

  /** A closed stream with commits of these sizes, so many days ago; its keys in their order. */
  async function stream(sizes: readonly number[], days: number, signer: Signer = log.signer): Promise<string[]> {
    const before = new Set(await log.keys());
    const storage = log.storage({ signer });
    await appendCommits(storage, sizes, Date.now() - days * DAY_MS);
    await storage.close();
    const added = (await log.keys()).filter((key) => !before.has(key));
    return added.toSorted(
      (a, b) => Number(a.includes("/control_")) - Number(b.includes("/control_")) || (a < b ? -1 : 1),
    );
  }

  async function prune(days = 30, storage: S3Storage = log.storage({ onError })): Promise<PruneResult> {
    const now = Date.now();
    const result = await storage.prune({ before: now - days * DAY_MS, policy: "retention", actor: "test", now });
    await storage.close();
    return result;
  }

  /** Puts another stream's name on a segment that a stranger sealed, as the stranger can seal it. */
  async function renameStream(keys: readonly string[], name: string): Promise<void> {
    const stranger = await Signer.generate("stranger");
    const day = dayOf(Date.now() - 40 * DAY_MS);
    const file = `audit_${day.replaceAll("-", "")}_${name}_0.jsonl`;
    const options = { file, stream: name, seq: 0, created: "", prev: null, seen: [], sdk: "", signer: stranger };
    const segment = new Segment(options);
    for (const key of keys) await log.remove(key);
    const { id, line } = testEntry(Date.now() - 40 * DAY_MS);
    const [open = "", , seal = ""] = segment.seal([line], 1).toString().split("\n");
    const first = `${day}/${id}.json`;
    const about = { "audit-stream": name, "audit-entries": "1", "audit-last": id, "audit-leaf": "0" };
    const noteOf = (text: string): string => encode(JSON.parse(text).note);
    await log.write(first, line, { ...about, "audit-open": encode(open), "audit-checkpoint": noteOf(seal) });
    for (let leaf = 2; leaf < 6; leaf += 1) {
      const [body = "", note = ""] = segment.seal(['{"type":"note"}'], 0).toString().split("\n");
      const previous = leaf === 2 ? first : `${day}/${name}/control_0_${leaf - 1}.jsonl`;
      const counts = { "audit-stream": name, "audit-entries": "0", "audit-leaf": String(leaf) };
      const metadata = { ...counts, "audit-previous": previous, "audit-checkpoint": noteOf(note) };
      await log.write(`${day}/${name}/control_0_${leaf}.jsonl`, `${body}\n`, metadata);
    }
  }

  /** Commit metadata that claims what it likes. */
  async function forged(key: string, size: number, stem?: string): Promise<Record<string, string>> {
    const { metadata } = await log.read(key);
    const [origin = "", , , signature = ""] = decode(metadata["audit-checkpoint"]).split(/\n/).filter(Boolean);
    const named = stem === undefined ? origin : `${origin.slice(0, origin.lastIndexOf("/"))}/${stem}`;
    return { ...metadata, "audit-checkpoint": encode(`${named}\n${size}\n${ROOT}\n\n${signature}\n`) };
  }

  async function altered(key: string, from: string, to: string): Promise<void> {
    const { body, metadata } = await log.read(key);
    expect(body).toContain(from);
    await log.write(key, body.replace(from, to), metadata);
  }

  async function statesByStream(): Promise<string[]> {
    return states(await log.verify()).toSorted();
  }

  describe("cannot use the clean-up", () => {
    it("to have the removal of a living segment signed: a planted object that names it is refused, and stays", async () => {
      await fresh();
      const [, end = ""] = await stream([3], 0);
      await stream([1], 0); // has seen the first one
      const old = dayOf(Date.now() - 40 * DAY_MS);
      const planted = `${old}/x/control_0_1.jsonl`;
      await log.write(planted, "{}\n", await forged(end, 1000));

      expect(await prune()).toMatchObject({ entries: 0, files: [], refused: [planted] });
      expect(errors.join()).toContain(planted);
      await log.remove(planted);
      const gone = (await log.keys()).find((key) => key.endsWith(".jsonl") && !key.includes("/control_")) ?? "";
      await log.remove(gone);
      await log.remove(end);

      expect(await log.verify()).toMatchObject({ exitCode: 1 });
      expect(await statesByStream()).toEqual(["MISSING", "OK"]);
    });

    it("to have a segment of today removed that was moved to an old day's folder, metadata and all", async () => {
      await fresh();
      const keys = await stream([1, 2], 0);
      await stream([1], 0);
      const old = dayOf(Date.now() - 40 * DAY_MS);
      for (const key of keys) {
        const { body, metadata } = await log.read(key);
        await log.write(old + key.slice(10), body, metadata);
        await log.remove(key);
      }

      const { files, refused = [] } = await prune();

      expect(files).toEqual([]);
      expect(refused.toSorted()).toEqual(keys.map((key) => old + key.slice(10)).toSorted());
      const verification = await log.verify();
      expect(verification.exitCode).toBe(1);
      expect(messages(verification)).toContain(`its place is ${keys[0]}`);
    });

    it("to remove the evidence: an altered object past retention stays, with the rest of its segment", async () => {
      await fresh();
      const keys = await stream([1, 2, 1], 40);
      const others = await stream([2], 40);
      await altered(keys[1] ?? "", '"safety_passed":true', '"safety_passed":false');

      const { files, refused = [], entries } = await prune();

      expect({ files: files.toSorted(), entries }).toEqual({ files: others.toSorted(), entries: 2 });
      expect(refused.toSorted()).toEqual(keys.toSorted());
      expect(errors.join()).toContain(keys[0]);
      expect(await statesByStream()).toEqual(["OK", "PRUNED", "TAMPERED"]);
    });

    it("to remove a shipped segment that was altered, or that lies under another day or stream", async () => {
      await fresh();
      const path = await shippedDirectory([40, 39, 38]);
      const [first = "", second = "", third = ""] = await log.keys();
      await altered(first, '"safety_passed":true', '"safety_passed":false');
      const { body, metadata } = await log.read(second);
      const elsewhere = second.replace(/^\d{4}/, "2020");
      await log.write(elsewhere, body, metadata);
      await log.remove(second);

      expect(await prune()).toMatchObject({ files: [third], refused: [elsewhere, first] });
      expect((await log.verify()).exitCode).toBe(1);
      expect(await readdir(path)).toContain(first.split("/").at(-1));
    });

    it("to lift a hold: a release that our key did not seal counts for nothing", async () => {
      await fresh();
      const path = await shippedDirectory([40]);
      const hold = await placeHold(path, { ...BY, signer: log.signer });
      await ship(path);
      const release = retentionRelease({ hold, ...BY, released: "" });
      const stranger = await Signer.generate("test");
      for (const [day, signer] of [
        ["01", undefined],
        ["02", stranger],
      ] as const) {
        const file = `audit_202001${day}.jsonl`;
        await log.write(`2020-01-${day}/BBBBBBBBBBBBBBBB/${file}`, sealed(file, release, signer).toString());
      }
      await log.write("2020-01-03/BBBBBBBBBBBBBBBB/audit_20200103.jsonl", `x\n${release}\n`);

      const { files, held } = await prune();

      expect(files.filter((key) => !key.startsWith("2020-01"))).toEqual([]);
      expect(held).toContain(`${dayOf(Date.now() - 40 * DAY_MS)}/`);
    });

    it("to remove what is left of a stream whose objects were stripped of what sealed them", async () => {
      await fresh();
      const keys = await stream([1, 1], 40);
      const going = log.storage();
      await appendCommits(going, [1], Date.now() - 40 * DAY_MS);
      await going.close();
      await shippedDirectory([40]);
      const shipped =
        (await log.keys()).find((key) =>
          key.endsWith(`${dayOf(Date.now() - 40 * DAY_MS).replaceAll("-", "")}.jsonl`),
        ) ?? "";
      const stripped = [...keys.slice(1), shipped];
      for (const key of stripped) await log.write(key, (await log.read(key)).body);

      const { files, refused = [] } = await prune();

      expect(refused.toSorted()).toEqual(stripped.toSorted());
      expect(files).toHaveLength(3);
      expect(errors.join("\n")).toContain("nothing seals it any more");
    });

    it("by a segment of its own under the name of one that our key sealed, whatever refers to that later", async () => {
      await fresh();
      const idle = log.storage();
      await appendCommits(idle, [1], Date.now() - 40 * DAY_MS);
      await expect.poll(() => log.keys(), { timeout: 10_000 }).toHaveLength(2);
      const gone = await log.keys();
      await appendCommits(idle, [1], Date.now() - 1 * DAY_MS);
      await idle.close();
      for (const key of gone) await log.remove(key);
      const planted = await stream([1, 1, 1, 1], 40, await Signer.generate("stranger"));
      await renameStream(planted, idle.stream);

      const { files, refused = [] } = await prune();

      expect(files).toEqual([]);
      expect(refused.length).toBeGreaterThan(0);
      expect((await log.verify()).exitCode).toBe(1);
    });

    it("by a forged record of an earlier run that was broken off", async () => {
      await fresh();
      const [key = "", ...others] = await stream([1, 1], 40);
      const [, end = ""] = await stream([1], 0);
      await altered(key, '"safety_passed":true', '"safety_passed":false');
      const { file = "" } = (await log.verify()).files.find(({ state }) => state === "TAMPERED") ?? {};
      const line = retentionPrune({ file, leaves: 9, root: ROOT, from: null, to: null, policy: "p", actor: "a" });
      const { metadata } = await log.read(end);
      const leaf = Number(metadata["audit-leaf"]) + 1;
      const planted = end.replace(/_\d+\.jsonl$/, `_${leaf}.jsonl`);
      const about = { ...(await forged(end, leaf + 1)), "audit-leaf": String(leaf), "audit-previous": end };
      await log.write(planted, `${line}\n`, about);

      expect((await prune()).refused?.toSorted()).toEqual([key, ...others].toSorted());
    });
  });

  it("cannot have a state recorded that a stream never had: the next writer vouches for what our key signed alone", async () => {
    await fresh();
    const [first = ""] = await stream([1, 1], 0);
    const planted = `${dayOf(Date.now())}/${testEntry(Date.now()).id}.json`;
    await log.write(planted, "{}", await forged(first, 1_000_000));
    await stream([1], 0);
    const { metadata } = await log.read((await log.keys()).find((key) => key.endsWith(".json") && key > planted) ?? "");
    await log.remove(planted);

    expect(decode(metadata["audit-open"])).toContain('"seen":[{');
    expect(decode(metadata["audit-open"])).not.toContain("1000000");
    expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 3 });
  });

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
      ["audit-previous", "2020-01-01/x.json", "its metadata says 2020-01-01/x.json as the object before"],
    ];

    it.each(lies)("%s of a commit", async (name, lie, message) => {
      await fresh();
      const [, key = ""] = await stream([1, 3, 1], 0);
      const { body, metadata } = await log.read(key);
      await log.write(key, body, { ...metadata, [name]: lie });

      const verification = await log.verify();

      expect(verification).toMatchObject({ exitCode: 1, files: [{ state: "TAMPERED" }] });
      expect(messages(verification)).toContain(`${key}: ${message}`);
    });

    const shippedLies: readonly (readonly [string, string, string])[] = [
      ["audit-entries", "5", "its metadata says 5 entries; there are 3"],
      ["audit-linked", "3", "its metadata says 3 linked"],
      ["audit-first", "ffffffff-0000-7000-8000-000000000000", "as the first entry"],
      ["audit-last", "00000000-0000-7000-8000-000000000000", "as the last entry"],
      ["audit-leaves", "900", "its metadata says 900 leaves"],
      ["audit-root", ROOT, "as the root"],
      ["audit-sha256", "00", "its metadata says 00 as the SHA-256"],
    ];

    it.each(shippedLies)("%s of a shipped segment", async (name, lie, message) => {
      await fresh();
      await shippedDirectory([1]);
      const [key = ""] = await log.keys();
      const { body, metadata } = await log.read(key);
      await log.write(key, body, { ...metadata, [name]: lie });

      const verification = await log.verify();

      expect(verification).toMatchObject({ exitCode: 1, files: [{ state: "TAMPERED" }, { state: "OK" }] });
      expect(messages(verification)).toContain(message);
    });

    it("a commit of several entries under the name of a single one, where readers see one", async () => {
      await fresh();
      const [, key = ""] = await stream([1, 3, 1], 0);
      const { body, metadata } = await log.read(key);
      await log.write(key.slice(0, -1), body, metadata);
      await log.remove(key);

      const verification = await log.verify();

      expect(verification).toMatchObject({ exitCode: 1, files: [{ state: "TAMPERED" }] });
      expect(messages(verification)).toContain(`its place is ${key}`);
    });

    it("entries under the name of control lines, where readers look for none", async () => {
      await fresh();
      const [, key = "", , end = ""] = await stream([1, 3, 1], 0);
      const { body, metadata } = await log.read(key);
      await log.write(end.replace(/control_0_\d+/, "control_0_2"), body, metadata);
      await log.remove(key);

      expect(messages(await log.verify())).toContain(`its place is ${key}`);
    });
  });

  describe("cannot use a directory:", () => {
    it("a segment that was altered before it was shipped is not shipped, not recorded and not removed", async () => {
      await fresh();
      const path = await temporaryDirectory();
      await daysAgo(3, () => write(new FileStorage({ path, signer: log.signer })));
      const [file = ""] = await segments(path);
      const text = await readFile(join(path, file), "utf8");
      await writeFile(join(path, file), text.replace('"safety_passed":true', '"safety_passed":false'));
      await ship(path, 0);

      expect(errors.join()).toContain(`${file} was not shipped: it is not what was sealed`);
      expect((await log.keys()).filter((key) => key.endsWith(file))).toEqual([]);
      expect(await segments(path)).toContain(file);
      for (const name of await segments(path))
        expect(await readFile(join(path, name), "utf8")).not.toContain("retention.archived");
    });

    it("nor is one with a forged last checkpoint", async () => {
      await fresh();
      const path = await temporaryDirectory();
      await daysAgo(3, () => write(new FileStorage({ path, signer: log.signer })));
      const [file = ""] = await segments(path);
      const text = await readFile(join(path, file), "utf8");
      const { signer } = log;
      const note = `test/x/${file.slice(0, -6)}\n900\n${ROOT}\n\n${signer.sign("x\n")}`;
      await writeFile(join(path, file), `${text}${JSON.stringify({ type: "checkpoint", note })}\n`);
      await utimes(join(path, file), new Date(), new Date(Date.now() - 2 * DAY_MS)); // nobody writes to it any more
      await ship(path, 0);

      expect(errors.join()).toContain(`${file} was not shipped`);
      expect(await segments(path)).toContain(file);
    });

    it("what its own retention removed after it was shipped is MISSING in the bucket when it is gone there", async () => {
      await fresh();
      const path = await shippedDirectory([40, 20]);
      const [key = ""] = await log.keys();
      const storage = new FileStorage({ path, signer: log.signer, archive: archive() });
      const now = Date.now();
      const { files } = await storage.prune({ before: now - 30 * DAY_MS, policy: "retention", actor: "test", now });
      await storage.close();
      expect(files).toHaveLength(1);
      expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 9 });
      expect(await verifyLog(path, { trustedKeys: [log.signer.vkey] })).toMatchObject({ exitCode: 0 });

      await log.remove(key);

      expect(await log.verify()).toMatchObject({ exitCode: 1 });
      expect(await statesByStream()).toContain("MISSING");
    });

    it("what it removed before it ever had an archive is PRUNED there, and so is what the bucket's clean-up removed", async () => {
      await fresh();
      const path = await temporaryDirectory();
      for (const days of [40, 35, 20]) await daysAgo(days, () => write(new FileStorage({ path, signer: log.signer })));
      const storage = new FileStorage({ path, signer: log.signer });
      const now = Date.now();
      await storage.prune({ before: now - 37 * DAY_MS, policy: "retention", actor: "test", now });
      await storage.close();
      await ship(path);
      expect(await log.verify()).toMatchObject({ exitCode: 0 });
      expect(await statesByStream()).toContain("PRUNED");

      expect(await prune()).toMatchObject({ entries: 3 });

      expect(await log.verify()).toMatchObject({ exitCode: 0 });
      expect((await statesByStream()).filter((state) => state === "PRUNED")).toHaveLength(2);
    });
  });

  it("cannot pass a loss for expiry: only a rule that the directory's segments name explains what an archive lost", async () => {
    for (const [expiresDays, state] of [
      [30, "PRUNED"],
      [undefined, "MISSING"],
    ] as const) {
      await fresh();
      const path = await temporaryDirectory();
      const { bucket, prefix, client } = log;
      const named = { ...silent, expiresDays };
      for (const days of [40, 20])
        await daysAgo(days, () => write(new FileStorage({ path, signer: log.signer, archive: named })));
      const options = { bucket, prefix, client, onError, ...(expiresDays !== undefined && { expiresDays }) };
      await write(new FileStorage({ path, signer: log.signer, archive: new S3Archive(options) }));
      expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 9 });

      await log.remove((await log.keys())[0] ?? "");

      expect((await log.verify()).exitCode).toBe(state === "PRUNED" ? 0 : 1);
      expect(await statesByStream()).toContain(state);
      await rm(join(path, (await segments(path))[0] ?? "")); // the directory itself has no such rule
      expect(states(await verifyLog(path, { trustedKeys: [log.signer.vkey] }))).toContain("MISSING");
    }
  });

  describe("A writer that may not list", () => {
    /** Says 403, as S3 does without `s3:ListBucket`, of a key that is not there. */
    async function withoutList(): Promise<S3Client> {
      const proxy = await FaultProxy.start(server.endpoint);
      const stored = new Set<string>();
      proxy.plan = ({ method, url }) => {
        const path = url.split("?")[0] ?? "";
        if (method === "PUT" || method === "POST") stored.add(path);
        const isList = method === "GET" && url.includes("list-type=2");
        const isHidden = (method === "HEAD" || method === "GET") && !stored.has(path);
        return isList || isHidden ? { kind: "refuse", status: 403, code: "AccessDenied" } : undefined;
      };
      return serverAt(proxy.endpoint).client();
    }

    it("ships segments, small ones and those in parts", async () => {
      await fresh();
      const path = await temporaryDirectory();
      const client = await withoutList();
      const { bucket, prefix } = log;
      const shipper = new S3Archive({ bucket, prefix, client, onError, partBytes: 5 * 2 ** 20 });
      const storage = new FileStorage({ path, signer: log.signer, archive: shipper, rotationSizeMb: 8 });
      for (let count = 0; count < 5; count += 1) {
        const { id, line } = testEntry(Date.now(), { metadata: { text: "x".repeat(2 * 2 ** 20) } });
        await storage.append(line, id);
      }
      await storage.close();

      expect(errors).toEqual([]);
      expect(await log.keys()).toHaveLength(2);
      expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 5 });
    });

    it("writes directly, also what is larger than a part", async () => {
      await fresh();
      const storage = log.storage({ client: await withoutList(), partBytes: 5 * 2 ** 20 });
      const { id, line } = testEntry(Date.now(), { metadata: { text: "x".repeat(6 * 2 ** 20) } });
      await storage.append(line, id);
      await storage.close();

      expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 1 });
    });
  });

  it.each(["directory", "bucket"])(
    "gains nothing by a prune line of other times than its segment's day, in a %s",
    async (home) => {
      await fresh();
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
      await remover.append(retentionPrune({ ...known, ...times, policy: "p", actor: "a" }));
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
      await fresh();
      const keys = await stream([1, 2, 1], 40);
      const [, kept = ""] = keys;
      const { body, metadata } = await log.read(kept);
      await prune();
      await log.write(kept, body, metadata); // not deleted, let us say

      expect(await prune()).toMatchObject({ files: [kept], refused: [] });
      expect(await log.verify()).toMatchObject({ exitCode: 0 });
    });

    it("removes what another key sealed, where it is sound and what was recorded of it", async () => {
      await fresh();
      const keys = await stream([1, 2], 40, await Signer.generate("older"));
      expect((await prune()).files.toSorted()).toEqual(keys.toSorted());
    });

    it("carries a line on while a stream that goes on refers to what it is about", async () => {
      await fresh();
      const idle = log.storage();
      await appendCommits(idle, [1], Date.now() - 80 * DAY_MS);
      await expect.poll(() => log.keys(), { timeout: 10_000 }).toHaveLength(2); // ended, as its day is over
      const remover = log.storage({ client: server.client() }); // one that takes the server's clock
      await daysAgo(40, async () => {
        await prune(30, remover);
      });
      await appendCommits(idle, [1], Date.now() - 1 * DAY_MS);
      await idle.close();
      expect(await log.verify()).toMatchObject({ exitCode: 0 });
      expect(await statesByStream()).toContain("PRUNED");

      const { files } = await prune(30); // the day with the line goes

      expect(files.length).toBeGreaterThan(0);
      expect(await log.verify()).toMatchObject({ exitCode: 0 });
    });
  });

  function archive(keepLocalDays = Infinity): S3Archive {
    const { bucket, prefix, client } = log;
    return new S3Archive({ bucket, prefix, client, keepLocalDays, onError });
  }

  /** A directory with three entries on each of the days so many days ago and of today, all shipped. */
  async function shippedDirectory(days: readonly number[]): Promise<string> {
    const path = await temporaryDirectory();
    for (const ago of days) await daysAgo(ago, () => write(new FileStorage({ path, signer: log.signer })));
    await ship(path);
    expect(errors).toEqual([]);
    return path;
  }

  async function ship(path: string, keepLocalDays = Infinity): Promise<void> {
    const storage = new FileStorage({ path, signer: log.signer, archive: archive(keepLocalDays) });
    await write(storage);
  }
});

/** An archive that takes nothing yet. */
const silent: SegmentArchive = {
  keepLocalDays: Infinity,
  onError: () => undefined,
  store: () => Promise.reject(new Error("not now")),
};

async function write(storage: FileStorage | S3Storage): Promise<void> {
  for (let count = 0; count < 3; count += 1) {
    const { id, line } = testEntry(Date.now());
    await storage.append(line, id);
  }
  await storage.close();
}

async function daysAgo(days: number, run: () => Promise<void>): Promise<void> {
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - days * DAY_MS });
  await run();
  vi.useRealTimers();
}

async function segments(path: string): Promise<string[]> {
  return (await readdir(path)).filter((name) => name.endsWith(".jsonl")).toSorted();
}

/** A closed segment that holds one line. */
function sealed(file: string, line: string, signer: Signer | undefined): Buffer {
  const segment = new Segment({
    file,
    stream: "BBBBBBBBBBBBBBBB",
    seq: 0,
    created: "2020-01-01T00:00:00.000Z",
    prev: null,
    seen: [],
    sdk: "test",
    ...(signer && { signer }),
  });
  return Buffer.concat([segment.seal([line], 0), segment.close("close")]);
}

function states({ files }: Verification): string[] {
  return files.map(({ state }) => state);
}

function messages({ files }: Verification): string {
  return files.flatMap(({ problems }) => problems.map(({ message }) => message)).join("\n");
}

function decode(text: string | undefined): string {
  return Buffer.from(text ?? "", "base64").toString();
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64");
}
