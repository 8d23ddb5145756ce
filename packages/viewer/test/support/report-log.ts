// A log of some days with every kind of event that a report lists.
import { AuditLogger, FileStorage, Signer } from "@ai-audit/core";
import { type AuditEntry, entryToLine } from "@ai-audit/core/format";

/** A log, and the key that sealed it. */
export interface ReportLog {
  readonly directory: string;
  readonly vkey: string;
}

const MODELS = [
  ["openai", "gpt-5"],
  ["openai", "gpt-5-mini"],
  ["anthropic", "claude-sonnet-4-5"],
] as const;
const ACTORS = ["ada", "bob", "eve"] as const;

/** Writes `perDay` entries on each of `days` days that end yesterday, and today's reviews. */
export async function writeReportLog(
  directory: string,
  { days = 5, perDay = 12 }: { readonly days?: number; readonly perDay?: number } = {},
): Promise<ReportLog> {
  const signer = await Signer.generate("example.com/audit");
  const storage = new FileStorage({ path: directory, signer });
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  let number = 0;
  for (let day = days; day > 0; day -= 1) {
    const busy = perDay - ((day * 5) % Math.ceil(perDay / 2));
    for (let at = 0; at < busy; at += 1) {
      const time = today - day * DAY_MS + 8 * HOUR_MS + Math.floor((at * 9 * HOUR_MS) / busy);
      const entry = entryAt(time, number);
      await storage.append(entryToLine(entry), entry.id);
      number += 1;
    }
  }
  const logger = new AuditLogger(storage);
  const asked = await logger.log({
    input: { action: "pay", amount: 120 },
    output: "",
    operation: "human_review",
    outcome: "interrupted",
    run: { id: "run-1", name: "pay_invoice" },
  });
  await logger.log({
    input: { action: "close account" },
    output: "",
    operation: "human_review",
    outcome: "interrupted",
    run: { id: "run-2", name: "close_account" },
  });
  await logger.review({
    of: asked,
    by: { id: "carol", kind: "user", role: "credit officer" },
    verdict: "approved",
    reason: "within limits",
  });
  await logger.log({
    operation: "event",
    input: "",
    output: "",
    actor: { id: "dora", kind: "user" },
    metadata: { event: "content revealed", entries: 1 },
  });
  await logger.close();
  return { directory, vkey: signer.vkey };
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function entryAt(time: number, number: number): Parameters<typeof entryToLine>[0] & AuditEntry {
  const hex = time.toString(16).padStart(12, "0");
  const suffix = number.toString(16).padStart(12, "0");
  const [provider, model] = MODELS[number % MODELS.length] ?? MODELS[0];
  const isBlocked = number % 17 === 5;
  const isError = number % 23 === 9;
  const isTool = number % 8 === 6;
  return {
    id: `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${suffix}`,
    timestamp: new Date(time).toISOString(),
    inputHash: "0".repeat(64),
    outputHash: "1".repeat(64),
    inputContent: null,
    outputContent: null,
    provider: isTool ? null : provider,
    model: isTool ? null : model,
    conversationId: `c${number >> 2}`,
    safetyPassed: !isBlocked,
    detectorsTriggered: isBlocked ? ["azure:jailbreak"] : [],
    blockReason: isBlocked ? "content_filter" : null,
    alerts: [],
    latencyMs: 200 + ((number * 7919) % 4000),
    inputTokens: isTool ? null : 20 + (number % 90),
    outputTokens: isTool ? null : 5 + (number % 300),
    metadata: {},
    operation: isTool ? "execute_tool" : "chat",
    outcome: isBlocked ? "blocked" : isError ? "error" : "ok",
    safetyChecks: isTool ? [] : ["azure.content_filter"],
    actor: { id: ACTORS[number % ACTORS.length] ?? "ada", kind: "user" },
    ...(isTool && { run: { id: `t${number}`, rootId: `r${number}`, toolName: "lookup" } }),
    ...(!isTool && { responseModel: `${model}-2026-08-0${(number % 3) + 1}` }),
  };
}
