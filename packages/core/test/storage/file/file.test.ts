import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AuditLogger, FileStorage, Signer, verifyLog } from "../../../src/index.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { TODAY, call, linesOf, filesOf } from "./written-log.ts";

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

describe("FileStorage's options", () => {
  it.each([
    [
      { singer: "x" },
      'FileStorage: option "singer" is unknown: there are path, rotationSizeMb, durability, writeTimeoutMs, signer',
    ],
    [
      { signer: "-----BEGIN PRIVATE KEY-----" },
      "signer must be a Signer: see Signer.fromPem() and Signer.fromEnv()",
    ],
    [{ rotationSizeMb: 0 }, "FileStorage: rotationSizeMb must be a number > 0"],
    [{ durability: "maybe" }, "FileStorage: durability must be 'fsync' or 'os'"],
  ])("refuse %o at once", async (options, message) => {
    const path = await temporaryDirectory();
    const make = (): unknown => Reflect.construct(FileStorage, [{ path, ...options }]);
    expect(make).toThrow(expect.objectContaining({ code: "AUDIT_CONFIG_INVALID" }));
    expect(make).toThrow(message);
    expect(await readdir(path)).toEqual([]);
  });
});
