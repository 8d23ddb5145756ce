// The logger's side of the port that wrappers write calls to.
import { endBeforeExit } from "./exit.ts";
import type { CallSink, CallStart, OpenCall, OpenRequest } from "../capture/call-sink.ts";
import type { CapturedFields } from "../capture/fields.ts";
import { type CallLayer, CallPairs, type CaptureOrigin } from "../capture/same-call.ts";
import { formatControlLine } from "../format/control-line.ts";
import { newEntryId, timestampOf } from "../format/id.ts";
import type { FailureMode } from "./options.ts";
import type { ReadableLog } from "./reading.ts";
import { openRequests } from "./reviews.ts";
import type { EntryWriter } from "./writing.ts";

/** The calls of all wrappers of one logger. */
export class WrappedCalls implements CallSink {
  readonly #writer: EntryWriter;
  readonly #log: ReadableLog;
  readonly #open = new Set<OpenCall>();
  /** Undoes the wait for the end of the process. */
  #stopWaiting: () => void = () => undefined;
  /** Calls begun so far. */
  readonly #layers = new Set<CallLayer>();
  readonly #pairs = new CallPairs();

  /** The logger's mode; a wrapper may have another. */
  readonly failureMode: FailureMode;

  constructor(writer: EntryWriter, log: ReadableLog, failureMode: FailureMode) {
    this.#writer = writer;
    this.#log = log;
    this.failureMode = failureMode;
  }

  get closed(): boolean {
    return this.#writer.closed;
  }

  capture(fields: CapturedFields, origin?: CaptureOrigin): Promise<string> {
    if (!origin) return this.#writer.write(fields, "lenient");
    const isOnlyLayer = this.#layers.size === 1 && this.#layers.has(origin.layer);
    if (isOnlyLayer) return this.#writer.writeCall(fields, origin.within);
    const twin = this.#pairs.take(fields, origin);
    const written = this.#writer.writeCall(fields, origin.within, twin);
    if (!twin) this.#pairs.offer(written, fields, origin);
    return written;
  }

  async started(start: CallStart, layer?: CallLayer): Promise<string> {
    if (layer) this.#layers.add(layer);
    const { provider = null, model = null, operation = "chat", input, subject } = start;
    const input_hash = await this.#writer.hashOfInput(input, subject);
    const call = newEntryId();
    const timestamp = timestampOf(call);
    await this.#writer.append(
      formatControlLine({
        type: "call.started",
        call,
        timestamp,
        provider,
        model,
        operation,
        input_hash,
      }),
    );
    return call;
  }

  track(call: OpenCall): void {
    this.#layers.add(call.layer);
    if (this.#open.size === 0) this.#stopWaiting = endBeforeExit(() => this.abandonAll());
    this.#open.add(call);
  }

  untrack(call: OpenCall): void {
    this.#open.delete(call);
    if (this.#open.size === 0) this.#stopWaiting();
  }

  async openRequests(threadId: string): Promise<readonly OpenRequest[]> {
    return openRequests(this.#log, threadId);
  }

  /** Ends the calls that are open as abandoned. */
  async abandonAll(): Promise<void> {
    await Promise.allSettled(Array.from(this.#open, (call) => call.abandon()));
  }
}
