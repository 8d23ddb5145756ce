// What others do to a directory: files that are no segments of ours, moved and deleted ones.
import { ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmod,
  copyFile,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  type AuditEntry,
  AuditLogger,
  EncryptionManager,
  FileStorage,
  verifyLog,
} from "../../../src/index.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { TODAY, call, linesOf, filesOf } from "./written-log.ts";

describe("Interference", () => {
  it("a directory that is deleted under a writer is made again, and no entry is refused for it", async () => {
    const path = join(await temporaryDirectory(), "log");
    const logger = new AuditLogger(path);
    await logger.log(call);
    await rm(path, { recursive: true });
    const id = await logger.log(call);
    expect((await logger.getEntry(id))?.id).toBe(id);
    expect(await logger.health()).toMatchObject({ ok: true, lostWrites: 0, totalEntries: 1 });
    await logger.close();
    const [, second = ""] = await linesOf(path, `audit_${TODAY}_001.jsonl`);
    expect(JSON.parse(second)).toMatchObject({
      type: "again",
      leaf: 2,
      first: id,
      last: id,
      count: 1,
    });
    expect(JSON.parse(second).reason).toContain("was removed while it was written to");
    const verification = await verifyLog(path, {});
    expect(verification).toMatchObject({ exitCode: 1, entries: 1 });
    expect(verification.files.map(({ state }) => state)).toEqual(["MISSING", "UNSIGNED"]);
  });

  it("a directory that is deleted under a busy writer loses nothing that is acknowledged later", async () => {
    const path = join(await temporaryDirectory(), "log");
    await using logger = new AuditLogger(path);
    for (let count = 0; count < 20; count += 1) await logger.log(call); // the thread starts
    await sleep(1500); // it is there, and the next call looks for the file's name
    await logger.log(call);
    await rm(path, { recursive: true });
    const id = await logger.log(call); // too soon to look again
    expect((await logger.getEntry(id))?.id).toBe(id);
    expect(await logger.health()).toMatchObject({ ok: true, lostWrites: 0, totalEntries: 1 });
  });

  it("a directory without permission says so, for writing and for reading", async () => {
    const path = await temporaryDirectory();
    await using logger = new AuditLogger(path);
    await logger.log(call);
    const source = `
      import { AuditLogger } from ${JSON.stringify(join(import.meta.dirname, "../../../src/index.ts"))};
      if (process.getuid?.() === 0) { process.setgid(65534); process.setuid(65534); }
      const logger = new AuditLogger(process.argv[1]);
      const attempts = [logger.log({ input: "", output: "" }), logger.getEntry("01981f6c-3a00-7abc-8def-0123456789ab"), logger.count(),
        Array.fromAsync(logger.entries()), logger.cleanupExpired()];
      for (const { reason } of await Promise.allSettled(attempts)) console.log(reason?.code, reason?.cause?.code);`;
    await chmod(path, 0o000);
    onTestFinished(() => chmod(path, 0o700));
    const args = ["--input-type=module", "--eval", source, path];
    const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(stdout.split("\n")).toEqual([
      "AUDIT_WRITE_FAILED EACCES",
      ...Array.from({ length: 4 }, () => "AUDIT_READ_FAILED EACCES"),
      "",
    ]);
    await chmod(path, 0o700);
  });

  it.skipIf(process.platform === "win32")(
    "what is no file but has a segment's name is no part of the log, and nothing waits for it",
    async () => {
      const path = await temporaryDirectory();
      await mkdir(join(path, `audit_${TODAY}.jsonl`));
      execFileSync("mkfifo", [join(path, `audit_${TODAY}_001.jsonl`)]);
      await symlink("/nowhere", join(path, `audit_${TODAY}_002.jsonl`));
      await symlink(`audit_${TODAY}_003.jsonl`, join(path, `audit_${TODAY}_003.jsonl`));
      const logger = new AuditLogger(path, { retentionDays: 1 });
      const id = await logger.log(call);
      expect(await logger.count()).toBe(1);
      expect((await Array.fromAsync(logger.entries())).map((entry) => entry.id)).toEqual([id]);
      expect(await logger.getEntry("01900000-0000-7000-8000-000000000000")).toBeUndefined();
      expect(await logger.cleanupExpired()).toBe(0);
      await logger.close();
      expect((await filesOf(path)).at(-1)).toBe(`audit_${TODAY}_004.jsonl`);
    },
  );

  it("a first line without an end is nobody's: it is not read, and stops nobody", async () => {
    const path = await temporaryDirectory();
    await writeFile(join(path, `audit_${TODAY}_005.jsonl`), "");
    await truncate(join(path, `audit_${TODAY}_005.jsonl`), 8 * 2 ** 30);
    const logger = new AuditLogger(path);
    const id = await logger.log(call);
    expect((await Array.fromAsync(logger.entries())).map((entry) => entry.id)).toEqual([id]);
    expect(await logger.count()).toBe(1);
    expect(await logger.getEntry("of-the-original")).toBeUndefined();
    await logger.close();
  });

  it("a file that was renamed while it was written to is left, and the log goes on in another", async () => {
    const path = await temporaryDirectory();
    const logger = new AuditLogger(path);
    await logger.log(call);
    await rename(join(path, `audit_${TODAY}.jsonl`), join(path, "kept.old"));
    await vi.waitFor(async () => {
      const id = await logger.log(call);
      expect((await logger.getEntry(id))?.id).toBe(id);
    }, 10_000);
    await logger.close();
    expect(await filesOf(path)).toHaveLength(1);
    expect((await readFile(join(path, "kept.old"), "utf8")).split("\n").at(-3)).toContain(
      '"reason":"moved"',
    );
  }, 15_000);

  it("a planted number as high as names go leaves the log readable", async () => {
    const path = await temporaryDirectory();
    await writeFile(join(path, `audit_${TODAY}_999999999999999.jsonl`), "");
    await writeFile(join(path, `audit_${TODAY}_999999.jsonl`), "");
    const logger = new AuditLogger(path);
    const id = await logger.log(call);
    expect((await logger.getEntry(id))?.id).toBe(id);
    expect(await logger.count()).toBe(1);
    await logger.close();
    expect(await filesOf(path)).toContain(`audit_${TODAY}.jsonl`);
  });

  it("a line of a foreign file without a time that can be read is no entry, however it is looked for", async () => {
    const path = await temporaryDirectory();
    const lines = [
      { id: "a", timestamp: "2024-01-01T00:00:00Z", input_hash: "", output_hash: "" },
      { id: "b", timestamp: "yesterday", input_hash: "", output_hash: "" },
    ].map((entry) => `${JSON.stringify(entry)}\n`);
    await writeFile(join(path, "audit_20240101.jsonl"), lines.join(""));
    const logger = new AuditLogger(path);
    expect((await Array.fromAsync(logger.entries())).map((entry) => entry.id)).toEqual(["a"]);
    expect(await logger.count()).toBe(1);
    expect((await logger.getEntry("a"))?.id).toBe("a");
    expect(await logger.getEntry("b")).toBeUndefined();
  });
});

