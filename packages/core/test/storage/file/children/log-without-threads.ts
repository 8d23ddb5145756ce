// Logs 20 entries where Node's permission model forbids threads, and prints the error of a thread
// and the number of entries as JSON: <directory>
import { Worker } from "node:worker_threads";
import { AuditLogger, FileStorage } from "../../../../src/index.ts";

const [path = ""] = process.argv.slice(2);
// The permission model forbids fsync(2) as well.
const logger = new AuditLogger(new FileStorage({ path, durability: "os" }));
for (let count = 0; count < 20; count += 1)
  await logger.log({ input: "question", output: "answer" });
console.log(JSON.stringify({ thread: errorOfThread(), entries: await logger.count() }));
await logger.close();

function errorOfThread(): unknown {
  try {
    return new Worker("", { eval: true });
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}
