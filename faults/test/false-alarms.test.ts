// What makes other tamper-evident logs cry wolf, re-enacted. Nothing here was tampered with: the
// verdict is "proven" (0) or "not proven" (2), and no file is called TAMPERED, MISSING, FORK or
// ROLLBACK.
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { AuditLogger, FileStorage, placeHold, Signer, verifyLog } from "@ai-audit/core";
import { testEntry } from "@ai-audit/core/testing";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const DAY_MS = 86_400_000;

interface Log {
  readonly path: string;
  readonly signer: Signer;
}

interface Case {
  readonly title: string;
  /** Exit codes that are right. */
  readonly exit: readonly number[];
  /** Makes the log. Gives the directory to verify, where it is another one. */
  readonly make: (log: Log) => Promise<string | void>;
  /** What the auditor trusts. @default the log's key */
  readonly trusted?: (signer: Signer) => readonly string[];
}

async function logSome(storage: FileStorage, count = 3): Promise<AuditLogger> {
  const logger = new AuditLogger(storage);
  for (let n = 0; n < count; n += 1) await logger.log({ input: `${n}`, output: "" });
  return logger;
}

async function appendOn(storage: FileStorage, daysAgo: number): Promise<void> {
  const { id, line } = testEntry(Date.now() - daysAgo * DAY_MS);
  await storage.append(line, id);
}

const others: { key?: Signer } = {};

const CASES: readonly Case[] = [
  {
    title: "a restart",
    exit: [0],
    make: async (log) => {
      for (let start = 0; start < 3; start += 1)
        await (await logSome(new FileStorage(log))).close();
    },
  },
  {
    title: "a restart after a crash",
    exit: [0, 2],
    make: async (log) => {
      await logSome(new FileStorage(log)); // never closed
      await (await logSome(new FileStorage(log))).close();
    },
  },
  {
    title: "a backfill of past days, newest first",
    exit: [0],
    make: async (log) => {
      const storage = new FileStorage(log);
      for (const daysAgo of [0, 1, 5, 3, 3, 9]) await appendOn(storage, daysAgo);
      await storage.close();
    },
  },
  {
    title: "a new key, of which the auditor knows both generations",
    exit: [0],
    make: async (log) => {
      await (await logSome(new FileStorage(log))).close();
      const signer = (others.key = await Signer.generate("faults"));
      await (await logSome(new FileStorage({ path: log.path, signer }))).close();
    },
    trusted: (signer) => [signer.vkey, others.key?.vkey ?? ""],
  },
  {
    title: "a key generation that the auditor has lost",
    exit: [2],
    make: async (log) => {
      await (await logSome(new FileStorage(log))).close();
      const signer = (others.key = await Signer.generate("faults"));
      await (await logSome(new FileStorage({ path: log.path, signer }))).close();
    },
    trusted: () => [others.key?.vkey ?? ""],
  },
  {
    title: "a write that failed, with the writer going on",
    exit: [0, 2],
    make: async (log) => {
      const logger = new AuditLogger(new FileStorage(log));
      writeFileSync(log.path, "in the way");
      await logger.log({ input: "refused", output: "" }).catch(() => undefined);
      rmSync(log.path);
      for (let n = 0; n < 3; n += 1) await logger.log({ input: `${n}`, output: "" });
      await logger.close();
    },
  },
  {
    title: "retention, with a hold on one of the days",
    exit: [0],
    make: async (log) => {
      for (const daysAgo of [40, 39, 38]) {
        const storage = new FileStorage(log);
        await appendOn(storage, daysAgo);
        await storage.close();
      }
      const at = Date.now() - 39 * DAY_MS;
      const [from, to] = [new Date(at - 60_000), new Date(at + 60_000)];
      await placeHold(log.path, {
        from,
        to,
        reason: "a case",
        actor: "legal",
        signer: log.signer,
      });
      const logger = new AuditLogger(new FileStorage(log), { retentionDays: 30 });
      expect(await logger.cleanupExpired()).toBe(2);
      await logger.close();
    },
  },
  {
    title: "two writers, and two clean-ups at a time",
    exit: [0],
    make: async (log) => {
      for (const daysAgo of [40, 39, 38]) {
        const storage = new FileStorage(log);
        await appendOn(storage, daysAgo);
        await storage.close();
      }
      const loggers = await Promise.all([
        logSome(new FileStorage(log)),
        logSome(new FileStorage(log)),
      ]);
      await Promise.all([...loggers, ...loggers].map((logger) => logger.cleanupExpired()));
      await Promise.all(loggers.map((logger) => logger.close()));
    },
  },
  {
    title: "rotation by size",
    exit: [0],
    make: async (log) => {
      await (await logSome(new FileStorage({ ...log, rotationSizeMb: 0.003 }), 20)).close();
    },
  },
  {
    title: "a clock that goes a day ahead and back",
    exit: [0, 2],
    make: async (log) => {
      onTestFinished(() => void vi.useRealTimers());
      const logger = await logSome(new FileStorage(log));
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + DAY_MS });
      await logger.log({ input: "ahead", output: "" });
      vi.useRealTimers();
      await logger.log({ input: "back", output: "" });
      await logger.close();
    },
  },
  {
    title: "a copy of the directory elsewhere",
    exit: [0],
    make: async (log) => {
      await (await logSome(new FileStorage(log))).close();
      cpSync(log.path, `${log.path}-copy`, { recursive: true, preserveTimestamps: false });
      return `${log.path}-copy`;
    },
  },
  {
    title: "a copy made in the middle of a write",
    exit: [0, 2],
    make: async (log) => {
      await logSome(new FileStorage(log));
      const copy = `${log.path}-copy`;
      mkdirSync(copy);
      for (const file of readdirSync(log.path).filter((name) => name.endsWith(".jsonl"))) {
        const bytes = readFileSync(join(log.path, file));
        writeFileSync(join(copy, file), bytes.subarray(0, bytes.length - 40));
      }
      return copy;
    },
  },
  {
    title: "a backup of a file beside it",
    exit: [0, 2],
    make: async (log) => {
      await (await logSome(new FileStorage(log))).close();
      for (const file of readdirSync(log.path).filter((name) => name.endsWith(".jsonl")))
        copyFileSync(join(log.path, file), join(log.path, `${file}.bak`));
    },
  },
];

describe("A log that nobody tampered with", () => {
  it.each(CASES)("is not called altered after $title", async ({ make, exit, trusted }) => {
    const signer = await Signer.generate("faults");
    const path = join(await temporaryDirectory(), "log");
    const place = (await make({ path, signer })) ?? path;
    const { exitCode, files } = await verifyLog(place, {
      trustedKeys: trusted?.(signer) ?? [signer.vkey],
    });
    const alarms = files.filter(({ state }) =>
      ["TAMPERED", "MISSING", "FORK", "ROLLBACK"].includes(state),
    );
    expect(alarms).toEqual([]);
    expect(exit).toContain(exitCode);
  });
});
