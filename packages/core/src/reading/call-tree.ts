// Calls as a tree of callers and callees, by start time.
import type { ControlLineOf } from "../format/control-line.ts";
import type { AuditEntry } from "../format/entry.ts";
import {
  actorOf,
  beganAt,
  decisionOf,
  interruptsOf,
  isDuplicate,
  outcomeClass,
  type OutcomeClass,
} from "./call.ts";

/** The start of a run that has no entry. */
export type RunStarted = ControlLineOf<"run.started">;

/** A call, an event or a run. */
export interface CallNode {
  readonly entry?: AuditEntry;
  /** Set if there is no entry. */
  readonly run?: RunStarted;
  /** Milliseconds since the epoch. */
  readonly beganAt: number;
  /** The calls within it, in the order of their beginning. */
  readonly children: CallNode[];
}

/** A node and its place. */
export interface PlacedNode {
  readonly node: CallNode;
  /** 0 for a root. */
  readonly depth: number;
  /** For each level from the root on, whether the node there is the last of its siblings. */
  readonly isLast: readonly boolean[];
}

/**
 * The roots of the tree of these entries and runs, in the order of their beginning. A call hangs
 * below the run that its `run.parentId` names, a review below what it reviews. Entries of a call
 * that another entry records too are left out, and so are steps: calls within them hang below the
 * agent, tool or graph around.
 */
export function buildTree(entries: readonly AuditEntry[], runs: readonly RunStarted[]): CallNode[] {
  const nodes: CallNode[] = [];
  const byRun = new Map<string, CallNode>();
  const byReviewable = new Map<string, CallNode>();
  for (const entry of entries) {
    if (isDuplicate(entry)) continue;
    const node = { entry, beganAt: beganAt(entry), children: [] };
    nodes.push(node);
    // The first entry of a run id stands for the run; a review of the run may have the same id.
    if (entry.run?.id !== undefined && !byRun.has(entry.run.id)) byRun.set(entry.run.id, node);
    byReviewable.set(entry.id, node);
    for (const id of interruptsOf(entry)) byReviewable.set(id, node);
  }
  for (const run of runs) {
    if (byRun.has(run.run)) continue;
    const node = { run, beganAt: Date.parse(run.at), children: [] };
    nodes.push(node);
    byRun.set(run.run, node);
  }
  nodes.sort(byBeginning);
  const roots: CallNode[] = [];
  const resumed = resumedRuns(nodes, byRun, byReviewable);
  for (const node of nodes) {
    if (isStep(node, byRun)) continue;
    const found = parentOf(node, byRun, byReviewable) ?? resumed.get(node);
    const parent = aroundSteps(found, byRun);
    (parent === undefined ? roots : parent.children).push(node);
  }
  const shown = nodes.filter((node) => !isStep(node, byRun));
  return [...roots, ...unreachable(shown, roots)].toSorted(byBeginning);
}

function parentOf(
  { entry, run }: CallNode,
  byRun: ReadonlyMap<string, CallNode>,
  byReviewable: ReadonlyMap<string, CallNode>,
): CallNode | undefined {
  const reviewed = entry?.review?.of;
  const target =
    reviewed === undefined ? undefined : (byReviewable.get(reviewed) ?? byRun.get(reviewed));
  if (target !== undefined && target.entry !== entry) return target;
  const parent = byRun.get(run?.parent ?? entry?.run?.parentId ?? "");
  return parent?.entry !== undefined && parent.entry === entry ? undefined : parent;
}

/**
 * Runs that a decision began, and the run that had asked for it: an invocation that continues,
 * possibly in another process.
 */
function resumedRuns(
  nodes: readonly CallNode[],
  byRun: ReadonlyMap<string, CallNode>,
  byReviewable: ReadonlyMap<string, CallNode>,
): ReadonlyMap<CallNode, CallNode> {
  const resumed = new Map<CallNode, CallNode>();
  for (const { entry } of nodes) {
    const request = byReviewable.get(entry?.review?.of ?? "");
    const [now, before] = [entry?.run, request?.entry?.run].map((run) =>
      run?.rootId === undefined ? undefined : byRun.get(run.rootId),
    );
    if (now !== undefined && before !== undefined && now !== before) resumed.set(now, before);
  }
  return resumed;
}

/** Whether a node is a step within a run: a framework's part that has no entry and no name of its own. */
function isStep({ run }: CallNode, byRun: ReadonlyMap<string, CallNode>): boolean {
  return run?.kind === "chain" && run.parent !== null && byRun.has(run.parent);
}

/** The first ancestor that is not a step. */
function aroundSteps(
  from: CallNode | undefined,
  byRun: ReadonlyMap<string, CallNode>,
): CallNode | undefined {
  const climbed = new Set<CallNode>();
  let node = from;
  while (node !== undefined && isStep(node, byRun) && !climbed.has(node)) {
    climbed.add(node);
    node = byRun.get(node.run?.parent ?? "");
  }
  return node !== undefined && climbed.has(node) ? undefined : node;
}

