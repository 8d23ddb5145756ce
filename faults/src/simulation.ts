// Deterministic simulation: `node simulation.ts <first seed> <seeds>`. One seed is one interleaving
// of eight writers, a cleaner, a shipper, readers and a verifier over one directory, a simulated
// clock, and crashes of writers. Every file call of the process waits until the schedule, which the
// seed decides, lets it go; one is under way at a time. Prints a JSON line for each seed; a seed
// that fails is run again by its number alone.
import crypto from "node:crypto";
import { EventEmitter } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import callbacks from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { tmpdir } from "node:os";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import { promisify } from "node:util";
import threads from "node:worker_threads";
import { Random } from "@ai-audit/test-support/random";

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 15, 12);
const FILE_CALLS = [
  "access",
  "copyFile",
  "link",
  "lstat",
  "mkdir",
  "open",
  "opendir",
  "readFile",
  "readdir",
  "realpath",
  "rename",
  "rm",
  "rmdir",
  "stat",
  "statfs",
  "unlink",
  "utimes",
  "writeFile",
] as const;
const POOL_CALLS = ["open", "write", "writev", "fdatasync", "fsync", "fstat", "close"] as const;
const HANDLE_CALLS = [
  "appendFile",
  "datasync",
  "read",
  "readFile",
  "readv",
  "stat",
  "sync",
  "truncate",
  "utimes",
  "write",
  "writeFile",
  "writev",
] as const;
/** Calls that take their turn and no time: no power is cut here. */
const SYNCS: ReadonlySet<string> = new Set(["datasync", "sync", "fdatasync", "fsync"]);
/** Turns of the event loop after which nothing is under way that is no file call or timer. */
const QUIET_TURNS = 4;
/** A shorter timer fires whenever the schedule says so. */
const SHORT_TIMER_MS = 1_000;
/**
 * A longer timer fires once the clock is there; one between the two is a time-out, and no call
 * hangs.
 */
const LONG_TIMER_MS = 60_000;

const { setImmediate } = timers;
const realTimeout = timers.setTimeout;

interface Waiting {
  readonly go: () => void;
  /** Simulated time before which it does not go. */
  readonly notBefore: number;
}

/** Lets one file call or timer go at a time, in an order that the seed decides. */
class Schedule {
  random = new Random(0);
  readonly #waiting = new Set<Waiting>();
  #isBusy = false;
  #isChoosing = false;
  /** Calls and timers that went; the clock of durations goes on with them. */
  steps = 0;
  isOn = false;

  /** Waits for its turn, and makes the call while all others wait. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (!this.isOn) return work();
    await new Promise<void>((go) => this.add({ go, notBefore: 0 }));
    try {
      return await work();
    } finally {
      this.#isBusy = false;
      this.#choose();
    }
  }

  add(waiting: Waiting): void {
    this.#waiting.add(waiting);
    this.#choose();
  }

  remove(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  /** A timer's turn is over as soon as its function has been called. */
  pass(): void {
    this.#isBusy = false;
    this.#choose();
  }

  /** Waiting calls never go: their process was killed. */
  stop(): void {
    this.isOn = false;
    this.#waiting.clear();
  }

  #choose(): void {
    if (this.#isChoosing || this.#isBusy) return;
    this.#isChoosing = true;
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      if (turns < QUIET_TURNS) return void setImmediate(turn);
      this.#isChoosing = false;
      const ready = [...this.#waiting].filter(({ notBefore }) => notBefore <= now);
      const next = ready[this.random.below(ready.length)];
      if (!this.isOn || !next) return;
      this.#isBusy = true;
      this.steps += 1;
      this.#waiting.delete(next);
      next.go();
    };
    setImmediate(turn);
  }
}

const schedule = new Schedule();
let now = START;
class SimulatedDate extends Date {
  constructor(value: number | string | Date = now) {
    super(value);
  }
  static override now(): number {
    return now;
  }
}
Reflect.set(globalThis, "Date", SimulatedDate);
performance.now = () => now - START + schedule.steps;

type AsyncCall = (...values: unknown[]) => Promise<unknown>;

function wrap(owner: object, name: string): void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== "function") throw new Error(`no ${name}`);
  const scheduled: AsyncCall = function (this: unknown, ...values) {
    return schedule.run(() =>
      SYNCS.has(name)
        ? Promise.resolve()
        : (Reflect.apply(original, this, values) as Promise<unknown>),
    );
  };
  Reflect.set(owner, name, scheduled);
}

const probe = await fs.open(import.meta.filename);
const handles: object = Object.getPrototypeOf(probe);
await probe.close();
for (const name of HANDLE_CALLS) wrap(handles, name);
for (const name of FILE_CALLS) wrap(fs, name);
const { open } = fs;
fs.open = async (...values) => {
  const handle = await open(...values);
  wrap(handle, "close");
  return handle;
};
for (const name of POOL_CALLS) {
  const callback = callbacks[name];
  const original = promisify(callback) as AsyncCall;
  const wrapped = Object.assign(callback.bind(callbacks), {
    [promisify.custom]: (...values: unknown[]) =>
      schedule.run(() => (SYNCS.has(name) ? Promise.resolve() : original(...values))),
  });
  Reflect.set(callbacks, name, wrapped);
}

// Timers are part of the schedule.
class Timer {
  readonly #waiting: Waiting;
  constructor(work: () => void, ms: number) {
    const go = (): void => {
      work();
      schedule.pass();
    };
    const isTimeOut = ms > SHORT_TIMER_MS && ms < LONG_TIMER_MS;
    const atMs = ms <= SHORT_TIMER_MS ? 0 : now + ms;
    this.#waiting = { go, notBefore: isTimeOut ? Number.POSITIVE_INFINITY : atMs };
    schedule.add(this.#waiting);
  }
  clear(): void {
    schedule.remove(this.#waiting);
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
const realClear = timers.clearTimeout;
Reflect.set(timers, "setTimeout", (work: () => void, ms = 1) =>
  schedule.isOn ? new Timer(work, ms) : realTimeout(work, ms),
);
Reflect.set(timers, "clearTimeout", (timer: Timer | NodeJS.Timeout | undefined) =>
  timer instanceof Timer ? timer.clear() : realClear(timer),
);
Reflect.set(
  timersPromises,
  "setTimeout",
  (ms: number) => new Promise<void>((resolve) => timers.setTimeout(() => resolve(), ms)),
);
// Threads cannot be ordered: the writers' calls stay on libuv's pool, where they are the same. They
// take half of it at most.
process.env["UV_THREADPOOL_SIZE"] = "64";
Reflect.set(
  threads,
  "Worker",
  class extends EventEmitter {
    ref(): void {}
    unref(): void {}
    terminate(): void {}
  },
);
globalThis.setInterval = () => realTimeout(() => {}, 0).unref();
// The same seed makes the same ids.
Reflect.set(crypto, "randomFillSync", (bytes: Uint8Array) => {
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = schedule.random.below(256);
  return bytes;
});
Reflect.set(crypto, "randomBytes", (length: number) => crypto.randomFillSync(Buffer.alloc(length)));
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
  // Ids of one process ascend: each seed has a time of its own.
  now = START + seed * 10 * DAY_MS;
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
    schedule.stop();
  }
  // Entries that retention may have removed are not looked for.
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
