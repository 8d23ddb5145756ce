// Which of several handlers of one logger keeps a run: given to a model and to the call as well, they all hear of it.
import type { CallLogger } from "@ai-audit/core/capture";
import type { RunContext } from "./runs.ts";

/** What a run may leave in the log: the entry of its call, a safety event, a human's decision. */
export type Claim = "call" | "event" | "decision";

const CLAIMS = new WeakMap<CallLogger, RunClaims>();

/** The claims of a logger, which all its handlers share. */
export function claimsOn(logger: CallLogger): RunClaims {
  let claims = CLAIMS.get(logger);
  if (!claims) CLAIMS.set(logger, (claims = new RunClaims()));
  return claims;
}

/** First come, first served: LangChain tells the handlers of a run one after the other, in the same turn. */
export class RunClaims {
  /** Of open calls, by run id, what tells runs of one id apart. */
  readonly #calls = new Map<string, readonly unknown[]>();
  /** All else, by that: LangChain keeps it as long as it can call back for the run. */
  readonly #rest = new WeakMap<readonly unknown[], Set<string>>();

  /** Whether the caller is the first who claims this; from then on it is taken. */
  take({ id, origin }: RunContext, claim: Claim): boolean {
    if (origin === undefined) return true; // not called by LangChain: nothing tells two runs of one id apart
    if (claim === "call") {
      const other = this.#calls.get(id);
      if (other === origin) return false;
      if (other === undefined) {
        this.#calls.set(id, origin);
        return true;
      }
    }
    const claims = this.#rest.get(origin) ?? new Set();
    const key = `${claim} ${id}`;
    if (claims.has(key)) return false;
    this.#rest.set(origin, claims.add(key));
    return true;
  }

  /** Releases the call of a run that has ended: a manager may be used again, under the same id. */
  release({ id, origin }: RunContext): void {
    if (origin === undefined) return;
    if (this.#calls.get(id) === origin) this.#calls.delete(id);
    else this.#rest.get(origin)?.delete(`call ${id}`);
  }
}
