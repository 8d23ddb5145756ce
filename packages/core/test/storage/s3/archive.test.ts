import { type ChildProcess, spawn } from "node:child_process";
import { appendFile, readdir, readFile, rm, unlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { FileVerification, Verification } from "../../../src/verify/verification.ts";
import { verifyLog } from "../../../src/log/verify-log.ts";
import { placeHold, releaseHold } from "../../../src/log/holds.ts";
import { FileStorage } from "../../../src/storage/file/file.ts";
import { S3Archive, type S3ArchiveOptions } from "../../../src/storage/s3/index.ts";
import { testEntry, type TestEntry } from "../../../src/testing.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { FaultProxy } from "@ai-audit/test-support/fault-proxy";
import { S3Log } from "../../support/s3-log.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type S3Server, s3Server, serverAt } from "@ai-audit/test-support/s3-servers";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { times } from "@ai-audit/test-support/soak";

const WRITER = fileURLToPath(new URL("../../support/archive-writer.ts", import.meta.url));
const DAY_MS = 86_400_000;
/** For waiting on a loaded machine. */
const PATIENT = { timeout: 40_000, interval: 100 };

describe.skipIf(isLeftOut("ceph"))("A directory with an archive", { timeout: 180_000 }, () => {
  let server: S3Server;
  let log: S3Log;
  let path: string;
  let errors: string[];

  beforeAll(async () => {
    server = await s3Server("ceph");
  }, 120_000);

  function archive(options: Partial<S3ArchiveOptions> = {}): S3Archive {
    const { bucket, prefix, client } = log;
    return new S3Archive({
      bucket,
      prefix,
      client,
      onError: ({ message }) => errors.push(message),
      ...options,
    });
  }

  function directory(options: Partial<S3ArchiveOptions> = {}): FileStorage {
    return new FileStorage({
      path,
      signer: log.signer,
      rotationSizeMb: 0.01,
      archive: archive(options),
    });
  }

  async function fresh(): Promise<void> {
    log = await S3Log.make(server);
    path = await temporaryDirectory();
    errors = [];
  }

  const segments = async (): Promise<string[]> =>
    (await readdir(path)).filter((name) => name.endsWith(".jsonl")).toSorted();
  /** A copy was removed: a line in one of the files says so. */
  const hasRemoved = async (): Promise<boolean> => {
    for (const file of await segments())
      if ((await readFile(join(path, file), "utf8")).includes('"type":"retention.archived"'))
        return true;
    return false;
  };

  it("ships every closed segment byte for byte, and both places verify", async () => {
    await fresh();
    const storage = directory();
    const entries = await write(storage, 60, Date.now());
    await storage.close();
    expect(errors).toEqual([]);
    const files = await segments();
    expect(files.length).toBeGreaterThan(3);
    const keys = await log.keys();
    expect(keys.map((key) => key.split("/").at(-1))).toEqual(files);
    for (const key of keys) {
      const { body, metadata } = await log.read(key);
      expect(body).toBe(await readFile(join(path, key.split("/").at(-1) ?? ""), "utf8"));
      expect(key).toContain(`/${storage.stream}/`);
      expect(metadata["audit-sha256"]).toMatch(/^[0-9a-f]{64}$/);
    }
    expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 60 });
    const reader = log.storage();
    expect((await Array.fromAsync(reader.pages({}, "oldest-first"))).flat()).toEqual(
      entries.map(({ line }) => line),
    );
    expect((await Array.fromAsync(reader.pages({}, "newest-first"))).flat()).toEqual(
      entries.map(({ line }) => line).toReversed(),
    );
    expect(await reader.get(entries[31]?.id ?? "")).toBe(entries[31]?.line);
    expect(await reader.count({})).toBe(60);
    expect(await reader.count({ from: Date.now() })).toBe(0);
  });

  it("removes a local copy only after its time, and what is gone verifies as ARCHIVED here and as OK there", async () => {
    await fresh();
    const old = directory({ keepLocalDays: 0 });
    await write(old, 40, Date.now() - 3 * DAY_MS);
    await old.close();
    const shipped = await segments();
    const storage = directory({ keepLocalDays: 0 });
    await write(storage, 1, Date.now());
    const copies = async (): Promise<string[]> =>
      (await segments()).filter((file) => shipped.includes(file));
    await expect.poll(copies, PATIENT).toEqual([]);
    await storage.close();
    expect(errors).toEqual([]);
    const local = await verifyLog(path, { trustedKeys: [log.signer.vkey] });
    expect(local.files.flatMap(({ problems }) => problems)).toEqual([]);
    expect(local.exitCode).toBe(0);
    expect(local.verdict).toContain(
      `${shipped.length} files moved to an archive, which was not read`,
    );
    expect(local.files.filter(({ state }) => state === "ARCHIVED").map(({ file }) => file)).toEqual(
      shipped,
    );
    const remote = await log.verify();
    expect(remote).toMatchObject({ exitCode: 0, entries: 41 });
    // What the directory moved to the archive must be there.
    await log.remove((await log.keys())[0] ?? "");
    expect(await log.verify()).toMatchObject({ exitCode: 1 });
  });

  it("calls a file that went without a record MISSING, archive or not", async () => {
    await fresh();
    const storage = directory();
    await write(storage, 40, Date.now());
    await storage.close();
    await unlink(join(path, (await segments())[0] ?? ""));
    expect(await verifyLog(path, { trustedKeys: [log.signer.vkey] })).toMatchObject({
      exitCode: 1,
    });
  });

  it("keeps a copy that is not what was shipped, and says so", async () => {
    await fresh();
    const old = directory();
    await write(old, 10, Date.now() - 3 * DAY_MS);
    await old.close();
    const [file = ""] = await segments();
    await appendFile(join(path, file), "{}\n");
    const storage = directory({ keepLocalDays: 0 });
    await write(storage, 1, Date.now());
    await expect
      .poll(() => errors.join("\n"), { timeout: 20_000 })
      .toContain(`${file} was not shipped: ${file} is not what was shipped`);
    await storage.close();
    expect(await segments()).toContain(file);
  });

  it("does not overwrite other bytes under a segment's key", async () => {
    await fresh();
    const storage = directory();
    const [entry] = await write(storage, 1, Date.now());
    const day = new Date().toISOString().slice(0, 10);
    const key = `${day}/${storage.stream}/audit_${day.replaceAll("-", "")}.jsonl`;
    await log.write(key, "something else\n");
    await storage.close();
    expect(errors.join()).toMatch(/was not shipped: s3:\/\/.* holds other bytes than audit_/);
    expect((await log.read(key)).body).toBe("something else\n");
    expect(await storage.get(entry?.id ?? "")).toBe(entry?.line);
  });

  it("goes on where an archive that could not be reached left off; logging is not held up by it", async () => {
    await fresh();
    const proxy = await FaultProxy.start(server.endpoint);
    proxy.plan = () => ({ kind: "refuse", status: 403, code: "AccessDenied" });
    const client = serverAt(proxy.endpoint).client();
    const storage = directory({ client });
    await write(storage, 30, Date.now());
    await expect.poll(() => errors.length, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(await log.keys()).toEqual([]);
    proxy.plan = () => undefined;
    await storage.close();
    expect((await log.keys()).length).toBe((await segments()).length);
  });

  it("ships the segments of several processes' directory once, and forgets nothing when its memory is lost", async () => {
    await fresh();
    const storages = [directory(), directory(), directory()];
    await Promise.all(storages.map((storage) => write(storage, 15, Date.now())));
    await Promise.all(storages.map((storage) => storage.close()));
    const keys = await log.keys();
    expect(keys.map((key) => key.split("/").at(-1) ?? "").toSorted()).toEqual(await segments());
    await rm(join(path, ".archive"), { recursive: true });
    const again = directory();
    await write(again, 1, Date.now());
    await again.close();
    expect(errors.filter((message) => !message.includes("holds other bytes"))).toEqual([]);
    expect((await log.keys()).length).toBe(keys.length + 1);
  });

  it("ends with every closed segment in the bucket, byte-identical, after its processes were killed", async () => {
    await fresh();
    const prefixed = await S3Log.make(server);
    const acknowledged: string[] = [];
    const rounds = times(3, 20);
    const args = [WRITER, path, server.endpoint, prefixed.bucket, log.signer.toPem()];
    const live = async (until: () => Promise<unknown>): Promise<void> => {
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      acknowledged.push(...(await killAfter(child, until)));
    };
    for (let kills = 0; kills < rounds; kills += 1)
      await live(() => sleep(300 + (kills * 700) / rounds));
    await live(() => vi.waitFor(async () => expect(await hasRemoved()).toBe(true), PATIENT));
    // What the kills left open is closed once nobody has written to it for a day.
    const long = new Date(Date.now() - 2 * DAY_MS);
    for (const file of await segments()) await utimes(join(path, file), long, long);
    const { bucket, client } = prefixed;
    const last = new FileStorage({
      path,
      signer: log.signer,
      archive: new S3Archive({ bucket, client, onError: ({ message }) => errors.push(message) }),
    });
    await write(last, 1, Date.now());
    await last.close();
    expect(errors).toEqual([]);
    const remote = prefixed.storage({ prefix: "audit" });
    const lines = (await Array.fromAsync(remote.pages({}, "oldest-first"))).flat();
    const ids = lines.map((line) => line.slice(7, 43));
    expect(ids).toEqual([...new Set(ids)].toSorted());
    expect(acknowledged.length).toBeGreaterThan(5 * rounds);
    expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
    for (const file of await segments()) {
      const text = await readFile(join(path, file), "utf8");
      if (!text.includes('{"type":"checkpoint",')) continue; // killed before its first commit
      const [, stream = ""] = /"stream":"([^"]+)"/.exec(text) ?? [];
      const key = `${file.slice(6, 10)}-${file.slice(10, 12)}-${file.slice(12, 14)}/${stream}/${file}`;
      const { Body } = await client.send(
        new GetObjectCommand({ Bucket: bucket, Key: `audit/${key}` }),
      );
      expect(await Body?.transformToString()).toBe(text);
    }
    const trustedKeys = [log.signer.vkey];
    const local = await verifyLog(path, { trustedKeys });
    expect(unexplained(local)).toEqual([]);
    const archived = await verifyLog(`s3://${bucket}/audit`, { trustedKeys, s3: { client } });
    expect(unexplained(archived)).toEqual([]);
    expect(local.files.map(({ state }) => state)).toContain("ARCHIVED");
  });

  it("ships what a crash left open once nobody has written to it for a day", async () => {
    await fresh();
    await write(new FileStorage({ path, signer: log.signer }), 3, Date.now() - 5 * DAY_MS); // never closed
    const [file = ""] = await segments();
    await ship();
    expect((await log.keys()).filter((key) => key.endsWith(file))).toEqual([]);
    await utimes(join(path, file), new Date(), new Date(Date.now() - 2 * DAY_MS));
    await ship();
    expect((await log.keys()).filter((key) => key.endsWith(file))).toHaveLength(1);
  });

  async function ship(): Promise<void> {
    const storage = directory({ keepLocalDays: 0 });
    await write(storage, 1, Date.now());
    await storage.close();
  }

  it("takes a hold along: the bucket's retention keeps what a directory was told to keep, until the release", async () => {
    await fresh();
    const noon = Math.floor(Date.now() / DAY_MS) * DAY_MS - 40 * DAY_MS + DAY_MS / 2;
    for (const day of [0, 1]) {
      const storage = directory();
      await write(storage, 3, noon + day * DAY_MS);
      await storage.close();
    }
    const hold = await placeHold(path, {
      from: new Date(noon),
      to: new Date(noon),
      reason: "a case",
      actor: "test",
    });
    await ship();
    const bucket = log.storage();
    const now = Date.now();
    const options = { before: now - 30 * DAY_MS, policy: "30 days", actor: "test", now };
    const held = `${new Date(noon).toISOString().slice(0, 10)}/`;
    expect(await bucket.prune(options)).toMatchObject({ entries: 3, held: [held] });
    expect(await bucket.count({})).toBe(4);
    await releaseHold(path, hold, { reason: "closed", actor: "test" });
    await ship();
    expect(await bucket.prune(options)).toMatchObject({ entries: 3, held: [] });
    expect(await bucket.count({})).toBe(2);
    await bucket.close();
    expect(await log.verify()).toMatchObject({ exitCode: 2 }); // the hold was not signed
    expect((await log.verify()).files.filter(({ state }) => state === "MISSING")).toEqual([]);
  });

  it("refuses options that make no sense", async () => {
    await fresh();
    expect(await rejected(() => archive({ keepLocalDays: -1 }))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: "S3Archive: keepLocalDays must be a number >= 0",
    });
  });
});

async function write(storage: FileStorage, count: number, time: number): Promise<TestEntry[]> {
  const entries = Array.from({ length: count }, () => testEntry(time));
  for (const { id, line } of entries) await storage.append(line, id);
  return entries;
}

/** Findings that no kill explains. */
function unexplained({ files }: Verification): FileVerification[] {
  return files.filter(({ state }) => !KILLED.has(state));
}

/** States that a kill may leave, none of which says that something is missing or altered. */
const KILLED: ReadonlySet<string> = new Set([
  "OK",
  "OPEN",
  "ARCHIVED",
  "UNCLOSED",
  "TORN_TAIL",
  "UNSEALED_TAIL",
]);

/**
 * Kills a process once it has written something and `until` has resolved. Resolves to its lines.
 */
async function killAfter(child: ChildProcess, until: () => Promise<unknown>): Promise<string[]> {
  let output = "";
  child.stdout?.setEncoding("utf8");
  const first = new Promise<void>((resolve) => {
    child.stdout?.on("data", (text: string) => {
      output += text;
      resolve();
    });
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  await Promise.race([first, ended]);
  await until();
  child.kill("SIGKILL");
  await ended;
  return output.split("\n").slice(0, -1);
}
