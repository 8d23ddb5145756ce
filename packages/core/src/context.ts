// Values that entries inherit from the code around the call, by AsyncLocalStorage.
import { AsyncLocalStorage } from "node:async_hooks";
import type { Run, Trace } from "./entry.ts";
import type { Metadata } from "./interaction.ts";

/** What `withAuditContext` sets for every entry written inside it. */
export interface AuditContext {
  readonly conversationId?: string | undefined;
  readonly metadata?: Metadata | undefined;
  readonly subject?: string | undefined;
  readonly run?: Run | undefined;
  readonly trace?: Trace | undefined;
}

const contexts = new AsyncLocalStorage<AuditContext>();

/**
 * Runs `fn`; entries written inside it, also after awaits, inherit the context. Nested contexts add to the
 * outer one: the inner value wins, `metadata` and `run` are merged key by key. What an entry says of itself wins
 * over both.
 */
export function withAuditContext<T>(context: AuditContext, fn: () => T): T {
  return contexts.run(mergeContexts(contexts.getStore(), context), fn);
}

/** Runs `fn` outside of every context: for an entry whose context was taken when its call began. */
export function withoutAuditContext<T>(fn: () => T): T {
  return contexts.run({}, fn);
}

/** The context in force here. */
export function currentAuditContext(): AuditContext {
  return contexts.getStore() ?? {};
}

/** `inner` over `outer`; `metadata` and `run` key by key. */
export function mergeContexts(outer: AuditContext | undefined, inner: AuditContext): AuditContext {
  return {
    conversationId: inner.conversationId ?? outer?.conversationId,
    subject: inner.subject ?? outer?.subject,
    trace: inner.trace ?? outer?.trace,
    metadata: { ...outer?.metadata, ...inner.metadata },
    run: { ...outer?.run, ...inner.run },
  };
}
