// The files of a directory: how each begins, ends, and is numbered, also after a crash.
import { appendFile, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { AuditLogger, FileStorage, Signer, verifyLog } from "../../../src/index.ts";
import { testEntry } from "../../../src/testing.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { TODAY, call, linesOf, filesOf } from "./written-log.ts";

const DAY_MS = 86_400_000;

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
