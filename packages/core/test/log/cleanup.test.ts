import { ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  type AuditError,
  AuditLogger,
  FileStorage,
  MemoryStorage,
  Signer,
  verifyLog,
} from "../../src/index.ts";
import { testEntry } from "../../src/testing.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const DAY_MS = 86_400_000;
const FOREIGN = join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl");

function noon(daysAgo: number): number {
  const now = Date.now();
  return now - (now % DAY_MS) - daysAgo * DAY_MS + DAY_MS / 2;
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10).replaceAll("-", "");
}

/** A closed segment for each of these days, by one writer, or one writer a day. */
async function writeDays(
  path: string,
  days: readonly number[],
  signer: Signer,
  oneWriter: boolean,
): Promise<void> {
  let storage = new FileStorage({ path, signer });
  for (const daysAgo of days) {
    for (let n = 0; n < 3; n += 1) {
      const { line, id } = testEntry(noon(daysAgo) + n);
      await storage.append(line, id);
    }
    if (!oneWriter) {
      await storage.close();
      storage = new FileStorage({ path, signer });
    }
  }
  await storage.close();
}

async function controlLines(path: string, type: string): Promise<Record<string, unknown>[]> {
  const found = [];
  for (const file of (await readdir(path)).filter((name) => name.endsWith(".jsonl")).toSorted()) {
    for (const line of (await readFile(join(path, file), "utf8")).trimEnd().split("\n")) {
      if (line.startsWith(`{"type":"${type}"`)) found.push({ ...JSON.parse(line), in: file });
    }
  }
  return found;
}

describe.each([true, false])("cleanupExpired() on a directory of one writer: %s", (oneWriter) => {
  it("removes whole expired files after a durable record; the rest verifies", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    await writeDays(path, [400, 380, 366, 300, 1], signer, oneWriter);
    const logger = new AuditLogger(new FileStorage({ path, signer }));
    const { files: before } = await verifyLog(path, { trustedKeys: [signer.vkey] });
    expect(await logger.cleanupExpired({ dryRun: true })).toBe(9);
    expect(await readdir(path)).toHaveLength(5);
    expect(await logger.cleanupExpired({ actor: "a test" })).toBe(9);
    expect(await logger.cleanupExpired()).toBe(0);
    const today = `audit_${dayOf(Date.now())}.jsonl`;
    expect((await readdir(path)).toSorted()).toEqual([
      `audit_${dayOf(noon(300))}.jsonl`,
      `audit_${dayOf(noon(1))}.jsonl`,
      today,
    ]);
    const prunes = await controlLines(path, "retention.prune");
    expect(prunes).toMatchObject(
      [400, 380, 366].map((daysAgo, n) => ({
        file: `audit_${dayOf(noon(daysAgo))}.jsonl`,
        leaves: 5,
        root: before[n]?.head?.root,
        from: new Date(noon(daysAgo)).toISOString(),
        to: new Date(noon(daysAgo) + 2).toISOString(),
        policy: "retention 365 days",
        actor: "a test",
        in: today,
      })),
    );
    expect(await logger.count()).toBe(6);
    await logger.close();
    const verification = await verifyLog(path, { trustedKeys: [signer.vkey] });
    expect(verification).toMatchObject({ exitCode: 0, entries: 6 });
    expect(verification.files.map(({ state }) => state)).toEqual([
      "PRUNED",
      "PRUNED",
      "PRUNED",
      "OK",
      "OK",
      "OK",
    ]);
  });
});

