// A clock that is wrong for a while.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { AuditLogger, FileStorage, Signer, verifyLog } from "../../../src/index.ts";
import { readLineOf } from "../../../src/format/read-control-line.ts";

const DAY_MS = 86_400_000;
/** Noon, so that no step crosses midnight by chance. */
const NOON = Date.UTC(2026, 5, 15, 12);

describe("A clock that steps", () => {
  it.each([
    { name: "ahead by a year", stepMs: 365 * DAY_MS },
    { name: "ahead by a day", stepMs: DAY_MS },
    { name: "ahead by an hour", stepMs: 3_600_000 },
    { name: "ahead by twelve seconds", stepMs: 12_000 },
  ])("$name and back spoils no later entry, and begins a segment for it", async ({ stepMs }) => {
    const { log, path, signer, logger } = await loggerAt(NOON);
    await log(NOON);
    await log(NOON + stepMs);
    const after = await log(NOON + 1000);
    expect(Date.parse(after.timestamp)).toBe(NOON + 1000);
    const found = await Array.fromAsync(
      logger.entries({ from: new Date(NOON), to: new Date(NOON + 2000) }),
    );
    expect(found.map(({ id }) => id)).toContain(after.id);
    await logger.close();
    expect(await reasonsIn(path)).toContain("clock");
    expect((await verifyLog(path, { trustedKeys: [signer.vkey] })).exitCode).toBe(0);
  });

  it.each([1, 500, 9000])(
    "back by %i ms holds the time of ids still, in one segment",
    async (stepMs) => {
      const { log, path, signer, logger } = await loggerAt(NOON);
      const before = await log(NOON);
      const during = await log(NOON - stepMs);
      const after = await log(NOON + 1);
      expect([during.timestamp, before.id < during.id, during.id < after.id]).toEqual([
        before.timestamp,
        true,
        true,
      ]);
      await logger.close();
      expect(await reasonsIn(path)).toEqual(["close"]);
      expect((await verifyLog(path, { trustedKeys: [signer.vkey] })).exitCode).toBe(0);
    },
  );
});

async function loggerAt(now: number): Promise<{
  path: string;
  signer: Signer;
  logger: AuditLogger;
  log: (now: number) => Promise<{ id: string; timestamp: string }>;
}> {
  const path = await temporaryDirectory();
  const signer = await Signer.generate("test");
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ["Date"], now });
  const logger = new AuditLogger(new FileStorage({ path, signer, durability: "os" }));
  return {
    path,
    signer,
    logger,
    log: async (time) => {
      vi.setSystemTime(time);
      const id = await logger.log({ input: "question", output: "answer" });
      return { id, timestamp: (await logger.getEntry(id))?.timestamp ?? "" };
    },
  };
}

async function reasonsIn(path: string): Promise<string[]> {
  const files = (await readdir(path)).filter((file) => file.endsWith(".jsonl"));
  const texts = await Promise.all(files.map((file) => readFile(join(path, file), "utf8")));
  return texts.flatMap((text) =>
    text.split("\n").flatMap((line) => readLineOf(line, "segment.close")?.reason ?? []),
  );
}
