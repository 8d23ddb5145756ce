// Logs until an entry is refused, then once more when a line comes on stdin; ends after 30 rounds
// without a refusal. Prints what happened as JSON lines: <directory> <PEM of the signer>
import { writeSync } from "node:fs";
import { AuditError, AuditLogger, FileStorage, Signer } from "../../../../src/index.ts";

const [path = "", pem = ""] = process.argv.slice(2);
process.on("SIGXFSZ", () => undefined); // the limit shall fail the write, not end the process
const storage = new FileStorage({ path, signer: Signer.fromPem("test", pem) });
const logger = new AuditLogger(storage);

function say(message: object): void {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

async function logSome(): Promise<boolean> {
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, async (_, n) =>
      logger.log({ input: "i", output: "o", metadata: { text: "x".repeat(n * 300) } }),
    ),
  );
  for (const result of results) {
    if (result.status === "fulfilled") say({ acknowledged: result.value });
    else say({ refused: describe(result.reason), cause: describe(result.reason.cause) });
  }
  return results.every(({ status }) => status === "fulfilled");
}

function describe(error: unknown): unknown {
  if (AuditError.isInstance(error)) return { name: error.name, code: error.code };
  return error instanceof Error && "code" in error ? error.code : String(error);
}

let rounds = 0;
while (rounds < 30 && (await logSome())) rounds += 1;
say({ health: (await logger.health()).ok });
if (rounds === 30) await recover();
else process.stdin.once("data", () => void recover());

async function recover(): Promise<void> {
  const isRecovered = await logSome();
  say({ isRecovered, health: (await logger.health()).ok });
  await logger.close();
  process.stdin.destroy();
}