describe("cleanupExpired()", () => {
  it("keeps an entry of exactly the retention's age, and its whole file with it", async () => {
    const path = await temporaryDirectory();
    const logger = new AuditLogger(path, { retentionDays: 10 });
    for (const time of [noon(20), noon(20) + 5]) {
      const { line, id } = testEntry(time);
      await logger.storage.append(line, id);
    }
    await logger.log({ input: "", output: "" });
    expect(await logger.cleanupExpired({ now: new Date(noon(10) + 5) })).toBe(0);
    expect(await logger.cleanupExpired({ now: new Date(noon(10) + 6) })).toBe(2);
    await logger.close();
  });

  it("keeps today's files, whatever the retention", async () => {
    const path = await temporaryDirectory();
    const other = new AuditLogger(path);
    await other.log({ input: "", output: "" });
    const logger = new AuditLogger(path, { retentionDays: 0 });
    await logger.log({ input: "", output: "" });
    await logger.close();
    const cleaner = new AuditLogger(path, { retentionDays: 0 });
    expect(await cleaner.cleanupExpired({ now: new Date(Date.now() + 1000) })).toBe(0);
    expect(await cleaner.count()).toBe(2);
    await Promise.all([cleaner.close(), other.close()]);
  });

  it("removes files of crashed writers and of the Python original, and entries without a readable time do not stop it", async () => {
    const path = await temporaryDirectory();
    await copyFile(FOREIGN, join(path, "audit_20200101.jsonl"));
    const text = (await readFile(FOREIGN, "utf8")).replaceAll(
      '"timestamp": "2026',
      '"timestamp": "2020',
    );
    await writeFile(
      join(path, "audit_20200102.jsonl"),
      `${text}{"id": "x", "timestamp": "when?"}\nnot JSON\n`,
    );
    await writeFile(join(path, "audit_20200103.jsonl"), ""); // died before its first byte
    await writeFile(join(path, "audit_20200104.jsonl"), '{"type":"segment.open","v":1,"fi'); // died in its first line
    const crashed = new FileStorage({ path });
    for (const time of [Date.UTC(2020, 0, 5), Date.UTC(2020, 0, 5, 1)]) {
      const { line, id } = testEntry(time);
      await crashed.append(line, id);
    }
    const logger = new AuditLogger(path, { retentionDays: 365 });
    const lines = text.trimEnd().split("\n").length;
    // The first copy's entries are of 2026, whatever its name says: it stays.
    expect(await logger.cleanupExpired({ now: new Date("2026-12-01T00:00:00Z") })).toBe(lines + 2);
    expect((await readdir(path)).filter((file) => file.startsWith("audit_2020"))).toEqual([
      "audit_20200101.jsonl",
    ]);
    expect(await logger.count()).toBe(lines);
    await logger.close();
    expect((await verifyLog(path, {})).files.map(({ state }) => state)).not.toContain("MISSING");
  });

  it("keeps a file that is not what was sealed, and tells onError or, without one, the process", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    await writeDays(path, [400, 380], signer, false);
    const altered = `audit_${dayOf(noon(400))}.jsonl`;
    const text = await readFile(join(path, altered), "utf8");
    await writeFile(join(path, altered), text.replace('"output_hash":"', '"output_hash":"0'));
    const told: AuditError[] = [];
    const onError = (error: AuditError): void => void told.push(error);
    const logger = new AuditLogger(new FileStorage({ path, signer }), { onError });
    expect(await logger.cleanupExpired({ dryRun: true })).toBe(3);
    expect(told).toEqual([]);
    expect(await logger.cleanupExpired()).toBe(3);
    await logger.close();
    const message =
      `${altered} is past retention and stays: it does not match its seal, or the log's record of it. ` +
      "Verify the log";
    expect(told.map((error) => [error.code, error.message])).toEqual([
      ["AUDIT_READ_FAILED", message],
    ]);
    expect(await readdir(path)).toContain(altered);
    const warned = once(process, "warning");
    const silent = new AuditLogger(new FileStorage({ path, signer }));
    expect(await silent.cleanupExpired()).toBe(0);
    expect((await warned)[0]).toMatchObject({
      name: "AuditWarning",
      code: "AUDIT_READ_FAILED",
      message,
    });
    await silent.close();
  });

  it("carries a prune line forward while a file that stays refers to what it authorised", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    const start = noon(0);
    const writer = new FileStorage({ path, signer });
    const writeAt = async (daysAgo: number): Promise<void> => {
      vi.setSystemTime(start - daysAgo * DAY_MS);
      const { line, id } = testEntry(Date.now());
      await writer.append(line, id);
    };
    const cleanAt = async (daysAgo: number): Promise<void> => {
      vi.setSystemTime(start - daysAgo * DAY_MS);
      await using logger = new AuditLogger(new FileStorage({ path, signer }), { retentionDays: 8 });
      await logger.cleanupExpired();
    };
    await writeAt(40);
    await cleanAt(31); // its own segment holds the prune line for the writer's first one
    await writeAt(25); // the writer's second segment refers to its first one
    await cleanAt(21); // the segment with the prune line goes
    await writer.close();
    vi.useRealTimers();
    const verification = await verifyLog(path, { trustedKeys: [signer.vkey] });
    expect(verification.files.map(({ state }) => state)).toEqual(["PRUNED", "PRUNED", "OK", "OK"]);
    expect(verification.exitCode).toBe(0);
  });

  it("records a removal before it removes: where removing fails, the file and its record are there", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    await writeDays(path, [400], signer, true);
    const source = `
      import { chmodSync, chownSync, readdirSync } from "node:fs";
      import { AuditLogger, FileStorage, Signer } from ${JSON.stringify(join(import.meta.dirname, "../../src/index.ts"))};
      const [, path, pem] = process.argv;
      if (process.getuid() === 0) { // whom permissions do not stop
        for (const file of ["", ...readdirSync(path)]) chownSync(path + "/" + file, 65534, 65534);
        process.setgid(65534);
        process.setuid(65534);
      }
      const logger = new AuditLogger(new FileStorage({ path, signer: Signer.fromPem("test", pem) }));
      await logger.log({ input: "", output: "" });
      chmodSync(path, 0o500);
      await logger.cleanupExpired().catch(({ code, cause }) => console.log(code, cause.code));
      chmodSync(path, 0o700);
      await logger.close();`;
    const args = ["--input-type=module", "--eval", source, path, signer.toPem()];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const text = (await Array.fromAsync(child.stdout)).join("");
    expect(text).toBe("AUDIT_READ_FAILED EACCES\n");
    expect(await controlLines(path, "retention.prune")).toHaveLength(1);
    expect(await readdir(path)).toHaveLength(2);
    expect(await verifyLog(path, { trustedKeys: [signer.vkey] })).toMatchObject({
      exitCode: 0,
      entries: 4,
    });
    await using logger = new AuditLogger(new FileStorage({ path, signer }));
    expect(await logger.cleanupExpired()).toBe(3);
  });

  it("by two processes at once removes each file once", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    await writeDays(path, [500, 400, 1], signer, false);
    const loggers = [1, 2].map(() => new AuditLogger(new FileStorage({ path, signer })));
    const removed = await Promise.all(loggers.map((logger) => logger.cleanupExpired()));
    expect(removed.reduce((a, b) => a + b)).toBe(6);
    await Promise.all(loggers.map((logger) => logger.close()));
    expect(await verifyLog(path, { trustedKeys: [signer.vkey] })).toMatchObject({ exitCode: 0 });
  });
});

