// Groups of entries for figures: by time, model, actor …
import type { AuditEntry } from "../format/entry.ts";
import { actorOf, agentOf, outcomeOf, toolOf } from "./call.ts";

/**
 * The name of an entry's group: `hour`, `day`, `month`, `model`, `provider`, `operation`, `tool`,
 * `agent`, `actor`, `outcome`, `conversation`, or `metadata.KEY`. Undefined for any other grouping.
 */
export function groupingOf(by: string): ((entry: AuditEntry) => string) | undefined {
  if (Object.hasOwn(GROUPINGS, by)) return GROUPINGS[by];
  const [, key] = /^metadata\.(.+)$/.exec(by) ?? [];
  return key === undefined ? undefined : ({ metadata }) => textOfKey(metadata[key]);
}

const GROUPINGS: Readonly<Partial<Record<string, (entry: AuditEntry) => string>>> = {
  hour: ({ timestamp }) => `${timestamp.slice(0, 10)} ${timestamp.slice(11, 13)}:00`,
  day: ({ timestamp }) => timestamp.slice(0, 10),
  month: ({ timestamp }) => timestamp.slice(0, 7),
  model: ({ model }) => model ?? "-",
  provider: ({ provider }) => provider ?? "-",
  operation: ({ operation }) => operation ?? "-",
  tool: (entry) => toolOf(entry) ?? "-",
  agent: (entry) => agentOf(entry) ?? "-",
  actor: (entry) => actorOf(entry) ?? "-",
  outcome: outcomeOf,
  conversation: ({ conversationId }) => conversationId ?? "-",
};

function textOfKey(value: unknown): string {
  if (value === undefined) return "-";
  return typeof value === "string" ? value : JSON.stringify(value);
}
