// Values that entries inherit from the code around the call, by AsyncLocalStorage.
import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { isJsonObject, toJson } from "../format/canonical.ts";
import type { Actor, Run, Trace } from "../format/entry.ts";
import { AuditInputError } from "../errors.ts";
import { membersOver } from "./fields.ts";
import type { Metadata } from "./interaction.ts";
import { anything, optionsOf } from "../options.ts";
import { type RunScope, runWithin } from "./run-scope.ts";

/** Values that `withAuditContext` sets for every entry written inside it. */
export interface AuditContext {
  readonly conversationId?: string | undefined;
  readonly metadata?: Metadata | undefined;
  readonly subject?: string | undefined;
  /** The person or program that acts. */
  readonly actor?: Actor | undefined;
  /**
   * With a `name` or an `id`: a run begins here, within the run around it. Everything inside is
   * part of it. Other members are facts about the current run.
   */
  readonly run?: Run | undefined;
  readonly trace?: Trace | undefined;
}

/** Nothing to inherit. */
export const NO_CONTEXT: AuditContext = Object.freeze({});

interface Surroundings {
  readonly context: AuditContext;
  readonly scope: RunScope | undefined;
}

const NOWHERE: Surroundings = { context: NO_CONTEXT, scope: undefined };

const surroundings = new AsyncLocalStorage<Surroundings>();

/**
 * Runs `fn`; entries written inside it, also after awaits, inherit the context. Nested contexts add
 * to the outer one: the inner value wins, `metadata` is merged key by key, and a `run` with a name
 * becomes a run within the outer one. The values of an entry win over both.
 *
 * @example
 * await withAuditContext({ run: { name: "supervisor", kind: "agent" } }, async () => {
 *   await client.chat.completions.create(question); // its entry names this run as its parent
 * });
 * @throws `AUDIT_INPUT_INVALID` for a field that a context does not have
 */
export function withAuditContext<T>(context: AuditContext, fn: () => T): T {
  checkContext(context);
  return surroundings.run(nested(surroundings.getStore() ?? NOWHERE, snapshot(context)), fn);
}

const checkContext: (given: unknown) => void = optionsOf<AuditContext>(
  "withAuditContext()",
  {
    conversationId: anything,
    metadata: anything,
    subject: anything,
    actor: anything,
    run: anything,
    trace: anything,
  },
  { what: "field", Failure: AuditInputError },
);

/**
 * A snapshot: a later change by the caller, or a getter that throws later, must not reach an entry.
 */
function snapshot(context: AuditContext): AuditContext {
  const members = context.metadata === undefined ? undefined : toJson(context.metadata);
  const run = context.run === undefined ? undefined : toJson(context.run);
  return {
    ...context,
    ...(isJsonObject(members) && { metadata: members }),
    ...(isJsonObject(run) && { run }),
  };
}

/**
 * The context in force here. Its `run` is the current run: keep its `id` and `rootId` to continue
 * it in another process, and give an entry the whole `run` to make it the entry of the run itself.
 */
export function currentAuditContext(): AuditContext {
  return surroundings.getStore()?.context ?? NO_CONTEXT;
}

/** The run in force here. */
export function currentRunScope(): RunScope | undefined {
  return surroundings.getStore()?.scope;
}

/** `inner` in `outer`; `metadata` key by key. */
function nested({ context: outer, scope }: Surroundings, inner: AuditContext): Surroundings {
  const { run, ...others } = inner;
  const begun = beginRun(outer.run, run, scope);
  const merged: AuditContext = {
    conversationId: others.conversationId ?? outer.conversationId,
    subject: others.subject ?? outer.subject,
    actor: others.actor ?? outer.actor,
    trace: others.trace ?? outer.trace,
    metadata: membersOver(outer.metadata, others.metadata),
    run: begun.run,
  };
  return { context: merged, scope: begun.scope };
}

/** The run of a nested context: a new one where it has a name or an id, else the one around it. */
function beginRun(
  outer: Run | undefined,
  inner: Run | undefined,
  scope: RunScope | undefined,
): { readonly run: Run | undefined; readonly scope: RunScope | undefined } {
  if (inner === undefined) return { run: outer, scope };
  const { id, name, kind } = inner;
  const goesOn = (name === undefined && id === undefined) || (id !== undefined && id === scope?.id);
  if (goesOn) return { run: membersOver(outer, inner), scope };
  const own = id ?? randomUUID();
  const within = outer === undefined ? {} : runWithin(outer);
  const run: Run = { rootId: own, ...within, ...inner, id: own };
  const { parentId, rootId = own } = run;
  const begun = {
    id: own,
    parent: parentId === scope?.id ? scope : undefined,
    parentId,
    rootId,
    name,
    kind,
    startedAt: new Date().toISOString(),
  };
  return { run, scope: begun };
}

/** The `run` of an entry that is written within a context. */
export function runOfEntry(around: Run | undefined, own: Run | undefined): Run | undefined {
  if (around === undefined) return own;
  if (around.id === undefined || own?.id === around.id) return membersOver(around, own);
  return { id: randomUUID(), ...runWithin(around), ...own };
}
