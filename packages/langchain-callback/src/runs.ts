// Where a run stands: its ancestors, and what it inherits from them. Contexts are small copies; nothing here
// refers to LangChain's objects.
import type { JsonValue, Run } from "@ai-audit/core";
import type { Settings } from "./options.ts";
import { defined, type Fields, firstText, listOf, textOf } from "./read.ts";

export type RunKind = "chain" | "model" | "tool" | "retriever";

/** What a callback's start says of a run. */
export interface RunStart {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly kind: RunKind;
  readonly name: string;
  readonly tags: unknown;
  readonly metadata: Fields;
}

/** All runs under one root. It ends with its root. */
export class Scope {
  readonly rootId: string;
  readonly members: Set<string> = new Set();
  /** Ids of interrupts that are on record. */
  readonly interrupts: Set<string> = new Set();
  /** Commands whose decision is on record; one passes every chain down to its graph. */
  readonly decisions: WeakSet<object> = new WeakSet();

  constructor(rootId: string) {
    this.rootId = rootId;
  }
}

/** LangGraph's name for a graph or agent that was given none. */
const UNNAMED_GRAPH = "LangGraph";

/** A run's place among the others. */
export interface RunContext {
  readonly id: string;
  readonly kind: RunKind;
  readonly name: string;
  readonly scope: Scope;
  /** The `run` object of this run's entry. */
  readonly run: Run;
  readonly conversationId: string | undefined;
  /** What a moderation node was given to look at; of no other chain are inputs kept. */
  checked?: JsonValue;
  /** Checks that a middleware of this agent ran. */
  checks?: Set<string>;
}

/** The contexts of all runs that have started and not ended. */
export class RunContexts {
  readonly #contexts = new Map<string, RunContext>();
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#contexts.size;
  }

  get(id: string | undefined): RunContext | undefined {
    return id === undefined ? undefined : this.#contexts.get(id);
  }

  /** Adds a run; a run whose parent is not known is the root of a scope of its own. */
  enter({ id, parentId, kind, name, tags, metadata }: RunStart): RunContext {
    const parent = this.get(parentId);
    const scope = parent?.scope ?? new Scope(id);
    const context = {
      id,
      kind,
      name,
      scope,
      run: {
        ...inherited(parent),
        ...this.#place(metadata, tags),
        ...defined({ agentName: agentOf({ kind, name, metadata }, parent), parentId }),
        id,
      },
      conversationId:
        firstText(...this.#settings.conversationKeys.map((key) => metadata[key])) ?? parent?.conversationId,
    };
    this.#contexts.set(id, context);
    scope.members.add(id);
    return context;
  }

  /** Removes a run. */
  leave(context: RunContext): void {
    this.#contexts.delete(context.id);
    context.scope.members.delete(context.id);
  }

  /** Notes a check that the agent around `node` ran. */
  noteCheck(node: RunContext, check: string): void {
    const agent = this.get(textOf(node.run["parentId"])) ?? node;
    agent.checks ??= new Set();
    agent.checks.add(check);
  }

  /** The checks that ran in the agents a run is in; those of an agent beside it are not about this run. */
  checksOf(context: RunContext): string[] {
    const checks = new Set<string>();
    for (let run: RunContext | undefined = context; run; run = this.get(textOf(run.run["parentId"]))) {
      for (const check of run.checks ?? []) checks.add(check);
    }
    return [...checks];
  }

  /** The oldest run. */
  oldest(): RunContext | undefined {
    const [oldest] = this.#contexts.values();
    return oldest;
  }

  #place(metadata: Fields, tags: unknown): Run {
    const all = listOf(tags).filter((tag) => typeof tag === "string");
    const kept = all.filter(this.#settings.keepTag);
    const attempt = all.map((tag) => /^retry:attempt:(\d+)$/.exec(tag)?.[1]).find((number) => number !== undefined);
    const step = metadata["langgraph_step"];
    return defined({
      threadId: firstText(metadata["thread_id"]),
      node: textOf(metadata["langgraph_node"]),
      step: typeof step === "number" ? step : undefined,
      attempt: attempt === undefined ? undefined : Number(attempt),
      tags: kept.length > 0 ? kept : undefined,
    });
  }
}

/** What a run has from its parent: the path to it, thread and node. Tags come with each run. */
function inherited(parent: RunContext | undefined): Run {
  if (!parent) return {};
  const { path = [], threadId, node } = parent.run;
  return { path: [...path, parent.name], ...defined({ threadId, node }) };
}

/**
 * The agent a run belongs to. A sub-agent that is given its caller's config carries the caller's name in its
 * metadata; what its nodes run under has its own.
 */
function agentOf(
  { kind, name, metadata }: Pick<RunStart, "kind" | "name" | "metadata">,
  parent: RunContext | undefined,
): string | undefined {
  const given = textOf(metadata["lc_agent_name"]);
  const ofParent = textOf(parent?.run["agentName"]);
  if (kind !== "chain") return ofParent ?? given;
  const isAgentNode = metadata["ls_integration"] === "langchain_create_agent" && metadata["langgraph_node"] === name;
  return isAgentNode && parent && parent.name !== UNNAMED_GRAPH ? parent.name : (given ?? ofParent);
}

/** What LangChain calls a run: the name it was given, else the class. */
export function nameOfRun(runName: unknown, serialized: Fields, kind: RunKind): string {
  const id = listOf(serialized["id"]);
  return firstText(runName, serialized["name"], id[id.length - 1]) ?? kind;
}
