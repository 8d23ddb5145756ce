// Runs command lines one after the other in one process, as main.ts runs one. Reads a JSON array of
// their words. A mark with its exit code follows the output of each, on both streams.
import { text } from "node:stream/consumers";
import { run } from "../../src/run.ts";

const lines: readonly (readonly string[])[] = JSON.parse(await text(process.stdin));
for (const words of lines) {
  const code = await run(words);
  for (const stream of [process.stdout, process.stderr]) stream.write(`\n\u0001${code}\u0001\n`);
}
