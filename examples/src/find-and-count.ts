// Find entries by time, model, outcome or your own condition, and count them.
import { AuditLogger } from "@ai-audit/core";

const logger = new AuditLogger("./audit-logs/search");
const models = ["gpt-5", "gpt-5-mini", "gpt-5-mini"];
for (const [n, model] of models.entries())
  await logger.log({
    input: `Question ${n}`,
    output: "Answer",
    model,
    conversationId: "conv-1",
    outcome: n === 2 ? "blocked" : "ok",
    safetyPassed: n !== 2,
    inputTokens: 100 * (n + 1),
    metadata: { team: n === 0 ? "search" : "support" },
  });

const hourAgo = new Date(Date.now() - 3_600_000);
console.log(await logger.count({ from: hourAgo }), "in the last hour");
console.log(await logger.count({ model: "gpt-5-mini" }), "to gpt-5-mini");
for await (const entry of logger.entries({ safetyPassed: false })) console.log(entry.outcome);

let tokens = 0;
for await (const { inputTokens } of logger.entries({
  where: ({ metadata }) => metadata["team"] === "support",
}))
  tokens += inputTokens ?? 0;
console.log(tokens, "tokens in by support");
await logger.close();
