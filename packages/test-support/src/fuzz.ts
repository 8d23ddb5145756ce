// Fuzzing with a corpus that lies beside the test: each file is an input, and every mutation of one
// follows from a seed.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Random } from "./random.ts";
import { times } from "./soak.ts";

/** Values at which parsers trip. */
const ODD: readonly string[] = [
  "-1",
  "0",
  "9007199254740993",
  "1e999",
  "NaN",
  "null",
  "{}",
  "[]",
  '""',
  "\u0000",
  "\ufeff",
  "\u2028",
  "\n",
  "\r\n",
  "\n\n",
  "__proto__",
  "constructor",
  "\ud800",
  "=",
  "==",
  ".",
  "..",
  "/",
  "—",
  "%",
  "\\u0000",
  "9".repeat(400),
  "[".repeat(2000),
  "A".repeat(5000),
];
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);

export interface FuzzInput {
  /** For a message: the file and the number of the mutation. FUZZ_SEED makes the same again. */
  readonly name: string;
  readonly bytes: Buffer;
  /** Whether it stands in the corpus as it is. */
  readonly isOriginal: boolean;
}

/**
 * The files of `corpus/<name>/` beside a test, each as it is and in a number of mutations.
 *
 * @param mutations of each file. @default 300, in a soak 3,000
 */
export function* fuzzInputs(
  name: string,
  test: string,
  mutations: number = times(300, 3000),
): Generator<FuzzInput> {
  const folder = fileURLToPath(new URL(`corpus/${name}/`, test));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => relative(folder, join(item.parentPath, item.name)))
    .toSorted();
  if (files.length === 0) throw new Error(`no corpus in ${folder}`);
  const originals = files.map((file) => readFileSync(join(folder, file)));
  const random = new Random(SEED);
  for (const [index, file] of files.entries()) {
    const original = originals[index] ?? Buffer.alloc(0);
    yield { name: file, bytes: original, isOriginal: true };
    for (let count = 0; count < mutations; count += 1) {
      let bytes: Buffer = original;
      for (let step = 0; step <= random.below(3); step += 1)
        bytes = mutated(bytes, random, originals);
      yield { name: `${file}, mutation ${count} of seed ${SEED}`, bytes, isOriginal: false };
    }
  }
}

/** These bytes with one change. */
export function mutated(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  const from = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, from + random.below(random.pick([2, 8, 200])));
  const around = (middle: Uint8Array | string): Buffer =>
    Buffer.concat([bytes.subarray(0, from), Buffer.from(middle), bytes.subarray(to)]);
  switch (random.below(7)) {
    case 0: {
      const copy = Buffer.from(bytes);
      if (copy.length > 0)
        copy[from % copy.length] = (copy[from % copy.length] ?? 0) ^ (1 << random.below(8));
      return copy;
    }
    case 1:
      return around("");
    case 2:
      return bytes.subarray(0, from);
    case 3:
      return around(Buffer.concat([bytes.subarray(from, to), bytes.subarray(from, to)]));
    case 4: {
      const other = random.pick(others);
      const start = random.below(other.length + 1);
      return around(other.subarray(start, start + random.below(100)));
    }
    case 5:
      return around(random.pick(ODD));
    default:
      return around(
        Buffer.from(Array.from({ length: 1 + random.below(6) }, () => random.below(256))),
      );
  }
}
