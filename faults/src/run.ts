// `pnpm faults [--short] [--seed N] [--write]`: tries the faults, prints the table and every
// finding, and exits with 1 where an entry was lost or doubled or a verdict false. --short: as many
// tries as CI has time for. --write: docs/faults.md, too.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { buckets, killedServers } from "./buckets.ts";
import { disks } from "./disks.ts";
import { powerCuts } from "./power-cuts.ts";
import { isClean, type Row, tableOf } from "./row.ts";
import { simulations } from "./simulations.ts";
import { systemCalls } from "./system-calls.ts";

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    write: { type: "boolean", default: false },
  },
});
const { short } = values;
const seed = Number(values.seed);
// Each seed of the simulation has ten days of its own, and the names of files end with the year 9999.
if (!Number.isInteger(seed) || seed < 0 || seed > 250_000)
  throw new RangeError(`--seed must be a whole number from 0 to 250000, not ${values.seed}`);

const FAMILIES: readonly (readonly [name: string, isAbsent: boolean, run: () => Promise<Row[]>])[] =
  [
    [
      "power cuts",
      isLeftOut("strace"),
      () =>
        powerCuts(short ? { seed, orders: 100, every: 100 } : { seed, orders: 10_000, every: 1 }),
    ],
    ["system calls", isLeftOut("cc"), () => systemCalls({ every: 1 })],
    ["disks", isLeftOut("mount"), disks],
    ["buckets", isLeftOut("moto"), () => buckets("moto")],
    ["killed servers", isLeftOut("ceph"), killedServers],
    ["simulation", false, () => simulations({ first: seed, seeds: short ? 200 : 10_000 })],
  ];

const rows: Row[] = [];
for (const [name, isAbsent, run] of FAMILIES) {
  if (isAbsent) {
    console.error(`${name}: left out`);
    continue;
  }
  const started = performance.now();
  const found = await run();
  rows.push(...found);
  console.error(`${name}: ${Math.round((performance.now() - started) / 1000)} s`);
  for (const { fault, findings } of found)
    for (const finding of findings) console.error(`  ${fault}\n    ${finding}`);
}
console.log(tableOf(rows));
if (values.write) {
  const page = new URL("../../docs/faults.md", import.meta.url);
  const text = readFileSync(page, "utf8");
  const [head = ""] = text.split("<!-- table -->");
  writeFileSync(
    page,
    `${head}<!-- table -->\n\nRun with \`pnpm faults${short ? " --short" : ""} --seed ${seed}\` on Node ${process.versions.node}.\n\n${tableOf(rows)}\n`,
  );
}
process.exit(rows.every(isClean) ? 0 : 1);
