// Runs the simulation for many seeds, in processes of their own. A seed that fails is printed with
// the command that runs it again.
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Tally } from "./judge.ts";
import type { Row } from "./row.ts";
import type { Simulated } from "./simulation.ts";

/**
 * Seeds of one process. A writer that is killed leaves calls behind that never end. Each keeps its
 * share of the pool in the eyes of later writers of the process, which in the end would wait for it.
 */
const SEEDS_OF_A_PROCESS = 100;

const SIMULATION = fileURLToPath(new URL("simulation.ts", import.meta.url));

export async function simulations({
  first,
  seeds,
}: {
  readonly first: number;
  readonly seeds: number;
}): Promise<Row[]> {
  const tally = new Tally();
  const run = async (from: number, count: number): Promise<void> => {
    const words = ["--conditions=ai-audit-source", SIMULATION, `${from}`, `${count}`];
    const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 2 ** 28 });
    for (const line of stdout.trimEnd().split("\n")) {
      const result: Simulated = JSON.parse(line);
      tally.acknowledged += result.acknowledged;
      tally.add(
        result,
        `seed ${result.seed} (node ${words.slice(0, 2).join(" ")} ${result.seed} 1)`,
      );
    }
  };
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < seeds) {
      const at = begun;
      begun += Math.min(SEEDS_OF_A_PROCESS, Math.ceil(seeds / availableParallelism()), seeds - at);
      await run(first + at, begun - at);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const fault =
    "An interleaving of eight writers, some killed, a clean-up, a shipper, two readers and a verifier, by seed";
  return [
    tally.row(fault, tally.findings.length === 0 ? "no error, no alarm" : "see the findings"),
  ];
}
