// Runs in flight: an invocation, its agents and their tools, as a tree. A log names each of them.
import type { JsonValue } from "../format/canonical.ts";
import type { Run } from "../format/entry.ts";

/** A run that has begun. `parent` is undefined for a root, and for a run of another process. */
export interface RunScope {
  readonly id: string;
  readonly parent: RunScope | undefined;
  /** Id of the run that began this one, also where `parent` is in another process. */
  readonly parentId?: string | undefined;
  /** Id of the outermost run: its own for a root. */
  readonly rootId: string;
  readonly name: string | undefined;
  /** For example `agent`, `tool` or `chain`. */
  readonly kind: string | undefined;
  /** RFC 3339. */
  readonly startedAt: string;
}

/** Facts of one run. Runs within it do not have them. */
const OWN: ReadonlySet<string> = new Set([
  "id",
  "parentId",
  "rootId",
  "name",
  "kind",
  "path",
  "toolName",
  "toolCallId",
  "requestedBy",
  "requestedByRun",
  "sameCallAs",
  "continues",
  "attempt",
]);

/**
 * The facts that a run passes down to everything within it: its place, the names on the way there,
 * the agent, and the tool call that started it.
 */
export function runWithin(run: Run): Run {
  const kept = Object.entries(run).filter(([name]) => !OWN.has(name));
  const { path = [], name, kind } = run;
  const facts: Record<string, JsonValue | undefined> = Object.fromEntries(kept);
  if (run.id !== undefined) facts["parentId"] = run.id;
  if (run.rootId !== undefined) facts["rootId"] = run.rootId;
  if (name !== undefined) facts["path"] = [...path, name];
  else if (path.length > 0) facts["path"] = path;
  if (kind === "agent" && name !== undefined) facts["agentName"] = name;
  if (run.toolCallId !== undefined) facts["calledBy"] = run.toolCallId;
  return facts;
}
