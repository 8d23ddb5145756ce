// The calls on one socket: each response of a model is one call with one entry.
import { AuditWriteError } from "@ai-audit/core";
import {
  CallProgress,
  type CapturedFields,
  GuardedCollector,
  type JsonValue,
  mergeFields,
  type RecordedCall,
  snapshot,
  type StreamCollector,
} from "@ai-audit/core/capture";
import type { AuditSettings } from "@ai-audit/core/sdk";
import { ResponsesCollector } from "../surfaces/responses-stream.ts";

/** One response of a model, from its request or its beginning to its end. */
export class SocketCall {
  readonly #collector: StreamCollector;
  readonly #progress = new CallProgress();
  /** The known fields of the request; more may follow once the response begins. */
  #request: CapturedFields;
  readonly #steered: JsonValue[] = [];
  /** The protocol's key of the call: a lane, or an id of an event or a response. */
  key: string | undefined;
  /** Added to the entry's metadata. */
  readonly metadata: Record<string, JsonValue> = {};

  constructor(collector: StreamCollector, request: CapturedFields, key: string | undefined) {
    this.#collector = collector;
    this.#request = request;
    this.key = key;
    this.#progress.attempt();
  }

  /** Whether the response's last event has arrived. */
  get terminal(): boolean {
    return this.#collector.terminal;
  }

  /** Takes in an event of the server. */
  push(event: unknown): void {
    this.#collector.push(event);
    this.heard(this.#collector.firstContentSeen);
  }

  /** An event of the server has arrived; with content, or without. */
  heard(hasContent: boolean): void {
    if (!this.#progress.contentSeen) this.#progress.event(hasContent);
  }

  /** Adds fields of the request that were unknown when it was sent. */
  requested(request: CapturedFields): void {
    this.#request = request;
  }

  /** Input that the client adds while the model answers. */
  steer(input: unknown): void {
    this.#steered.push(snapshot(input));
  }

  /** The fields known so far. */
  fields(): CapturedFields {
    const { attempts: _, ...progress } = this.#progress.fields(true);
    const input = { input: this.#request.input ?? "", steered: this.#steered };
    return mergeFields(
      this.#request,
      this.#collector.result(),
      progress,
      { attempts: 1, metadata: this.metadata },
      this.#steered.length > 0 ? { input } : {},
    );
  }
}

/** Begins and ends the calls of one socket. */
export class SocketCalls {
  readonly #settings: AuditSettings;
  readonly #unwritten: () => void;
  readonly #open = new Map<SocketCall, RecordedCall>();

  /** @param unwritten fail-closed: an entry could not be written */
  constructor(settings: AuditSettings, unwritten: () => void) {
    this.#settings = settings;
    this.#unwritten = unwritten;
  }

  /** Open calls, the oldest first. */
  open(): readonly SocketCall[] {
    return [...this.#open.keys()];
  }

  /** Begins a call. Throws an `AuditWriteError` when it fails closed and the logger is closed. */
  begin(fields: CapturedFields, key?: string): SocketCall {
    const { recorder, extract } = this.#settings;
    const collector = new GuardedCollector(new ResponsesCollector(extract));
    const call = new SocketCall(collector, fields, key);
    const begun = recorder.begin({ ...fields, streamed: true }, () => ({
      ...call.fields(),
      outcome: "abandoned",
    }));
    if ("then" in begun) {
      begun.catch(() => undefined); // reported by the recorder
      throw new AuditWriteError("AUDIT_CLOSED", "the logger is closed: nothing was sent");
    }
    this.#open.set(call, begun);
    return call;
  }

  /** Ends a call. `fields` win over those of its events. */
  end(call: SocketCall, fields: CapturedFields = {}): void {
    const recorded = this.#open.get(call);
    if (recorded === undefined) return;
    this.#open.delete(call);
    const known = call.fields();
    const entry = mergeFields({ outcome: "ok" }, known, fields);
    const written = recorded.end(entry);
    this.#settings.memory.note("responses", entry, written);
    written.catch(this.#unwritten); // fail-closed only; reported by the recorder
  }

  /** Ends all open calls. */
  endAll(fields: CapturedFields): void {
    for (const call of this.open()) this.end(call, fields);
  }
}
