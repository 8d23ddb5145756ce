// The first of several handlers of one logger to see a run keeps it. A handler given to a model and
// to its call is called twice for the same run.
import type { CallLogger } from "@ai-audit/core/capture";
import type { RunContext } from "./runs.ts";

/** The entries of a run: its call, a safety event, a human's decision. */
export type EntryKind = "call" | "event" | "decision";

const FIRST_HANDLERS = new WeakMap<CallLogger, FirstHandlers>();

/** The record of the first handlers, which all handlers of a logger share. */
export function firstHandlersOf(logger: CallLogger): FirstHandlers {
  let handlers = FIRST_HANDLERS.get(logger);
  if (!handlers) FIRST_HANDLERS.set(logger, (handlers = new FirstHandlers()));
  return handlers;
}

/**
 * LangChain calls the handlers of a run one after the other, in the same turn: the first one
 * writes.
 */
export class FirstHandlers {
  /** The origins of open calls, by run id: an origin distinguishes runs of one id. */
  readonly #calls = new Map<string, readonly unknown[]>();
  /** Everything else, by origin: LangChain keeps the origin while it can call back for the run. */
  readonly #rest = new WeakMap<readonly unknown[], Set<string>>();

  /** Whether the caller is the first to write this entry of the run. Later callers get false. */
  take({ id, origin }: RunContext, kind: EntryKind): boolean {
    if (origin === undefined) return true; // not called by LangChain: two runs of one id look the same
    if (kind === "call") {
      const other = this.#calls.get(id);
      if (other === origin) return false;
      if (other === undefined) {
        this.#calls.set(id, origin);
        return true;
      }
    }
    const taken = this.#rest.get(origin) ?? new Set();
    const key = `${kind} ${id}`;
    if (taken.has(key)) return false;
    this.#rest.set(origin, taken.add(key));
    return true;
  }

  /** Whether the caller is the first to get this callback. A run may have several. */
  takeTurn(context: RunContext): boolean {
    const { id, origin } = context;
    if (origin === undefined) return true;
    const taken = this.#rest.get(origin) ?? new Set();
    const key = `turn ${id}`;
    if (taken.has(key)) return false;
    this.#rest.set(origin, taken.add(key));
    queueMicrotask(() => taken.delete(key));
    return true;
  }

  /** Releases the call of a run that has ended: a manager may be used again, under the same id. */
  release({ id, origin }: RunContext): void {
    if (origin === undefined) return;
    if (this.#calls.get(id) === origin) this.#calls.delete(id);
    else this.#rest.get(origin)?.delete(`call ${id}`);
  }
}