async function withOriginal(kind: "hash" | "plain" | "encrypted"): Promise<string> {
  const path = await temporaryDirectory();
  await copyFile(
    join(ORIGINAL_LOGS, kind, "audit_20261123.jsonl"),
    join(path, "audit_20261123.jsonl"),
  );
  await chmod(join(path, "audit_20261123.jsonl"), 0o600);
  await using logger = new AuditLogger(new FileStorage({ path }));
  await logger.log(call);
  return path;
}

describe("Files of the Python original", () => {
  interface Expected {
    readonly mode: string;
    readonly id: string;
    readonly input: string;
    readonly output: string;
  }

  it.each(["hash", "plain", "encrypted"] as const)("are read beside ours: %s", async (kind) => {
    const path = await withOriginal(kind);
    const all: Expected[] = JSON.parse(
      await readFile(join(ORIGINAL_LOGS, "expected.json"), "utf8"),
    );
    const expected = all.filter(({ mode }) => mode === kind);
    expect(expected.length).toBeGreaterThan(5);
    const key = (await readFile(join(ORIGINAL_LOGS, "key.txt"), "utf8")).trim();
    const logger = new AuditLogger(path, { encryption: new EncryptionManager(key) });
    for (const { id, input, output } of expected) {
      const entry = await logger.getEntry(id);
      if (!entry) throw new Error(`${id} is not found`);
      expect(logger.verifyContent(entry, { input, output })).toEqual({ input: true, output: true });
      expect(logger.content(entry)).toEqual(kind === "hash" ? {} : { input, output });
    }
    const entries = await Array.fromAsync(logger.entries());
    expect(entries).toHaveLength(expected.length + 1);
    expect(await logger.count()).toBe(expected.length + 1);
    const newest = await Array.fromAsync(logger.entries({ newestFirst: true }));
    expect(newest.map(({ id }) => id)).toEqual(entries.map(({ id }) => id).toReversed());
    const times = entries.map(({ timestamp }: AuditEntry) => Date.parse(timestamp));
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
    const [from, to] = [new Date("2026-11-23T00:00:00Z"), new Date("2026-11-23T23:59:59.999Z")];
    const ours = TODAY === "20261123" ? 1 : 0;
    expect(await logger.count({ from, to })).toBe(expected.length + ours);
    const verification = await verifyLog(path, {});
    expect(verification.exitCode).toBe(2);
    expect(verification.files.find(({ file }) => file === "audit_20261123.jsonl")?.state).toBe(
      "FOREIGN",
    );
  });
});
