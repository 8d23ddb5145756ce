// Two ways to do the same, in turn, in each of several processes: what the second costs more.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface ModelServer {
  readonly baseURL: string;
  stop(): void;
}

/** Starts the server process. */
export async function startModelServer(): Promise<ModelServer> {
  const child = fork(fileURLToPath(new URL("model-server.ts", import.meta.url)));
  const [port] = await once(child, "message");
  return { baseURL: `http://127.0.0.1:${String(port)}/v1`, stop: () => child.disconnect() };
}

/**
 * The compiler decides anew in each process, and one decision more or less is worth as much as what
 * is measured.
 */
const PROCESSES = 5;
const ROUNDS = 16;
/**
 * The compiler goes on improving hot code for tens of thousands of calls; its work is not a call's.
 */
const WARM_UP_ROUNDS = 10;
/** As many as in the other benchmarks. */
const IN_FLIGHT = 64;

export interface Pair {
  readonly name: string;
  /** Calls in one block. */
  readonly calls: number;
  readonly plain: () => Promise<unknown>;
  readonly audited: () => Promise<unknown>;
  /** Target, in microseconds of CPU a call. */
  readonly targetUs?: number;
}

/** CPU a call, in microseconds, in one process. */
interface Measured {
  readonly name: string;
  readonly targetUs: number | undefined;
  readonly plain: number;
  readonly audited: number;
}

/** The variable that tells the script to measure. */
const MEASURE = "--measure";

/**
 * Runs the script in several processes, in which `body` hands its pairs to `compare`, and prints
 * what they cost.
 *
 * @param script the file that calls this
 * @param whose whose CPU it is, for the headline
 */
export async function comparePairs(
  script: string,
  whose: string,
  body: (compare: (pair: Pair) => Promise<void>, directory: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "ai-audit-bench-"));
  if (process.argv[2] === MEASURE) {
    await body(async (pair) => void process.send?.(await measure(pair)), directory);
    process.disconnect();
  } else {
    console.log(`Node ${process.version}; CPU of ${whose}, ${IN_FLIGHT} in flight, in turn`);
    console.log(
      `mean of ${ROUNDS} rounds, median of ${PROCESSES} processes, lowest and highest in brackets\n`,
    );
    await printSyncCost(directory);
    await printPairs(script);
  }
  rmSync(directory, { recursive: true });
}

async function printPairs(script: string): Promise<void> {
  const all: Measured[] = [];
  for (let n = 0; n < PROCESSES; n += 1) {
    const child = fork(script, [MEASURE]);
    child.on("message", (measured: Measured) => all.push(measured));
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`a measuring process ended with ${String(code)}`);
  }
  for (const [name, found] of Map.groupBy(all, (measured) => measured.name)) {
    const [targetUs] = found.flatMap((one) => one.targetUs ?? []);
    const added = ascending(found.map(({ plain, audited }) => audited - plain));
    console.log(
      `${name.padEnd(36)} plain ${us(median(found.map(({ plain }) => plain)))}   ` +
        `audited ${us(median(found.map(({ audited }) => audited)))}   ` +
        `added ${us(median(added))} [${us(added[0])}, ${us(added.at(-1))}]` +
        (targetUs === undefined ? "" : `   (target: at most ${targetUs} µs)`),
    );
  }
}

/**
 * All CPU of the rounds, by their calls: what the collector and the compiler do is in it, whenever
 * they do it.
 */
async function measure({ name, calls, plain, audited, targetUs }: Pair): Promise<Measured> {
  const sum = { plain: 0, audited: 0 };
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    const cost = { plain: 0, audited: 0 };
    if (round % 2 === 0) cost.plain = await cpuPerCall(plain, calls);
    cost.audited = await cpuPerCall(audited, calls);
    if (round % 2 !== 0) cost.plain = await cpuPerCall(plain, calls);
    if (round < 0) continue;
    sum.plain += cost.plain;
    sum.audited += cost.audited;
  }
  return { name, targetUs, plain: sum.plain / ROUNDS, audited: sum.audited / ROUNDS };
}

/**
 * Prints what a commit costs that holds nothing but a kilobyte: the machine's own share of
 * durability.
 */
async function printSyncCost(directory: string): Promise<void> {
  const file = await open(join(directory, "sync"), "a");
  const line = Buffer.alloc(1024, "x");
  const cost = await cpuPerCall(
    async () => {
      writeSync(file.fd, line);
      await file.datasync();
    },
    500,
    1,
  );
  await file.close();
  console.log(
    `write(2) and fdatasync(2) of 1 KiB   ${us(cost)}, the machine's own, once a commit\n`,
  );
}

async function cpuPerCall(
  call: () => Promise<unknown>,
  calls: number,
  inFlight = IN_FLIGHT,
): Promise<number> {
  const before = process.cpuUsage();
  for (let n = 0; n < calls; n += inFlight)
    await Promise.all(Array.from({ length: inFlight }, call));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

function us(value = Number.NaN): string {
  return `${value.toFixed(0).padStart(4)} µs`;
}

function median(values: readonly number[]): number | undefined {
  return ascending(values)[Math.floor(values.length / 2)];
}

function ascending(values: readonly number[]): readonly number[] {
  return values.toSorted((a, b) => a - b);
}
