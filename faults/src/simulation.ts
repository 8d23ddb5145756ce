// Deterministic simulation: `node simulation.ts <first seed> <seeds>`. One seed is one interleaving of eight writers, a
// cleaner, a shipper, readers and a verifier over one directory, a simulated clock, and crashes of writers. Every file call
// of the process waits until the schedule, which the seed decides, lets it go; one is under way at a time. Prints a JSON
// line for each seed; a seed that fails is run again by its number alone.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import callbacks from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { Random } from "@ai-audit/test-support/random";

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 15, 12);
const FILE_CALLS = [
  "open",
  "readdir",
  "stat",
  "lstat",
  "unlink",
  "rm",
  "mkdir",
  "rename",
  "link",
  "readFile",
  "writeFile",
  "utimes",
] as const;
const POOL_CALLS = ["open", "write", "fdatasync", "fsync", "fstat", "close"] as const;
const HANDLE_CALLS = ["write", "datasync", "sync", "stat", "read", "writev"] as const;

/** Lets one file call go at a time, in an order that the seed decides. */
class Schedule {
  random = new Random(0);
  #waiting: (() => void)[] = [];
  #isBusy = false;
  isOn = false;

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (!this.isOn) return work();
    await new Promise<void>((go) => {
      this.#waiting.push(go);
      setImmediate(() => this.#next());
    });
    try {
      return await work();
    } finally {
      this.#isBusy = false;
      setImmediate(() => this.#next());
    }
  }

  #next(): void {
    if (this.#isBusy || this.#waiting.length === 0) return;
    this.#isBusy = true;
    const [go] = this.#waiting.splice(this.random.below(this.#waiting.length), 1);
    go?.();
  }
}

const schedule = new Schedule();
let now = START;
Date.now = () => now;

type AsyncCall = (...values: unknown[]) => Promise<unknown>;

function wrap(owner: object, name: string): void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== "function") throw new Error(`no ${name}`);
  const scheduled: AsyncCall = function (this: unknown, ...values) {
    return schedule.run(() => Reflect.apply(original, this, values) as Promise<unknown>);
  };
  Reflect.set(owner, name, scheduled);
}

const probe = await fs.open(import.meta.filename);
const handles: object = Object.getPrototypeOf(probe);
await probe.close();
for (const name of HANDLE_CALLS) wrap(handles, name);
for (const name of FILE_CALLS) wrap(fs, name);
// The writers' first calls on libuv's pool, and then those of their threads.
for (const name of POOL_CALLS) {
  const callback = callbacks[name];
  const original = promisify(callback) as AsyncCall;
  const wrapped = Object.assign(callback.bind(callbacks), {
    [promisify.custom]: (...values: unknown[]) => schedule.run(() => original(...values)),
  });
  Reflect.set(callbacks, name, wrapped);
}
const post: unknown = Reflect.get(Worker.prototype, "postMessage");
Reflect.set(Worker.prototype, "postMessage", function (this: Worker, ...message: unknown[]) {
  void schedule.run(
    () =>
      new Promise<void>((resolve) => {
        this.once("message", () => resolve());
        if (typeof post === "function") Reflect.apply(post, this, message);
      }),
  );
});
syncBuiltinESMExports();

// After the calls are wrapped: these modules take them as they are now.
const { AuditLogger, FileStorage, Signer, verifyLog } = await import("@ai-audit/core");
const { judgeLog } = await import("./judge.ts");

export interface Simulated {
  readonly seed: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly falseVerdicts: number;
  readonly findings: readonly string[];
}

const signer = Signer.fromPem("simulation", (await Signer.generate("simulation")).toPem());

