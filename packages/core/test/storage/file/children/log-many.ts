// Logs <count> entries, 64 in flight, and closes: <directory> <PEM of the signer> <count>
import { AuditLogger, FileStorage, Signer } from "../../../../src/index.ts";

const [path = "", pem = "", count = "0"] = process.argv.slice(2);
const logger = new AuditLogger(new FileStorage({ path, signer: Signer.fromPem("test", pem) }));
let left = Number(count);
await Promise.all(Array.from({ length: 64 }, logSome));
await logger.close();

async function logSome(): Promise<void> {
  while (left > 0) {
    left -= 1;
    await logger.log({
      input: `question ${left}`,
      output: "answer",
      metadata: { pid: process.pid },
    });
  }
}
