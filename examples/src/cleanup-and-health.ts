// Retention on a schedule, and the figures a health check shows.
import { AuditLogger } from "@ai-audit/core";

const logger = new AuditLogger("./audit-logs/cleanup", { retentionDays: 365 });
const schedule = logger.scheduleCleanup({
  cron: "0 2 * * *",
  timezone: "Europe/Berlin",
  onRun: (result) => console.log("clean-up:", result),
});
console.log("next clean-up:", schedule.nextRun?.toISOString());

await logger.log({ input: "Hello!", output: "Hi.", latencyMs: 40 });
await logger.log({
  input: "How do I …",
  output: "",
  safetyPassed: false,
  blockReason: "policy",
  latencyMs: 15,
});
console.log("would be removed today:", await logger.cleanupExpired({ dryRun: true }));
console.log(await logger.health());
await logger.close(); // stops the schedule as well
