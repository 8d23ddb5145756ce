// Prints how many bytes finding each entry read: <directory> <id>...
import { readFileSync } from "node:fs";
import { FileStorage } from "../../../../src/index.ts";

const [path = "", ...ids] = process.argv.slice(2);

/** Bytes that read(2) and its like returned to this process. Linux. */
function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
}

const ownCost = -bytesRead() + bytesRead();
const result = [];
for (const id of ids) {
  const before = bytesRead();
  const line = await new FileStorage({ path }).get(id); // a new one each: nothing is remembered
  result.push({
    found: line?.startsWith(`{"id":"${id}"`) ?? false,
    bytes: bytesRead() - before - ownCost,
  });
}
process.stdout.write(JSON.stringify(result));