describe("scheduleCleanup()", () => {
  it("runs on its cron until stopped", async () => {
    const logger = new AuditLogger(new MemoryStorage(), { retentionDays: 30 });
    const { line, id } = testEntry(noon(40));
    await logger.storage.append(line, id);
    const results: unknown[] = [];
    const { promise: ran, resolve } = Promise.withResolvers<void>();
    const schedule = logger.scheduleCleanup({
      cron: "* * * * * *",
      onRun: (result) => {
        results.push(result);
        resolve();
      },
    });
    await ran;
    schedule.stop();
    expect(results).toEqual([{ removed: 1 }]);
    expect(schedule.nextRun).toBeNull();
  });

  it("is due at 02:00 of its time zone by default, and stops with its logger", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    const schedule = logger.scheduleCleanup({ timezone: "Asia/Tokyo" });
    expect(schedule.nextRun?.toISOString()).toMatch(/T17:00:00\.000Z$/);
    await logger.close();
    expect(schedule.nextRun).toBeNull();
  });

  it("refuses a cron expression or a time zone that is none", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    for (const cron of ["every day", "", "61 * * * *"]) {
      const error = await rejected(() => logger.scheduleCleanup({ cron }));
      expect(error).toMatchObject({ name: "AuditConfigError", code: "AUDIT_CONFIG_INVALID" });
      expect(String(error)).toContain(
        `scheduleCleanup(): ${JSON.stringify(cron)} is not a schedule (`,
      );
    }
    const error = await rejected(() => logger.scheduleCleanup({ timezone: "Mars/Olympus" }));
    expect(error).toMatchObject({ code: "AUDIT_CONFIG_INVALID" });
  });

  it("tells onRun, or else onError, what went wrong", async () => {
    const path = join(await temporaryDirectory(), "log");
    const codes: string[] = [];
    const logger = new AuditLogger(path, { onError: ({ code }) => codes.push(code) });
    await writeFile(path, "now a file");
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const silent = logger.scheduleCleanup({ cron: "* * * * * *" });
    logger.scheduleCleanup({ cron: "* * * * * *", onRun: resolve });
    expect(await promise).toMatchObject({
      error: { code: "AUDIT_READ_FAILED", cause: { code: "ENOTDIR" } },
    });
    await sleep(50);
    silent.stop();
    expect(codes[0]).toBe("AUDIT_READ_FAILED");
    await logger.close();
  });

  it("does not keep the process alive", async () => {
    const source = `
      import { AuditLogger, MemoryStorage } from ${JSON.stringify(join(import.meta.dirname, "../../src/index.ts"))};
      new AuditLogger(new MemoryStorage()).scheduleCleanup();
      new AuditLogger(new MemoryStorage()).scheduleCleanup({ cron: "* * * * * *" });
      process.stdout.write("scheduled");`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", source], {
      timeout: 20_000,
    });
    const text = (await Array.fromAsync(child.stdout)).join("");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    expect([text, child.exitCode, child.signalCode]).toEqual(["scheduled", 0, null]);
  });
});
