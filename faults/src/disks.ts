// Real file systems at their worst: full, and frozen. Needs the right to mount.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AuditError, AuditLogger, FileStorage, Signer } from "@ai-audit/core";
import { judgeLog, Tally } from "./judge.ts";
import type { Row } from "./row.ts";

const FREEZE_SECONDS = 2;

export async function disks(): Promise<Row[]> {
  return [await fullDisk(), await frozenFileSystem()];
}

async function fullDisk(): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), "ai-audit-full-"));
  const tally = new Tally();
  const refusals = new Map<string, number>();
  try {
    for (const size of ["64k", "100k", "256k", "1m"]) {
      const disk = join(folder, size);
      mkdirSync(disk);
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", disk]);
      try {
        const signer = await Signer.generate("faults");
        const path = join(disk, "log");
        const ballast = join(disk, "ballast");
        writeFileSync(ballast, "x".repeat(20_000));
        const logger = new AuditLogger(new FileStorage({ path, signer }));
        const acknowledged: string[] = [];
        const logSome = async (): Promise<number> => {
          const calls = Array.from({ length: 100 }, (_, n) =>
            logger.log({
              input: `${n}`,
              output: "y".repeat(2000),
              metadata: { text: "z".repeat(2000) },
            }),
          );
          let refused = 0;
          for (const result of await Promise.allSettled(calls)) {
            if (result.status === "fulfilled") acknowledged.push(result.value);
            else {
              refused += 1;
              const code = AuditError.isInstance(result.reason)
                ? result.reason.code
                : "another error";
              refusals.set(code, (refusals.get(code) ?? 0) + 1);
            }
          }
          return refused;
        };
        let rounds = 0;
        while ((await logSome()) === 0 && rounds < 20) rounds += 1;
        rmSync(ballast); // there is room again
        await sleep(1100);
        await logger.log({ input: "after", output: "" }).then(
          (id) => acknowledged.push(id),
          () => undefined,
        );
        await logger.close().catch(() => undefined);
        tally.acknowledged += acknowledged.length;
        tally.add(await judgeLog(path, acknowledged, signer.vkey), `a disk of ${size}`);
      } finally {
        execFileSync("umount", [disk]);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const caller = [...refusals].map(([code, count]) => `${code} ×${count}`).join(", ");
  return tally.row("A file system of 64 KB to 1 MB that is full, and has room again", caller);
}

/** A real ext4 that is frozen for a while, as snapshots and backups do. */
async function frozenFileSystem(): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), "ai-audit-frozen-"));
  const image = join(folder, "image");
  const disk = join(folder, "disk");
  mkdirSync(disk);
  writeFileSync(image, "");
  truncateSync(image, 64 * 2 ** 20);
  execFileSync("mkfs.ext4", ["-q", image]);
  execFileSync("mount", ["-o", "loop", image, disk]);
  const tally = new Tally();
  try {
    const signer = await Signer.generate("faults");
    const path = join(disk, "log");
    const logger = new AuditLogger(new FileStorage({ path, signer }));
    const acknowledged = [await logger.log({ input: "before", output: "" })];
    let last = performance.now();
    let longest = 0;
    const watch = setInterval(() => {
      longest = Math.max(longest, performance.now() - last - 5);
      last = performance.now();
    }, 5);
    // A process of its own: this one may stand still.
    const thaw = spawn("sh", [
      "-c",
      `fsfreeze -f "$0"; sleep ${FREEZE_SECONDS}; fsfreeze -u "$0"`,
      disk,
    ]);
    await sleep(300);
    const calls = await Promise.allSettled(
      [1, 2, 3].map((n) => logger.log({ input: `${n}`, output: "" })),
    );
    acknowledged.push(
      ...calls.flatMap((call) => (call.status === "fulfilled" ? [call.value] : [])),
    );
    if (thaw.exitCode === null) await new Promise((ended) => thaw.once("exit", ended));
    await logger.close();
    clearInterval(watch);
    tally.acknowledged = acknowledged.length;
    tally.add(await judgeLog(path, acknowledged, signer.vkey), "a frozen file system");
    const caller = `resolved after the thaw; longest pause of the event loop ${Math.round(longest)} ms`;
    return tally.row(`An ext4 frozen for ${FREEZE_SECONDS} s (fsfreeze)`, caller);
  } finally {
    execFileSync("umount", [disk]);
    rmSync(folder, { recursive: true, force: true });
  }
}
