// A writer on a disk that fails, hangs or lies: a real process, whose system calls a preloaded
// library spoils.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it, onTestFinished } from "vitest";
import { AuditLogger, FileStorage, Signer, verifyLog } from "../../../src/index.ts";
import { readLineOf } from "../../../src/format/read-control-line.ts";

const CHILDREN = join(import.meta.dirname, "children");
const EIO = 5;
const ENOSPC = 28;
const POOL = { name: "on libuv's pool", poolThreads: "4" };
/** A pool with one thread is left to the application. */
const THREAD = { name: "on a thread", poolThreads: "1" };

interface Said {
  readonly acknowledged?: string;
  readonly refused?: string;
  readonly ms?: number;
  readonly longestPauseMs?: number;
}

interface Run {
  readonly path: string;
  readonly signer: Signer;
  /** Outcomes of the calls, and at last the longest pause of the event loop. */
  readonly said: readonly Said[];
}

describe.skipIf(isLeftOut("cc"))("A writer", () => {
  it.each([
    { call: "write", error: EIO, where: POOL },
    { call: "write", error: EIO, where: THREAD },
    { call: "write", error: ENOSPC, where: POOL },
    { call: "fdatasync", error: EIO, where: POOL },
    { call: "fdatasync", error: EIO, where: THREAD },
    { call: "fdatasync", error: ENOSPC, where: POOL },
    { call: "fsync", error: EIO, where: POOL },
  ])(
    "refuses nothing for one $call $where.name that fails with error $error",
    async ({ call, error, where: { poolThreads } }) => {
      const run = await runWith(`${call} once-error ${error}\n`, 400, { poolThreads });
      expect(run.said.filter(({ refused }) => refused !== undefined)).toEqual([]);
      await expectEachOnce(run);
      expect(await lossesIn(run.path)).toEqual([]);
    },
  );

  it.each([POOL, THREAD])(
    "counts each refused entry once while no sync $name succeeds, says that it may be there, and asks less often",
    async ({ poolThreads }) => {
      const run = await runWith(`fdatasync error ${EIO}\n`, 2500, { poolThreads });
      const refused = run.said.filter((said) => said.refused !== undefined);
      expect(new Set(refused.map((said) => said.refused))).toEqual(
        new Set(["AUDIT_WRITE_FAILED EIO"]),
      );
      const losses = await lossesIn(run.path);
      expect(losses.reduce((sum, { entries }) => sum + entries, 0)).toBe(refused.length);
      expect(losses.every(({ certain }) => certain === false)).toBe(true);
      // Two files for each try, and a few dozen milliseconds a try without a pause.
      expect((await readdir(run.path)).length).toBeLessThan(20);
      await expectEachOnce(run);
    },
  );

  it.each([
    { what: "short 100", name: "writes a hundred bytes at a time" },
    { what: "zero 0", name: "writes nothing and reports no error" },
  ])("goes on when the disk $name", async ({ what }) => {
    const run = await runWith(`write ${what}\n`, 300);
    expect(run.said.at(-1)?.longestPauseMs).toBeLessThan(1000);
    await expectEachOnce(run);
  });

  it.each([
    { call: "write", where: POOL },
    { call: "write", where: THREAD },
    { call: "fdatasync", where: POOL },
    { call: "fdatasync", where: THREAD },
  ])(
    "lets the application run while a $call $where.name hangs, and refuses in time",
    async ({ call, where: { poolThreads } }) => {
      const run = await runWith(`${call} hang 3000\n`, 1500, { writeTimeoutMs: 500, poolThreads });
      const refused = run.said.filter((said) => said.refused !== undefined);
      expect(refused.length).toBeGreaterThan(0);
      for (const { refused: code, ms } of refused) {
        expect(code).toContain("AUDIT_WRITE_TIMEOUT");
        expect(ms).toBeLessThan(1500);
      }
      expect(run.said.at(-1)?.longestPauseMs).toBeLessThan(1000);
      await expectEachOnce(run);
      const losses = await lossesIn(run.path);
      // The hung write ended well: its entry is there, and no loss.
      expect(losses.reduce((sum, { entries }) => sum + entries, 0)).toBeLessThanOrEqual(
        refused.length,
      );
    },
  );

  it.skipIf(isLeftOut("mount"))(
    "lets the application run on a file system that is frozen",
    async () => {
      const image = join(await temporaryDirectory(), "image");
      const mounted = await temporaryDirectory();
      execFileSync("truncate", ["-s", "64M", image]);
      execFileSync("mkfs.ext4", ["-q", image]);
      execFileSync("mount", ["-o", "loop", image, mounted]);
      onTestFinished(() => void spawnSync("umount", ["-l", mounted]));
      onTestFinished(() => void spawnSync("fsfreeze", ["-u", mounted]));
      const run = await runOn(join(mounted, "log"), {
        writeTimeoutMs: 500,
        during: async () => {
          execFileSync("fsfreeze", ["-f", mounted]);
          await sleep(2500);
          execFileSync("fsfreeze", ["-u", mounted]);
        },
      });
      const refused = run.said.filter((said) => said.refused !== undefined);
      expect(refused.length).toBeGreaterThan(0);
      for (const { refused: code } of refused) expect(code).toContain("AUDIT_WRITE_TIMEOUT");
      expect(run.said.at(-1)?.longestPauseMs).toBeLessThan(1000);
      await expectEachOnce(run);
    },
  );
});