/**
 * Nodes whose parents form a cycle, which only a forged log has. The first of each cycle becomes a
 * root.
 */
function unreachable(nodes: readonly CallNode[], roots: readonly CallNode[]): CallNode[] {
  const reached = new Set<CallNode>();
  const reach = (from: readonly CallNode[]): void => {
    const open = [...from];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (reached.has(node)) continue;
      reached.add(node);
      open.push(...node.children);
    }
  };
  reach(roots);
  const found: CallNode[] = [];
  for (const node of nodes) {
    if (reached.has(node)) continue;
    found.push(node);
    reach([node]);
  }
  return found;
}

/** All nodes of a tree, each before those within it. A node is visited once, even in a cycle. */
export function* walk(roots: readonly CallNode[]): Generator<PlacedNode, void, undefined> {
  const visited = new Set<CallNode>();
  const open = placed(roots, 0, []).toReversed();
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (visited.has(place.node)) continue;
    visited.add(place.node);
    yield place;
    open.push(...placed(place.node.children, place.depth + 1, place.isLast).toReversed());
  }
}

/** Deeper nodes are shown at this depth: a forged log must not fill the memory with indentation. */
const MAX_DEPTH = 32;

function placed(
  nodes: readonly CallNode[],
  depth: number,
  isLast: readonly boolean[],
): PlacedNode[] {
  return nodes.map((node, at) => ({
    node,
    depth: Math.min(depth, MAX_DEPTH),
    isLast: isLast.length >= MAX_DEPTH ? isLast : [...isLast, at === nodes.length - 1],
  }));
}

/** Calls that began in the same millisecond are in the order of their ends. */
function byBeginning(a: CallNode, b: CallNode): number {
  if (a.beganAt !== b.beganAt) return a.beganAt - b.beganAt;
  const [idA, idB] = [a.entry?.id ?? "", b.entry?.id ?? ""];
  return idA < idB ? -1 : Number(idA > idB);
}

/** Sums over a tree. */
export interface TreeFigures {
  readonly entries: number;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Failures, each once: not again where a caller failed because of it. */
  readonly errors: number;
  /** Blocks, each once likewise. */
  readonly blocked: number;
  /** Calls that their caller stopped. */
  readonly stopped: number;
  /** Questions to a person. */
  readonly asked: number;
  /** Ids of those who asked for the work: the actors of the first calls. */
  readonly askers: readonly string[];
  /** Ids of those who decided. */
  readonly deciders: readonly string[];
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
}

/** Calls, tokens, outcomes and people of a tree. */
export function figuresOf(roots: readonly CallNode[]): TreeFigures {
  let [entries, errors, blocked, stopped, asked, endedAt] = [0, 0, 0, 0, 0, 0];
  let inputTokens: number | null = null;
  let outputTokens: number | null = null;
  const deciders = new Set<string>();
  for (const { node } of walk(roots)) {
    const { entry } = node;
    endedAt = Math.max(endedAt, entry === undefined ? node.beganAt : Date.parse(entry.timestamp));
    if (entry === undefined) continue;
    entries += 1;
    if (entry.inputTokens !== null) inputTokens = (inputTokens ?? 0) + entry.inputTokens;
    if (entry.outputTokens !== null) outputTokens = (outputTokens ?? 0) + entry.outputTokens;
    const ended = outcomeClass(entry);
    if (ended === "error" && !hasWithin(node, "error")) errors += 1;
    if (ended === "blocked" && !hasWithin(node, "blocked")) blocked += 1;
    if (ended === "stopped" && entry.outcome !== "interrupted") stopped += 1;
    const decision = decisionOf(entry);
    const actor = actorOf(entry);
    if (decision?.verdict === "requested") asked += 1;
    else if (decision && actor !== undefined) deciders.add(actor);
  }
  const people = { askers: askersOf(roots), deciders: [...deciders] };
  return {
    entries,
    inputTokens,
    outputTokens,
    errors,
    blocked,
    stopped,
    asked,
    endedAt,
    ...people,
  };
}

/** Whether a call within this one ended likewise, at any depth. */
function hasWithin(node: CallNode, ended: OutcomeClass): boolean {
  for (const { node: inner } of walk(node.children))
    if (inner !== node && inner.entry && outcomeClass(inner.entry) === ended) return true;
  return false;
}

/** The actor of each tree's first entry. */
function askersOf(roots: readonly CallNode[]): string[] {
  const found = new Set<string>();
  for (const root of roots) {
    for (const { node } of walk([root])) {
      const actor = node.entry && actorOf(node.entry);
      if (actor === undefined) continue;
      found.add(actor);
      break;
    }
  }
  return [...found];
}
