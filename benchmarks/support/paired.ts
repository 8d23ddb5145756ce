// Two ways to do the same in fresh processes: what the second costs more, cold and warm.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./processes.ts";
import { publish, us } from "./table.ts";

export interface ModelServer {
  readonly origin: string;
  readonly baseURL: string;
  stop(): void;
}

/** Starts the server process. */
export async function startModelServer(): Promise<ModelServer> {
  const child = fork(fileURLToPath(new URL("model-server.ts", import.meta.url)));
  const [port] = await once(child, "message");
  const origin = `http://127.0.0.1:${String(port)}`;
  return { origin, baseURL: `${origin}/v1`, stop: () => child.disconnect() };
}

const isQuick = process.env["BENCH_QUICK"] === "1";
/**
 * The compiler decides anew in each process, and one decision more or less is worth as much as what
 * is measured.
 */
const PROCESSES = isQuick ? 1 : 3;
const ROUNDS = 4;
/**
 * The compiler goes on improving hot code for tens of thousands of calls; its work is not a call's.
 */
const WARM_UP_ROUNDS = isQuick ? 2 : 6;
/** As many as in the other benchmarks. */
const IN_FLIGHT = 64;
/** The first calls of a process, one after another: a function lives for ten, a server for millions. */
const COLD_CALLS = 1500;

export interface Pair {
  readonly name: string;
  /** Calls in one block. */
  readonly calls: number;
  readonly plain: () => Promise<unknown>;
  readonly audited: () => Promise<unknown>;
}

/** CPU a call, in microseconds. */
interface Measured {
  readonly name: string;
  readonly plain: number;
  readonly audited: number;
}

type Side = "plain" | "audited";

/** The word that tells the script to measure; a side after it: cold, and that side of one pair. */
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
  const [, , word, side, only] = process.argv;
  if (word !== MEASURE) return printPairs(script, whose);
  const directory = mkdtempSync(join(tmpdir(), "ai-audit-bench-"));
  await body(async (pair) => {
    if (only !== undefined && pair.name !== only) return;
    process.send?.(side ? await measureCold(pair, side as Side) : await measureWarm(pair));
  }, directory);
  rmSync(directory, { recursive: true });
  process.disconnect();
}

async function printPairs(script: string, whose: string): Promise<void> {
  const warm: Measured[] = [];
  const cold = new Map<string, { readonly plain: number[]; readonly audited: number[] }>();
  for (let n = 0; n < PROCESSES; n += 1) {
    for (const pair of await runMeasuring(script, [])) {
      warm.push(pair);
      const sides = cold.get(pair.name) ?? { plain: [], audited: [] };
      cold.set(pair.name, sides);
      for (const side of ["plain", "audited"] as const)
        for (const found of await runMeasuring(script, [side, pair.name]))
          sides[side].push(found[side]);
    }
  }
  publish({
    title: `Added by ${basename(script, ".ts")}`,
    about:
      `CPU of ${whose}, µs: without the audit, and what the audit adds. Cold: the first ${COLD_CALLS} calls of a process, ` +
      `one after another. Warm: ${IN_FLIGHT} in flight. Median of ${PROCESSES} processes, lowest and highest in brackets.`,
    columns: ["", "plain, cold", "added, cold", "plain, warm", "added, warm"],
    rows: [...Map.groupBy(warm, ({ name }) => name)].map(([name, found]) => {
      const { plain, audited } = cold.get(name) ?? { plain: [], audited: [] };
      return [
        name,
        us(median(plain)),
        spread(audited.map((value, at) => value - (plain[at] ?? Number.NaN))),
        us(median(found.map((one) => one.plain))),
        spread(found.map((one) => one.audited - one.plain)),
      ];
    }),
  });
}

async function runMeasuring(script: string, words: readonly string[]): Promise<Measured[]> {
  const found: Measured[] = [];
  const child = fork(script, [MEASURE, ...words]);
  child.on("message", (measured: Measured) => found.push(measured));
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`a measuring process ended with ${String(code)}`);
  return found;
}

/** One side alone: the other one would warm up what both use. */
async function measureCold(pair: Pair, side: Side): Promise<Measured> {
  const calls = Math.min(COLD_CALLS, pair.calls * 8);
  const cost = await cpuPerCall(pair[side], calls, 1);
  return { name: pair.name, plain: Number.NaN, audited: Number.NaN, [side]: cost };
}

/**
 * All CPU of the rounds, by their calls: what the collector and the compiler do is in it, whenever
 * they do it.
 */
async function measureWarm({ name, calls, plain, audited }: Pair): Promise<Measured> {
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
  return { name, plain: sum.plain / ROUNDS, audited: sum.audited / ROUNDS };
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

/** Median, with the lowest and the highest. */
function spread(values: readonly number[]): string {
  const [lowest = Number.NaN] = values.toSorted((a, b) => a - b);
  const [highest = Number.NaN] = values.toSorted((a, b) => b - a);
  return `${us(median(values))} [${us(lowest)}, ${us(highest)}]`;
}
