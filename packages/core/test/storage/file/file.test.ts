import { ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFile,
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  unlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  type AuditEntry,
  AuditLogger,
  EncryptionManager,
  FileStorage,
  Signer,
  verifyLog,
} from "../../../src/index.ts";
import { testEntry } from "../../../src/testing.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const DAY_MS = 86_400_000;
const TODAY = new Date().toISOString().slice(0, 10).replaceAll("-", "");
const call = { input: "Hello!", output: "Hi." };

async function linesOf(path: string, file: string): Promise<string[]> {
  const text = await readFile(join(path, file), "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text.slice(0, -1).split("\n");
}

async function filesOf(path: string): Promise<string[]> {
  return (await readdir(path)).filter((name) => name.endsWith(".jsonl")).toSorted();
}

async function logSome(logger: AuditLogger, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => logger.log(call)));
}

describe("A segment", () => {
  it("begins with segment.open, ends with segment.close and a checkpoint, and is its owner's alone", async () => {
    const path = join(await temporaryDirectory(), "made", "on", "demand");
    const signer = await Signer.generate("example.com/audit");
    const storage = new FileStorage({ path, signer });
    const logger = new AuditLogger(storage);
    await logger.log(call);
    await logger.close();
    expect(await filesOf(path)).toEqual([`audit_${TODAY}.jsonl`]);
    const lines = (await linesOf(path, `audit_${TODAY}.jsonl`)).map((line) => JSON.parse(line));
    expect(lines.map(({ type }) => type)).toEqual([
      "segment.open",
      undefined,
      "checkpoint",
      "segment.close",
      "checkpoint",
    ]);
    expect(lines[0]).toMatchObject({
      v: 1,
      file: `audit_${TODAY}.jsonl`,
      stream: storage.stream,
      seq: 0,
      vkey: signer.vkey,
      prev: null,
      seen: [],
    });
    expect(lines[3]).toEqual({ type: "segment.close", reason: "close", leaves: 3, entries: 1 });
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, `audit_${TODAY}.jsonl`))).mode & 0o777).toBe(0o600);
  });

  it("is sealed before log() resolves: one write holds the lines and their checkpoint", async () => {
    const path = await temporaryDirectory();
    const logger = new AuditLogger(path);
    await logSome(logger, 5);
    const types = (await linesOf(path, `audit_${TODAY}.jsonl`)).map(
      (line) => JSON.parse(line).type,
    );
    expect(types).toEqual([
      "segment.open",
      ...Array.from({ length: 5 }, () => undefined),
      "checkpoint",
    ]);
    await logger.close();
  });

  it("ends before it grows beyond rotationSizeMb, and the next one names it", async () => {
    const path = await temporaryDirectory();
    const logger = new AuditLogger(new FileStorage({ path, rotationSizeMb: 0.01 }));
    const ids: string[] = [];
    for (let n = 0; n < 12; n += 1) ids.push(...(await logSome(logger, 5)));
    await logger.close();
    const files = await filesOf(path);
    expect(files.length).toBeGreaterThan(2);
    expect(files[1]).toBe(`audit_${TODAY}_001.jsonl`);
    for (const [seq, file] of files.entries()) {
      expect((await stat(join(path, file))).size).toBeLessThanOrEqual(0.01 * 2 ** 20);
      const [open] = await linesOf(path, file);
      expect(JSON.parse(open ?? "")).toMatchObject({
        seq,
        seen: [],
        prev: seq === 0 ? null : { file: files[seq - 1] },
      });
    }
    for (const id of ids) expect((await logger.getEntry(id))?.id).toBe(id);
    expect((await Array.fromAsync(logger.entries())).map(({ id }) => id)).toEqual(ids);
    expect(await logger.count()).toBe(60);
  });

  it("holds a single entry that is larger than the limit", async () => {
    const path = await temporaryDirectory();
    const logger = new AuditLogger(new FileStorage({ path, rotationSizeMb: 0.01 }), {
      storeContent: true,
    });
    const ids = await Promise.all(
      ["a", "b"].map((letter) => logger.log({ input: letter.repeat(50_000), output: "" })),
    );
    for (const id of ids) expect((await logger.getEntry(id))?.inputContent).toHaveLength(50_000);
    await logger.close();
    expect(await filesOf(path)).toHaveLength(2);
  });

  it("ends with its UTC day; entries of one commit go to their own day's file", async () => {
    const path = await temporaryDirectory();
    const midnight = Date.now() - (Date.now() % DAY_MS);
    const entries = [midnight - 2, midnight - 1, midnight, midnight + 1].map((time) =>
      testEntry(time),
    );
    const storage = new FileStorage({ path });
    await Promise.all(entries.map(({ line, id }) => storage.append(line, id)));
    for (const { line, id } of entries) expect(await storage.get(id)).toBe(line);
    const range = { from: midnight - 1, to: midnight };
    expect((await Array.fromAsync(storage.pages(range, "oldest-first"))).flat()).toEqual([
      entries[1]?.line,
      entries[2]?.line,
    ]);
    expect(await storage.count(range)).toBe(2);
    await storage.close();
    expect(await filesOf(path)).toHaveLength(2);
    const yesterday = await linesOf(path, (await filesOf(path))[0] ?? "");
    expect(JSON.parse(yesterday.at(-2) ?? "")).toMatchObject({
      type: "segment.close",
      reason: "day",
      entries: 2,
    });
  });

  it("of a day that is over ends although its writer is idle", async () => {
    const path = await temporaryDirectory();
    const storage = new FileStorage({ path });
    const { line, id } = testEntry(Date.now() - DAY_MS);
    await storage.append(line, id);
    const [file = ""] = await filesOf(path);
    await vi.waitFor(async () => {
      expect((await linesOf(path, file)).at(-2)).toBe(
        '{"type":"segment.close","reason":"day","leaves":3,"entries":1}',
      );
    }, 20_000);
    await storage.close();
    expect(await filesOf(path)).toEqual([file]);
  }, 30_000);

  it("takes the next free number, compared as a number, also beyond 999", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    const ids: string[] = [];
    for (const present of [undefined, "099", "999"]) {
      if (present) await writeFile(join(path, `audit_${TODAY}_${present}.jsonl`), "");
      const logger = new AuditLogger(new FileStorage({ path, signer }));
      ids.push(await logger.log(call));
      await logger.close();
      if (present) await unlink(join(path, `audit_${TODAY}_${present}.jsonl`));
    }
    expect(await filesOf(path)).toEqual([
      `audit_${TODAY}.jsonl`,
      `audit_${TODAY}_100.jsonl`,
      `audit_${TODAY}_1000.jsonl`,
    ]);
    const logger = new AuditLogger(path);
    expect((await Array.fromAsync(logger.entries())).map(({ id }) => id)).toEqual(ids);
    expect(await verifyLog(path, { trustedKeys: [signer.vkey] })).toMatchObject({
      exitCode: 0,
      entries: 3,
    });
  });
});

