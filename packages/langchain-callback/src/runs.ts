// The place of a run: its ancestors, and the fields that it inherits from them. Contexts are small
// copies without references to LangChain's objects.
import {
  type Fields,
  type JsonValue,
  type Run,
  defined,
  firstText,
  listOf,
  pick,
  textOf,
} from "@ai-audit/core/capture";
import type { Settings } from "./options.ts";
import { snapshotOfFields } from "./snapshot.ts";

export type RunKind = "chain" | "model" | "tool" | "retriever";

/** Facts about a run from its start callback. */
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
  readonly members: Set<RunContext> = new Set();
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
  /** Undefined for the root of a scope. */
  readonly parent: RunContext | undefined;
  readonly scope: Scope;
  /**
   * The list that LangChain passes to every callback of the run as its tags; compared by identity.
   */
  readonly origin: readonly unknown[] | undefined;
  /** The `run` object of this run's entry. */
  readonly run: Run;
  readonly conversationId: string | undefined;
  /** The members of LangChain's metadata that `metadataKeys` names. */
  readonly metadata: Readonly<Record<string, JsonValue>>;
  /** Alerts for the run's entries. */
  readonly alerts: readonly string[];
  /** The content that a moderation node checks. Inputs of other chains are not kept. */
  checked?: JsonValue;
  /** Checks that a middleware of this agent ran. */
  checks?: Set<string>;
}

