// Clean-ups of several writers at the same time, as a scheduled clean-up in every process of a
// cluster makes them.
import { rm, unlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { AuditLogger, FileStorage, Signer, verifyLog } from "../../../src/index.ts";
import { Directory } from "../../../src/storage/file/directory.ts";
import { testEntry } from "../../../src/testing.ts";

const DAY_MS = 86_400_000;
const DAYS = 20;
/** Older than two days. */
const EXPIRED = DAYS - 1;

describe("Two clean-ups of one directory", () => {
  it.each(
    [0, 1, 5, 20, 60].flatMap((ms) => [
      { ms, mark: "that wait for each other" },
      { ms, mark: "that do not know of each other" },
    ]),
  )(
    "$mark remove each file once and refuse none, the second $ms ms later",
    async ({ ms, mark }) => {
      const { path, signer } = await logOfPastDays();
      const reported: string[] = [];
      const open = (): AuditLogger =>
        new AuditLogger(new FileStorage({ path, signer }), {
          retentionDays: 2,
          onError: ({ message }) => reported.push(message),
        });
      const [first, second] = [open(), open()];
      await Promise.all([
        first.log({ input: "a", output: "" }),
        second.log({ input: "b", output: "" }),
      ]);
      const removed = await Promise.all([
        first.cleanupExpired(),
        sleep(ms).then(async () => {
          if (mark.includes("do not")) await rm(join(path, ".cleanup"), { force: true });
          return second.cleanupExpired();
        }),
      ]);
      await Promise.all([first.close(), second.close()]);

      expect(reported).toEqual([]);
      expect(removed[0] + removed[1]).toBe(EXPIRED);
      expect(await verifyLog(path, { trustedKeys: [signer.vkey] })).toMatchObject({ exitCode: 0 });
    },
  );

  it("do not wait for one that a crash left behind, nor for one of a process that is gone", async () => {
    const { path, signer } = await logOfPastDays();
    const old = new Date(Date.now() - 3_600_000);
    await writeFile(join(path, ".cleanup"), "1 another-host\n");
    await utimes(join(path, ".cleanup"), old, old);
    const storage = new FileStorage({ path, signer });
    expect((await storage.prune(pruneAll())).files).toHaveLength(EXPIRED);
    await writeFile(join(path, ".cleanup"), `4194303 ${hostname()}\n`);
    expect((await storage.prune(pruneAll())).files).toEqual([]);
    await storage.close();
  });

  it("take turns: the second one waits, and then finds nothing to do", async () => {
    const { path, signer } = await logOfPastDays();
    await writeFile(join(path, ".cleanup"), `${process.pid} ${hostname()}\n`);
    const storage = new FileStorage({ path, signer });
    const pruned = storage.prune(pruneAll());
    const first = await Promise.race([pruned.then(() => "done"), sleep(300, "waiting")]);
    expect(first).toBe("waiting");
    const other = new FileStorage({ path, signer });
    const everything = await new Directory(path).list();
    expect(everything).toHaveLength(DAYS);
    await unlink(join(path, ".cleanup"));
    expect((await pruned).files).toHaveLength(EXPIRED);
    expect((await other.prune(pruneAll())).files).toEqual([]);
    await Promise.all([storage.close(), other.close()]);
  });
});

describe("A clean-up while the writer of an expired file wakes up and ends it", () => {
  it("raises no alarm, though another process has recorded its end", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("example.com/audit");
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 5 * DAY_MS });
    const sleeper = new FileStorage({ path, signer });
    await log(sleeper);
    vi.useRealTimers();
    const cleaner = new FileStorage({ path, signer });
    const witness = new FileStorage({ path, signer });
    const append = cleaner.append.bind(cleaner);
    cleaner.append = async (...removalLine) => {
      await sleeper.close();
      await log(witness);
      return append(...removalLine);
    };

    expect((await cleaner.prune(pruneAll())).files).toEqual([]);

    cleaner.append = append;
    expect((await cleaner.prune(pruneAll())).files).toHaveLength(1);
    await Promise.all([cleaner.close(), witness.close()]);
    expect(await verifyLog(path, { trustedKeys: [signer.vkey] })).toMatchObject({ exitCode: 0 });
  });
});

async function log(storage: FileStorage): Promise<void> {
  const { line, id } = testEntry(Date.now());
  await storage.append(line, id);
}

function pruneAll(): Parameters<FileStorage["prune"]>[0] {
  const now = Date.now();
  return { before: now - 2 * DAY_MS, policy: "retention 2 days", actor: "test", now };
}

async function logOfPastDays(): Promise<{ path: string; signer: Signer }> {
  const path = await temporaryDirectory();
  const signer = await Signer.generate("example.com/audit");
  onTestFinished(() => void vi.useRealTimers());
  const now = Date.now();
  for (let day = DAYS; day >= 1; day -= 1) {
    vi.useFakeTimers({ toFake: ["Date"], now: now - day * DAY_MS });
    const storage = new FileStorage({ path, signer, durability: "os" });
    const { line, id } = testEntry(Date.now());
    await storage.append(line, id);
    await storage.close();
  }
  vi.useRealTimers();
  return { path, signer };
}