describe("Several writers in one directory", () => {
  it("never share a file; their entries are merged by time", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    const loggers = Array.from(
      { length: 5 },
      () => new AuditLogger(new FileStorage({ path, signer, rotationSizeMb: 0.02 })),
    );
    const ids: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      const logged = await Promise.all(
        loggers.map((logger) => logger.log({ ...call, metadata: { round } })),
      );
      ids.push(...logged);
    }
    const reader = new AuditLogger(path);
    const entries = await Array.fromAsync(reader.entries());
    expect(entries.map(({ id }) => id)).toEqual(ids.toSorted());
    expect(entries.map(({ metadata }) => metadata["round"])).toEqual(
      ids.map((_, n) => Math.floor(n / 5)),
    );
    expect(await Array.fromAsync(reader.entries({ newestFirst: true }))).toEqual(
      entries.toReversed(),
    );
    expect(await reader.count()).toBe(100);
    await Promise.all(loggers.map((logger) => logger.close()));
    expect(await reader.count()).toBe(100);
    const streams = new Map<string, string>();
    for (const file of await filesOf(path))
      streams.set(file, JSON.parse((await linesOf(path, file))[0] ?? "").stream);
    expect(new Set(streams.values()).size).toBe(5);
    expect(await verifyLog(path, { trustedKeys: [signer.vkey] })).toMatchObject({
      exitCode: 0,
      entries: 100,
    });
  });

  it("record each other's states, so that a whole deleted stream is missed", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    for (let n = 0; n < 3; n += 1) {
      await using logger = new AuditLogger(new FileStorage({ path, signer }));
      await logger.log(call);
    }
    expect(await verifyLog(path, { trustedKeys: [signer.vkey] })).toMatchObject({ exitCode: 0 });
    const [first, second] = (await verifyLog(path, { trustedKeys: [signer.vkey] })).files;
    const [open] = await linesOf(path, `audit_${TODAY}_002.jsonl`);
    // The first one's end is what the second one's first line records already.
    expect(JSON.parse(open ?? "").seen).toEqual([
      { file: second?.file, size: 3, root: second?.head?.root },
    ]);
    expect(JSON.parse((await linesOf(path, second?.file ?? ""))[0] ?? "").seen).toEqual([
      { file: first?.file, size: 3, root: first?.head?.root },
    ]);
    await unlink(join(path, `audit_${TODAY}_001.jsonl`));
    const verification = await verifyLog(path, { trustedKeys: [signer.vkey] });
    expect(verification.exitCode).toBe(1);
    expect(verification.files.map(({ file, state }) => [file, state])).toContainEqual([
      `audit_${TODAY}_001.jsonl`,
      "MISSING",
    ]);
  });
});