/** The contexts of all runs that have started and not ended. */
export class RunContexts {
  readonly #contexts = new Map<string, RunContext>();
  /** Runs of one id: callers choose ids, and may give one to two calls at a time. */
  readonly #twins = new Map<string, readonly RunContext[]>();
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#contexts.size;
  }

  /** The run that a callback with this id and these tags is about. */
  find(id: string, tags: unknown): RunContext | undefined {
    const twins = this.#twins.size > 0 ? this.#twins.get(id) : undefined;
    return twins ? twins.find(({ origin }) => origin === tags) : this.#contexts.get(id);
  }

  /**
   * The run that a start with this id and these tags has already begun, for a handler that is
   * called twice.
   */
  started(id: string, tags: unknown): RunContext | undefined {
    const context = this.find(id, tags);
    return context?.origin === originOf(tags) ? context : undefined;
  }

  /** Adds a run; a run whose parent is not known is the root of a scope of its own. */
  enter({ id, parentId, kind, name, tags, metadata }: RunStart): RunContext {
    const parent = this.#parent(parentId);
    const other = this.#contexts.get(id);
    const { place, alerts } = this.#place(metadata, tags);
    const context = {
      id,
      kind,
      name,
      parent,
      scope: parent?.scope ?? new Scope(id),
      origin: originOf(tags),
      run: {
        ...inherited(parent),
        ...place,
        ...defined({
          agentName: agentOf({ kind, name, metadata }, parent),
          parentId,
          rootId: parent ? parent.run.rootId : parentId === undefined ? id : undefined,
          name: kind === "tool" ? undefined : name,
        }),
        id,
      },
      conversationId:
        firstText(...this.#settings.conversationKeys.map((key) => metadata[key])) ??
        parent?.conversationId,
      metadata: snapshotOfFields(
        pick(metadata, this.#settings.metadataKeys),
        this.#settings.inlineBytes,
      ),
      alerts: other ? [...alerts, "ai-audit: another call of the same run id was open"] : alerts,
    };
    if (other) this.#twins.set(id, [...(this.#twins.get(id) ?? [other]), context]);
    else this.#contexts.set(id, context);
    context.scope.members.add(context);
    return context;
  }

  /** Removes a run. */
  leave(context: RunContext): void {
    const { id, scope } = context;
    scope.members.delete(context);
    const twins = this.#twins.get(id);
    if (!twins && this.#contexts.get(id) !== context) return;
    const left = twins?.filter((twin) => twin !== context) ?? [];
    const [first] = left;
    if (first) {
      this.#twins.set(id, left);
      this.#contexts.set(id, first);
    } else {
      this.#twins.delete(id);
      this.#contexts.delete(id);
    }
  }

  /** The run that others name as their parent; undefined when it may be one of several. */
  #parent(id: string | undefined): RunContext | undefined {
    if (id === undefined) return undefined;
    const [first, ...others] = this.#twins.get(id)?.filter(({ kind }) => kind !== "model") ?? [];
    if (!first) return this.#contexts.get(id);
    return others.every(({ scope }) => scope === first.scope) ? first : undefined;
  }

  /** Notes a check that the agent around `node` ran. */
  noteCheck(node: RunContext, check: string): void {
    const agent = node.parent ?? node;
    agent.checks ??= new Set();
    agent.checks.add(check);
  }

  /**
   * The checks that ran in the agents a run is in; those of an agent beside it are not about this
   * run.
   */
  checksOf(context: RunContext): string[] {
    const checks = new Set<string>();
    for (let run: RunContext | undefined = context; run; run = run.parent) {
      for (const check of run.checks ?? []) checks.add(check);
    }
    return [...checks];
  }

  /** The oldest run. */
  oldest(): RunContext | undefined {
    const [oldest] = this.#contexts.values();
    return oldest;
  }

  #place(
    metadata: Fields,
    tags: unknown,
  ): { readonly place: Run; readonly alerts: readonly string[] } {
    const all = listOf(tags).filter((tag) => typeof tag === "string");
    const { kept, alerts } = this.#keep(all);
    const attempt = all
      .map((tag) => /^retry:attempt:(\d+)$/.exec(tag)?.[1])
      .find((number) => number !== undefined);
    const step = metadata["langgraph_step"];
    const place = defined({
      threadId: firstText(metadata["thread_id"]),
      node: textOf(metadata["langgraph_node"]),
      step: typeof step === "number" ? step : undefined,
      attempt: attempt === undefined ? undefined : Number(attempt),
      tags: kept.length > 0 ? kept : undefined,
    });
    return { place, alerts };
  }

  /** The tags to keep. A `keepTag` that throws costs the tags, not the call or its entry. */
  #keep(tags: readonly string[]): {
    readonly kept: readonly string[];
    readonly alerts: readonly string[];
  } {
    try {
      return { kept: tags.filter((tag) => this.#settings.keepTag(tag)), alerts: [] };
    } catch (error) {
      return {
        kept: [],
        alerts: [`ai-audit: keepTag threw ${error instanceof Error ? error.name : typeof error}`],
      };
    }
  }
}

function originOf(tags: unknown): readonly unknown[] | undefined {
  return Array.isArray(tags) ? tags : undefined;
}

/** Fields inherited from the parent: path, thread and node. Each run has its own tags. */
function inherited(parent: RunContext | undefined): Run {
  if (!parent) return {};
  const { path = [], threadId, node } = parent.run;
  return { path: [...path, parent.name], ...defined({ threadId, node }) };
}

/**
 * The agent a run belongs to. A sub-agent called with its caller's config has the caller's name in
 * its metadata; the run around its nodes has the sub-agent's own name.
 */
function agentOf(
  { kind, name, metadata }: Pick<RunStart, "kind" | "name" | "metadata">,
  parent: RunContext | undefined,
): string | undefined {
  const given = textOf(metadata["lc_agent_name"]);
  const ofParent = textOf(parent?.run["agentName"]);
  if (kind !== "chain") return ofParent ?? given;
  const isAgentNode =
    metadata["ls_integration"] === "langchain_create_agent" && metadata["langgraph_node"] === name;
  return isAgentNode && parent && parent.name !== UNNAMED_GRAPH ? parent.name : (given ?? ofParent);
}

/** LangChain's name of a run: the given name, else the class. */
export function nameOfRun(runName: unknown, serialized: Fields, kind: RunKind): string {
  const id = listOf(serialized["id"]);
  return firstText(runName, serialized["name"], id[id.length - 1]) ?? kind;
}
