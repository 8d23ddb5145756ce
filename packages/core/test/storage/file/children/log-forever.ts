// Keeps 64 calls in flight and prints each id once it is acknowledged: <directory> <PEM of the
// signer>
import { writeSync } from "node:fs";
import { AuditLogger, FileStorage, Signer } from "../../../../src/index.ts";

const [path = "", pem = ""] = process.argv.slice(2);
const logger = new AuditLogger(
  new FileStorage({ path, signer: Signer.fromPem("test", pem), rotationSizeMb: 0.2 }),
);
for (let lane = 0; lane < 64; lane += 1) void logForever(lane);

async function logForever(lane: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const id = await logger.log({
      input: `question ${n} of ${lane}`,
      output: "x".repeat((n * 37) % 900),
      model: "m",
    });
    writeSync(1, `${id}\n`);
  }
}