async function simulate(seed: number): Promise<Simulated> {
  const folder = mkdtempSync(join(tmpdir(), "ai-audit-sim-"));
  const path = join(folder, "log");
  const shipped = join(folder, "archive");
  mkdirSync(shipped);
  const random = new Random(seed);
  schedule.random = new Random(seed ^ 0x5eed);
  now = START;
  const findings: string[] = [];
  const acknowledged: { readonly id: string; readonly day: number }[] = [];
  const alarms = (error: Error): void => void findings.push(`alarm: ${error.message}`);
  const archive = {
    keepLocalDays: Infinity,
    onError: alarms,
    store: ({ file }: { readonly file: string }) => Promise.resolve(join(shipped, file)),
  };
  const retentionDays = 2;
  const storageOf = (isShipper: boolean) =>
    new FileStorage({ path, signer, rotationSizeMb: 0.006, ...(isShipper && { archive }) });

  const writer = async (number: number): Promise<void> => {
    let logger = new AuditLogger(storageOf(number === 0), { onError: alarms });
    for (let count = 0; count < 5; count += 1) {
      const day = Math.floor(now / DAY_MS);
      const id = await logger.log({
        input: `${number} ${count}`,
        output: "x".repeat(random.below(900)),
      });
      acknowledged.push({ id, day });
      if (random.next() < 0.15) now += random.below(DAY_MS); // the clock goes on for all
      if (random.next() < 0.1) logger = new AuditLogger(storageOf(false), { onError: alarms }); // the other one is killed
    }
    if (random.next() < 0.7) await logger.close();
  };
  const cleaner = async (): Promise<void> => {
    const logger = new AuditLogger(storageOf(false), { retentionDays, onError: alarms });
    for (let count = 0; count < 2; count += 1) await logger.cleanupExpired();
    await logger.close();
  };
  const reader = async (): Promise<void> => {
    for (let count = 0; count < 2; count += 1) {
      const before = acknowledged.map(({ id }) => id);
      const first = Math.floor(now / DAY_MS) - retentionDays + 1;
      const kept = new Set(acknowledged.filter(({ day }) => day >= first).map(({ id }) => id));
      const seen: string[] = [];
      for await (const { id } of new AuditLogger(path).entries()) seen.push(id);
      const last = Math.floor(now / DAY_MS) - retentionDays;
      const gone = before.filter((id) => kept.has(id) && !seen.includes(id));
      if (gone.length > 0 && last < first) findings.push(`a reader misses ${gone.join(", ")}`);
      if (new Set(seen).size < seen.length) findings.push("a reader has an entry twice");
    }
  };
  const verifier = async (): Promise<void> => {
    const { exitCode, verdict, files } = await verifyLog(path, { trustedKeys: [signer.vkey] });
    if (exitCode === 1)
      findings.push(
        `beside writers: ${verdict} ${JSON.stringify(files.filter(({ state }) => !["OK", "OPEN", "UNCLOSED", "PRUNED"].includes(state)))}`,
      );
  };

  mkdirSync(path, { mode: 0o700 });
  schedule.isOn = true;
  try {
    await Promise.all([
      ...Array.from({ length: 8 }, (_, number) => writer(number)),
      cleaner(),
      reader(),
      reader(),
      verifier(),
    ]);
  } catch (error) {
    findings.push(`threw ${String(error)}`);
  } finally {
    schedule.isOn = false;
  }
  // What retention may have removed is not looked for.
  const oldest = Math.floor(now / DAY_MS) - retentionDays;
  const due = acknowledged.filter(({ day }) => day > oldest).map(({ id }) => id);
  const judged = await judgeLog(path, due, signer.vkey);
  rmSync(folder, { recursive: true, force: true });
  return {
    seed,
    acknowledged: acknowledged.length,
    lost: judged.lost,
    duplicated: judged.duplicated,
    falseVerdicts: judged.falseVerdicts,
    findings: [...findings, ...judged.findings].slice(0, 5),
  };
}

const [first = "1", seeds = "1"] = process.argv.slice(2);
for (let seed = Number(first); seed < Number(first) + Number(seeds); seed += 1)
  console.log(JSON.stringify(await simulate(seed)));
process.exit(0); // writers that were killed keep their timers
