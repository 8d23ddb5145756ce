// Figures from fresh processes: a script starts itself once for each sample, in turn over its
// subjects, so that noise of the machine meets all of them alike.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The word that tells the script to measure, before the subject's name. */
const MEASURE = "--measure";

/** What one process measured: figures by name. */
export type Figures = Readonly<Record<string, number>>;

/** Measures one subject in an empty directory. */
export type Subject = (directory: string) => Promise<Figures>;

/**
 * Runs every subject in a process of its own, `rounds` times, each round in turn. In the child
 * process itself it measures, reports and ends.
 * @param script the file that calls this
 */
export async function inProcesses(
  script: string,
  subjects: Readonly<Record<string, Subject>>,
  rounds: number,
): Promise<Map<string, Figures[]>> {
  const [, , word, name = ""] = process.argv;
  if (word === MEASURE) {
    const directory = mkdtempSync(join(tmpdir(), "ai-audit-bench-"));
    try {
      const subject = subjects[name];
      if (!subject) throw new Error(`no subject is called ${name}`);
      process.send?.(await subject(directory));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
    process.exit();
  }
  const all = new Map<string, Figures[]>(Object.keys(subjects).map((key) => [key, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [key, samples] of all) {
      const child = fork(script, [MEASURE, key]);
      let figures: Figures | undefined;
      child.on("message", (message: Figures) => (figures = message));
      const [code] = await once(child, "exit");
      if (!figures) throw new Error(`${key}: the measuring process ended with ${String(code)}`);
      samples.push(figures);
    }
  }
  return all;
}

/** CPU of this process, all threads, and wall clock, in microseconds a call. */
export async function timed(
  calls: number,
  work: () => Promise<void>,
): Promise<{
  readonly cpuUs: number;
  readonly wallUs: number;
}> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const wallUs = ((performance.now() - start) * 1000) / calls;
  const { user, system } = process.cpuUsage(cpu);
  return { cpuUs: (user + system) / calls, wallUs };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Median of one figure over the samples. */
export function medianOf(samples: readonly Figures[], figure: string): number {
  return median(samples.map((sample) => sample[figure] ?? Number.NaN));
}

/** Median of the ratios of two subjects' figures, round by round. */
export function medianRatio(
  own: readonly Figures[],
  other: readonly Figures[],
  figure: string,
): number {
  return median(
    own.map((sample, at) => (sample[figure] ?? Number.NaN) / (other[at]?.[figure] ?? Number.NaN)),
  );
}