describe("Ends that a crash leaves", () => {
  it.each([
    ["a torn line", '{"id":"01981f6c-3a00-7abc-8def-0123456789ab","timest'],
    ["zero bytes", "\0".repeat(4096)],
  ])("%s is not read and costs nobody anything", async (_, tail) => {
    const path = await temporaryDirectory();
    const crashed = new AuditLogger(path);
    const ids = await logSome(crashed, 3);
    await crashed.flush();
    await appendFile(join(path, `audit_${TODAY}.jsonl`), tail);
    await using logger = new AuditLogger(path);
    ids.push(...(await logSome(logger, 2)));
    expect((await Array.fromAsync(logger.entries())).map(({ id }) => id)).toEqual(ids);
    const newest = await Array.fromAsync(logger.entries({ newestFirst: true }));
    expect(newest.map(({ id }) => id)).toEqual(ids.toReversed());
    for (const id of ids) expect((await logger.getEntry(id))?.id).toBe(id);
    expect(await logger.getEntry("01981f6c-3a00-7abc-8def-0123456789ab")).toBeUndefined();
    expect(await logger.count()).toBe(5);
    expect((await verifyLog(path, {})).files[0]?.state).toBe("TORN_TAIL");
  });

  it("a file that died before its first line is passed over", async () => {
    const path = await temporaryDirectory();
    await writeFile(join(path, `audit_${TODAY}.jsonl`), "");
    await writeFile(join(path, `audit_${TODAY}_001.jsonl`), '{"type":"segment.op');
    await using logger = new AuditLogger(path);
    const id = await logger.log(call);
    expect((await Array.fromAsync(logger.entries())).map((entry) => entry.id)).toEqual([id]);
    expect(await logger.count()).toBe(1);
  });
});

describe("Interference", () => {
  it("a directory that is deleted under a writer refuses what it cannot keep, then is made again", async () => {
    const path = join(await temporaryDirectory(), "log");
    const logger = new AuditLogger(path);
    await logger.log(call);
    await rm(path, { recursive: true });
    const error = await rejected(logger.log(call));
    expect(error).toMatchObject({ name: "AuditWriteError", code: "AUDIT_WRITE_FAILED" });
    expect(String(error)).toContain("was removed while it was written to");
    expect((await logger.health()).ok).toBe(false);
    const id = await logger.log(call);
    expect((await logger.getEntry(id))?.id).toBe(id);
    expect(await logger.health()).toMatchObject({ ok: true, lostWrites: 1, totalEntries: 1 });
    await logger.close();
    const [, second = ""] = await linesOf(path, `audit_${TODAY}_001.jsonl`);
    expect(JSON.parse(second)).toMatchObject({ type: "loss", entries: 1 });
    const verification = await verifyLog(path, {});
    expect(verification).toMatchObject({ exitCode: 1, entries: 1 });
    expect(verification.files.map(({ state }) => state)).toEqual(["MISSING", "UNSIGNED"]);
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

describe("FileStorage's options", () => {
  it.each([
    [
      { singer: "x" },
      'FileStorage: option "singer" is unknown: there are path, rotationSizeMb, durability, signer',
    ],
    [
      { signer: "-----BEGIN PRIVATE KEY-----" },
      "signer must be a Signer: see Signer.fromPem() and Signer.fromEnv()",
    ],
    [{ rotationSizeMb: 0 }, "rotationSizeMb must be a number > 0"],
    [{ durability: "maybe" }, "durability must be 'fsync' or 'os'"],
  ])("refuse %o at once", async (options, message) => {
    const path = await temporaryDirectory();
    const make = (): unknown => Reflect.construct(FileStorage, [{ path, ...options }]);
    expect(make).toThrow(expect.objectContaining({ code: "AUDIT_CONFIG_INVALID" }));
    expect(make).toThrow(message);
    expect(await readdir(path)).toEqual([]);
  });
});
