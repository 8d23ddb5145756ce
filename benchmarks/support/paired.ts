// Two ways to do the same, in turn, in one process: what the second costs more.
import { fork } from "node:child_process";
import { once } from "node:events";
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
  for (let round = -2; round < ROUNDS; round += 1) {
    const row = { plain: await cpuPerCall(plain, calls), audited: await cpuPerCall(audited, calls) };
    if (round >= 0) rows.push(row); // the first two warm up
  }
  const added = median(rows.map((row) => row.audited - row.plain));
  console.log(
    `${name.padEnd(34)} plain ${median(rows.map((row) => row.plain))
      .toFixed(0)
      .padStart(6)} µs   ` +
      `audited ${median(rows.map((row) => row.audited))
        .toFixed(0)
        .padStart(6)} µs   added ${added.toFixed(0).padStart(5)} µs` +
      `   ratio ${median(rows.map((row) => row.audited / row.plain)).toFixed(2)}${targetUs === undefined ? "" : `   (target: at most ${targetUs} µs)`}`,
  );
}

async function cpuPerCall(call: () => Promise<unknown>, calls: number): Promise<number> {
  const before = process.cpuUsage();
  for (let n = 0; n < calls; n += 8) await Promise.all(Array.from({ length: 8 }, call));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