async function runWith(
  faults: string,
  faultMs: number,
  {
    writeTimeoutMs = 5000,
    poolThreads = "4",
  }: { readonly writeTimeoutMs?: number; readonly poolThreads?: string } = {},
): Promise<Run> {
  const folder = await temporaryDirectory();
  const library = join(folder, "faulty.so");
  const source = join(CHILDREN, "faulty-calls.c");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]);
  const calls = join(folder, "calls");
  await writeFile(calls, "");
  const path = join(folder, "the-log");
  return runOn(path, {
    writeTimeoutMs,
    env: {
      LD_PRELOAD: library,
      FAULTY_FILES: path,
      FAULTY_CALLS: calls,
      UV_THREADPOOL_SIZE: poolThreads,
    },
    during: async () => {
      await writeFile(calls, faults);
      await sleep(faultMs);
      await writeFile(calls, "");
    },
  });
}

/** Logs a while, then with the fault, then without it until something is acknowledged again. */
async function runOn(
  path: string,
  options: {
    readonly writeTimeoutMs: number;
    readonly env?: Record<string, string>;
    readonly during: () => Promise<void>;
  },
): Promise<Run> {
  const signer = await Signer.generate("test");
  const script = join(CHILDREN, "log-through-faults.ts");
  const args = [script, path, signer.toPem(), String(options.writeTimeoutMs)];
  const child = spawn(process.execPath, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...options.env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said: Said[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => said.push(JSON.parse(line)));
  const ended = new Promise((resolve) => lines.once("close", resolve));
  const acknowledges = async (): Promise<void> => {
    const before = said.length;
    while (!said.slice(before + 1).some(({ acknowledged }) => acknowledged !== undefined))
      await sleep(20);
  };
  await acknowledges();
  child.stdin.write("measure from here\n");
  await options.during();
  await acknowledges();
  child.stdin.end();
  await ended;
  return { path, signer, said };
}

/** Every acknowledged entry is read once, by every reader, and no verdict is an alarm. */
async function expectEachOnce({ path, signer, said }: Run): Promise<void> {
  const acknowledged = said.flatMap((one) => one.acknowledged ?? []);
  expect(acknowledged.length).toBeGreaterThan(2);
  await using logger = new AuditLogger(new FileStorage({ path, signer }));
  const ids = (await Array.fromAsync(logger.entries())).map(({ id }) => id);
  expect(ids.length).toBe(new Set(ids).size);
  expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
  expect(await logger.count()).toBe(ids.length);
  const { exitCode, files } = await verifyLog(path, { trustedKeys: [signer.vkey] });
  expect({ exitCode: exitCode === 1 || exitCode === 3 ? files : [] }).toEqual({ exitCode: [] });
}

/** Distinct `loss` lines: a failed write may have left a copy of one behind. */
async function lossesIn(
  path: string,
): Promise<{ entries: number; certain?: boolean | undefined }[]> {
  const lines = new Set<string>();
  for (const file of await readdir(path)) {
    if (!file.endsWith(".jsonl")) continue;
    for (const line of (await readFile(join(path, file), "utf8")).split("\n"))
      if (readLineOf(line, "loss")) lines.add(line);
  }
  return [...lines].flatMap((line) => readLineOf(line, "loss") ?? []);
}
