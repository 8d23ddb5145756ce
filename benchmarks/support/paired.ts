// Two ways to do the same, in turn, in one process: what the second costs more.
import { fork } from "node:child_process";
import { once } from "node:events";
import { writeSync } from "node:fs";
import { open } from "node:fs/promises";
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

const ROUNDS = 15;
/** The compiler goes on improving hot code for tens of thousands of calls; its work is not a call's. */
const WARM_UP_ROUNDS = 15;
/** As many as in the other benchmarks. */
export const IN_FLIGHT = 64;

export interface Pair {
  readonly name: string;
  /** Calls in one block. */
  readonly calls: number;
  readonly plain: () => Promise<unknown>;
  readonly audited: () => Promise<unknown>;
  /** Target, in microseconds of CPU a call. */
  readonly targetUs?: number;
}

/** Prints the CPU (this process, all threads) a call takes either way: medians over rounds, plain and audited in turn. */
export async function comparePair({ name, calls, plain, audited, targetUs }: Pair): Promise<void> {
  const rows: { plain: number; audited: number }[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    const row = { plain: await cpuPerCall(plain, calls), audited: await cpuPerCall(audited, calls) };
    if (round >= 0) rows.push(row);
  }
  const added = rows.map((row) => row.audited - row.plain).toSorted((a, b) => a - b);
  const target = targetUs === undefined ? "" : `   (target: at most ${targetUs} µs)`;
  console.log(
    `${name.padEnd(36)} plain ${us(median(rows.map((row) => row.plain)))}   ` +
      `audited ${us(median(rows.map((row) => row.audited)))}   ` +
      `added ${us(median(added))}, quartiles ${us(quantile(added, 0.25))} to ${us(quantile(added, 0.75))}${target}`,
  );
}

/** Prints what a commit costs that holds nothing but a kilobyte: the machine's own share of durability. */
export async function printSyncCost(directory: string): Promise<void> {
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
  console.log(`write(2) and fdatasync(2) of 1 KiB   ${us(cost)}, the machine's own, once a commit\n`);
}

async function cpuPerCall(call: () => Promise<unknown>, calls: number, inFlight = IN_FLIGHT): Promise<number> {
  const before = process.cpuUsage();
  for (let n = 0; n < calls; n += inFlight) await Promise.all(Array.from({ length: inFlight }, call));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

function us(value: number): string {
  return `${value.toFixed(0).padStart(4)} µs`;
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.floor(ascending.length * share)] ?? Number.NaN;
}
