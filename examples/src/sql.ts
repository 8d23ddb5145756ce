// SQL over the log with DuckDB, in the process.
import { AuditLogger } from "@ai-audit/core";
import { AuditSql } from "@ai-audit/core/sql";

const logger = new AuditLogger("./audit-logs/sql");
for (const latencyMs of [120, 180, 900])
  await logger.log({ input: "Hello!", output: "Hi.", model: "gpt-5", latencyMs });
await logger.close();

const sql = await AuditSql.open({ paths: "./audit-logs/sql" });
console.log(
  await sql.query(
    "SELECT model, count(*)::INTEGER AS calls, max(latency_ms) AS slowest FROM entries GROUP BY model",
  ),
);
await sql.close();
