// A person decides: the request, the decision and its reason are entries of the log.
import { AuditLogger } from "@ai-audit/core";

const logger = new AuditLogger("./audit-logs/review", { storeContent: true });
const of = await logger.log({
  operation: "execute_tool",
  outcome: "interrupted", // it waits for a person
  input: { to: "Acme", amount: 950 },
  output: "",
  run: { toolName: "pay" },
});
console.log((await logger.reviews()).filter(({ decided }) => !decided).length, "waits");

await logger.review({
  of,
  by: "bob",
  role: "treasurer",
  verdict: "modified",
  before: { amount: 950 },
  after: { amount: 900 },
  shown: "Invoice 17: 950 EUR to Acme.",
  reason: "discount",
});
for (const { decided, decisions } of await logger.reviews())
  console.log(decided, decisions[0]?.actor?.id, decisions[0]?.review?.verdict);
await logger.close();
