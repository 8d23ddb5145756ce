// Logs until stdin ends, one entry at a time, and prints each outcome and the longest pause of the
// event loop as JSON lines: <directory> <PEM of the signer> <writeTimeoutMs>
import { AuditError, AuditLogger, FileStorage, Signer } from "../../../../src/index.ts";

const [path = "", pem = "", timeout = "1000"] = process.argv.slice(2);
const signer = Signer.fromPem("test", pem);
const storage = new FileStorage({ path, signer, writeTimeoutMs: Number(timeout) });
const logger = new AuditLogger(storage);
const ending = new AbortController();
let longestPauseMs = 0;
let ticked = performance.now();
const ticking = setInterval(() => {
  const now = performance.now();
  longestPauseMs = Math.max(longestPauseMs, now - ticked - 10);
  ticked = now;
}, 10);
process.stdin.on("data", () => (longestPauseMs = 0)).on("end", () => ending.abort());

while (!ending.signal.aborted) {
  const began = performance.now();
  const said = await logger
    .log({ input: "question", output: "answer" })
    .then((acknowledged) => ({ acknowledged }))
    .catch((error: unknown) => ({ refused: describe(error) }));
  console.log(JSON.stringify({ ...said, ms: Math.round(performance.now() - began) }));
}
clearInterval(ticking);
await logger.close().catch(() => undefined);
console.log(JSON.stringify({ longestPauseMs }));
process.exit();

function describe(error: unknown): string {
  if (!AuditError.isInstance(error)) return String(error);
  const { cause } = error;
  return `${error.code} ${cause instanceof Error && "code" in cause ? String(cause.code) : ""}`;
}
