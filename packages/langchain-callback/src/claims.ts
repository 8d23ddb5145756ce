// Which of several handlers of one logger keeps a run: given to a model and to the call as well, they all hear of it.
import type { AuditLogger } from "@ai-audit/core";
import type { RunContext } from "./runs.ts";

/** What a run may leave in the log: the entry of its call, a safety event, a human's decision. */
export type Claim = "call" | "event" | "decision";

const CLAIMS = new WeakMap<AuditLogger, RunClaims>();

/** The claims of a logger, which all its handlers share. */
export function claimsOn(logger: AuditLogger): RunClaims {
  let claims = CLAIMS.get(logger);
  if (!claims) CLAIMS.set(logger, (claims = new RunClaims()));
  return claims;
}

/** First come, first served: LangChain tells the handlers of a run one after the other, in the same turn. */
export class RunClaims {
  /** By what LangChain keeps as long as it can call back for the run: what is never released goes with it. */
  readonly #claimed = new WeakMap<readonly unknown[], Set<string>>();

  /** Whether the caller is the first who claims this; from then on it is taken. */
  take({ id, origin }: RunContext, claim: Claim): boolean {
    if (origin === undefined) return true; // not called by LangChain: nothing tells two runs of one id apart
    const key = claim === "call" ? id : `${claim} ${id}`;
    const claimed = this.#claimed.get(origin);
    if (claimed?.has(key)) return false;
    if (claimed) claimed.add(key);
    else this.#claimed.set(origin, new Set([key]));
    return true;
  }

  /** Releases the call of a run that has ended: a manager may be used again, under the same id. */
  release({ id, origin }: RunContext): void {
    if (origin) this.#claimed.get(origin)?.delete(id);
  }
}
