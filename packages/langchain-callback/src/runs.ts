// The place of a run: its ancestors, and the fields that it inherits from them. Contexts are small
// copies without references to LangChain's objects. Over 300 lines: the table of contexts and the
// rules of inheritance change together.
import { randomUUID } from "node:crypto";
import { currentAuditContext } from "@ai-audit/core";
import {
  type Actor,
  type Fields,
  type JsonValue,
  RecentMap,
  type Run,
  type RunScope,
  currentRunScope,
  defined,
  firstText,
  listOf,
  pick,
  runWithin,
  textOf,
  withoutSecrets,
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
  /** A compiled graph of LangGraph, which agents are too. */
  readonly isGraph: boolean;
  /** Of a tool: the call that it answers. */
  readonly toolCallId?: string | undefined;
}

/** All runs under one root. It ends with its root. */
export class Scope {
  readonly rootId: string;
  readonly members: Set<RunContext> = new Set();
  /** Ids of interrupts that are on record. */
  readonly interrupts: Set<string> = new Set();
  /** Commands whose decision is on record; one passes every chain down to its graph. */
  readonly decisions: WeakSet<object> = new WeakSet();
  /** Errors that are on record; an error passes every run on its way out. */
  readonly failures: Set<unknown> = new Set();

  constructor(rootId: string) {
    this.rootId = rootId;
  }
}

/** LangGraph's name for a graph or agent without one. */
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
  /** The run as the log names it. */
  readonly place: RunScope;
  /** The `run` object of this run's entry. */
  readonly run: Run;
  /** The person who acts, by LangChain's metadata. */
  readonly actor: Actor | undefined;
  /** Ids of retrievals that have ended within this run. */
  readonly retrievals: string[];
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
  /** Parents of which only the id is known: the handler was given to a run within them. */
  readonly #strangers = new RecentMap<string, RunScope>(MAX_STRANGERS);
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
  enter(start: RunStart): RunContext {
    const { id, parentId, kind, name, tags, metadata, toolCallId } = start;
    const parent = this.#parent(parentId);
    const other = this.#contexts.get(id);
    const { place: facts, alerts } = this.#place(metadata, tags);
    const outer = parent?.place ?? this.#around(parentId);
    const agentName = agentOf(start, parent);
    const place = {
      id,
      parent: outer,
      rootId: outer?.rootId ?? id,
      name,
      kind: kind === "chain" ? chainKind(start, agentName) : kind,
      startedAt: new Date().toISOString(),
    };
    const context: RunContext = {
      id,
      kind,
      name,
      parent,
      scope: parent?.scope ?? new Scope(id),
      place,
      origin: originOf(tags),
      run: {
        ...inherited(parent),
        ...facts,
        ...defined({
          agentName,
          parentId: outer?.id,
          name: kind === "tool" ? undefined : name,
          toolCallId,
        }),
        rootId: place.rootId,
        id,
      },
      actor: this.#actorOf(metadata) ?? parent?.actor,
      retrievals: [],
      conversationId:
        firstText(...this.#settings.conversationKeys.map((key) => metadata[key])) ??
        parent?.conversationId,
      metadata: this.#chosen(metadata),
      alerts: other ? [...alerts, "ai-audit: another call of the same run id was open"] : alerts,
    };
    if (other) this.#twins.set(id, [...(this.#twins.get(id) ?? [other]), context]);
    else this.#contexts.set(id, context);
    context.scope.members.add(context);
    return context;
  }

  /** The chosen members, without credentials in them. */
  #chosen(metadata: Fields): Readonly<Record<string, JsonValue>> {
    const { metadataKeys, inlineBytes } = this.#settings;
    const chosen = snapshotOfFields(pick(metadata, metadataKeys), inlineBytes);
    return Object.fromEntries(
      Object.entries(chosen).map(([name, value]) => [name, withoutSecrets(value)]),
    );
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

  /** The run around the outermost one that this handler knows. */
  #around(parentId: string | undefined): RunScope | undefined {
    if (parentId === undefined) return currentRunScope();
    const known = this.#strangers.get(parentId);
    if (known) return known;
    const outer = currentRunScope();
    const stranger = {
      id: parentId,
      parent: outer,
      rootId: outer?.rootId ?? parentId,
      name: undefined,
      kind: undefined,
      startedAt: new Date().toISOString(),
    };
    this.#strangers.set(parentId, stranger);
    return stranger;
  }

  #actorOf(metadata: Fields): Actor | undefined {
    const id = firstText(...this.#settings.actorKeys.map((key) => metadata[key]));
    return id === undefined ? undefined : { id, kind: "user" };
  }

  /** Notes a retrieval that has ended, for the model calls after it. */
  noteRetrieval({ id, parent }: RunContext): void {
    for (let run = parent; run; run = run.parent) {
      run.retrievals.push(id);
      if (run.retrievals.length > MAX_RETRIEVALS) run.retrievals.shift();
    }
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

/**
 * Fields inherited from the parent: path, thread, node, and the tool call around. Each run has its
 * own tags. The outermost run inherits from the audit context.
 */
function inherited(parent: RunContext | undefined): Run {
  if (!parent) return runWithin(currentAuditContext().run ?? {});
  const { path = [], threadId, node, toolCallId, calledBy } = parent.run;
  return {
    path: [...path, parent.name],
    ...defined({ threadId, node, calledBy: toolCallId ?? calledBy }),
  };
}

/** `agent` for a run that has the agent's name, `graph` for other graphs, else `chain`. */
function chainKind({ name, isGraph }: RunStart, agentName: string | undefined): string {
  if (agentName === name) return "agent";
  return isGraph ? "graph" : "chain";
}

/** The `run` of an event: of its own, and within the run that it happened in. */
export function runOfEvent({ run, name }: RunContext): Run {
  const { path = [], toolCallId, calledBy } = run;
  return {
    ...runWithin(run),
    ...defined({ calledBy: toolCallId ?? calledBy }),
    path: [...path, name],
    name,
    id: randomUUID(),
  };
}

/**
 * The retrievals whose documents a model may have seen: those that ended before in its agent or
 * graph, or else in its invocation, and in the agents that these called.
 */
export function retrievalsBefore(context: RunContext): readonly string[] {
  let run = context.parent;
  while (run?.parent && run.place.kind !== "agent" && run.place.kind !== "graph") run = run.parent;
  return [...(run?.retrievals ?? [])];
}

/** Bounds of memory: parents unknown to the handler, and retrievals of one run. */
const MAX_STRANGERS = 1000;
const MAX_RETRIEVALS = 20;

/**
 * The agent a run belongs to. A sub-agent called with its caller's config has the caller's name in
 * its metadata; the run around its nodes has the sub-agent's own name.
 */
function agentOf(
  { kind, name, metadata, isGraph }: RunStart,
  parent: RunContext | undefined,
): string | undefined {
  const given = textOf(metadata["lc_agent_name"]);
  const ofParent = textOf(parent?.run["agentName"]);
  if (kind !== "chain") return ofParent ?? given;
  if (isGraph && name !== UNNAMED_GRAPH) return name;
  const isAgentNode =
    metadata["ls_integration"] === "langchain_create_agent" && metadata["langgraph_node"] === name;
  return isAgentNode && parent && parent.name !== UNNAMED_GRAPH ? parent.name : (given ?? ofParent);
}

/** LangChain's name of a run: the given name, else the class. */
export function nameOfRun(runName: unknown, serialized: Fields, kind: RunKind): string {
  const id = listOf(serialized["id"]);
  return firstText(runName, serialized["name"], id[id.length - 1]) ?? kind;
}
