// Loops of model calls, such as `runTools()`: a call that brings the results of tools is linked to
// the call that asked for them.
import { RecentMap } from "../../bounded-map.ts";
import type { CapturedFields } from "../fields.ts";
import { type Fields, fieldsOf } from "../payload/read.ts";

/** An entry's id once it is written; undefined when it could not be. */
type Written = Promise<string | undefined>;

/** Results follow their request soon, or after a person's review. */
const MAX_WAITING = 2000;

/** The ids of tool calls in a host's payloads. */
export interface ToolReaders {
  /** Of the calls whose results a request's body brings, in order. */
  resultsIn(body: Fields): readonly string[];
  /** Of the calls that one item of an output asks for. */
  callsIn(item: Fields): readonly string[];
}

/** Entries by the ids of the tool calls that they ask for. */
export class ToolTurns {
  readonly #byCall = new RecentMap<string, Written>(MAX_WAITING);
  readonly #readers: ToolReaders;

  constructor(readers: ToolReaders) {
    this.#readers = readers;
  }

  /** The entry that asked for the tool calls whose results a request brings. */
  askedBy(body: unknown): Written | undefined {
    const latest = this.#readers.resultsIn(fieldsOf(body)).at(-1);
    return latest === undefined ? undefined : this.#byCall.get(latest);
  }

  /** An entry is being written. */
  note({ output }: CapturedFields, written: Written): void {
    const calls = [output].flat().flatMap((item) => this.#readers.callsIn(fieldsOf(item)));
    if (calls.length === 0) return;
    const id = written.catch(() => undefined); // the caller gets the error
    for (const call of calls) this.#byCall.set(call, id);
  }
}
