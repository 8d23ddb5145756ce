// /ready for the orchestrator, /metrics for Prometheus, and a clean end at SIGTERM.
import { once } from "node:events";
import { createServer } from "node:http";
import { AuditLogger } from "@ai-audit/core";

const logger = new AuditLogger("./audit-logs/health");
await logger.ready(); // rejects with the reason when the log cannot be written

const server = createServer((request, response) => {
  const respond = async (): Promise<void> => {
    const { ok, lastError, lastHour, pendingWrites, lostWrites } = await logger.health();
    if (request.url === "/ready")
      response.writeHead(ok ? 200 : 503).end(ok ? "ready" : lastError?.message);
    else
      response.end(
        `audit_entries_last_hour ${lastHour?.entries ?? NaN}\n` +
          `audit_safety_failures_last_hour ${lastHour?.safetyFailures ?? NaN}\n` +
          `audit_pending_writes ${pendingWrites}\naudit_lost_writes ${lostWrites}\n`,
      );
  };
  respond().catch((error: unknown) => response.writeHead(503).end(String(error)));
}).listen(0, "127.0.0.1");
await once(server, "listening");

process.once("SIGTERM", () => {
  server.close(); // no new requests
  logger.close({ timeoutMs: 10_000 }).then(
    () => console.log("closed"),
    (error: unknown) => console.error(error),
  );
});

await logger.log({ input: "Hello!", output: "Hi.", outcome: "ok", latencyMs: 15 });
const address = server.address();
const base = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
const headers = { connection: "close" };
console.log(await (await fetch(`${base}/ready`, { headers })).text());
console.log(await (await fetch(`${base}/metrics`, { headers })).text());
process.kill(process.pid, "SIGTERM"); // what Kubernetes sends
