// Values that entries inherit from the code around the call, by AsyncLocalStorage.
import { AsyncLocalStorage } from "node:async_hooks";
import { isJsonObject, toJson } from "../format/canonical.ts";
import type { Run, Trace } from "../format/entry.ts";
import { AuditInputError } from "../errors.ts";
import { membersOver } from "./fields.ts";
import type { Metadata } from "./interaction.ts";
import { anything, optionsOf } from "../options.ts";

/** Values that `withAuditContext` sets for every entry written inside it. */
export interface AuditContext {
  readonly conversationId?: string | undefined;
  readonly metadata?: Metadata | undefined;
  readonly subject?: string | undefined;
  readonly run?: Run | undefined;
  readonly trace?: Trace | undefined;
}

/** Nothing to inherit. */
export const NO_CONTEXT: AuditContext = Object.freeze({});

const contexts = new AsyncLocalStorage<AuditContext>();

/**
 * Runs `fn`; entries written inside it, also after awaits, inherit the context. Nested contexts add
 * to the outer one: the inner value wins, `metadata` and `run` are merged key by key. The values of
 * an entry win over both. Throws `AUDIT_INPUT_INVALID` for a field that a context does not have.
 */
export function withAuditContext<T>(context: AuditContext, fn: () => T): T {
  checkContext(context);
  return contexts.run(mergeContexts(contexts.getStore(), snapshot(context)), fn);
}

const checkContext: (given: unknown) => void = optionsOf<AuditContext>(
  "withAuditContext()",
  {
    conversationId: anything,
    metadata: anything,
    subject: anything,
    run: anything,
    trace: anything,
  },
  { what: "field", Failure: AuditInputError },
);

/**
 * As things are now: what the caller changes later, or a getter that throws later, must not reach
 * an entry.
 */
function snapshot(context: AuditContext): AuditContext {
  const { metadata } = context;
  const members = metadata === undefined ? undefined : toJson(metadata);
  return { ...context, ...(isJsonObject(members) && { metadata: members }) };
}

/** The context in force here. */
export function currentAuditContext(): AuditContext {
  return contexts.getStore() ?? NO_CONTEXT;
}

/** `inner` over `outer`; `metadata` and `run` key by key. */
function mergeContexts(outer: AuditContext | undefined, inner: AuditContext): AuditContext {
  return {
    conversationId: inner.conversationId ?? outer?.conversationId,
    subject: inner.subject ?? outer?.subject,
    trace: inner.trace ?? outer?.trace,
    metadata: membersOver(outer?.metadata, inner.metadata),
    run: membersOver(outer?.run, inner.run),
  };
}
