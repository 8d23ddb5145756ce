// `pnpm mutants [number...]`: makes one change at a time in a copy of core, each of which takes a
// promise away, and runs the tests that hold the promise. A mutant that lives, or whose place is
// gone, is a failure.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { MUTANTS } from "./mutant-list.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function isSource(path: string): boolean {
  return !/[\\/](node_modules|dist)$/.test(path);
}

/** A copy of what the tests of core and the faults need; packages that are installed are linked. */
function copyOfCore(): string {
  const copy = mkdtempSync(join(tmpdir(), "ai-audit-mutants-"));
  for (const part of ["packages/core", "packages/test-support", "faults", "docs", "scripts"])
    cpSync(join(ROOT, part), join(copy, part), { recursive: true, filter: isSource });
  for (const file of ["vitest.config.ts", "package.json", "tsconfig.base.json"])
    cpSync(join(ROOT, file), join(copy, file));
  for (const part of [".", "packages/core", "packages/test-support"])
    symlinkSync(join(ROOT, part, "node_modules"), join(copy, part, "node_modules"));
  // The faults work with the copy's core.
  const own = join(copy, "faults/node_modules/@ai-audit");
  mkdirSync(own, { recursive: true });
  for (const name of ["core", "test-support"])
    symlinkSync(join(copy, "packages", name), join(own, name));
  return copy;
}

/** Whether all of these tests pass. */
function pass(copy: string, tests: readonly string[]): boolean {
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const words = [vitest, "run", "--maxWorkers=1", "--bail=1", "--reporter=dot", ...tests];
  const { status, stdout } = spawnSync(process.execPath, words, { cwd: copy, encoding: "utf8" });
  const said = stripVTControlCharacters(stdout);
  if (status !== 0 && !/Tests .*failed/.test(said))
    throw new Error(`the tests did not run: ${said}`);
  return status === 0;
}

const chosen = new Set(process.argv.slice(2).map(Number));
const copy = copyOfCore();
let failures = 0;
try {
  const numbered = MUTANTS.map((mutant, index) => ({ ...mutant, number: index + 1 })).filter(
    ({ number }) => chosen.size === 0 || chosen.has(number),
  );
  const sound = new Map<string, boolean>();
  for (const { number, name, file, from, to, tests } of numbered) {
    const place = join(copy, "packages/core/src", file);
    const source = existsSync(place) ? readFileSync(place, "utf8") : "";
    if (source.split(from).length !== 2) {
      failures += 1;
      console.log(`${number}. ${name}: its place in ${file} is gone`);
      continue;
    }
    const key = tests.join(" ");
    if (!sound.has(key)) sound.set(key, pass(copy, tests));
    if (sound.get(key) !== true) {
      failures += 1;
      console.log(`${number}. ${name}: ${key} fails without a mutant as well`);
      continue;
    }
    writeFileSync(
      place,
      source.replace(from, () => to),
    );
    const lives = pass(copy, tests);
    writeFileSync(place, source);
    if (lives) failures += 1;
    console.log(
      `${number}. ${name}: ${lives ? "LIVES" : "killed"} (${tests.map((test) => (dirname(test) === "." ? test : test.replace("packages/core/test/", ""))).join(", ")})`,
    );
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(failures === 0 ? "every mutant is killed" : `${failures} are not killed`);
process.exit(failures === 0 ? 0 : 1);
