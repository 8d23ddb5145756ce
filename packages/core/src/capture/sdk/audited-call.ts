// One call of a client on its way to its one entry: request, attempts, response or stream or error.
// Longer than 300 lines: the transitions of one state machine, which read best side by side.
import { AuditWriteError, type ContentBlockedError } from "../../errors.ts";
import type { RecordedCall } from "../call.ts";
import { endOfTurn } from "../end-of-turn.ts";
import { addFields, type CapturedFields, mergeFields } from "../fields.ts";
import type { ErrorTypeOf } from "../payload/errors.ts";
import { firstText, nameOf } from "../payload/read.ts";
import { CallProgress } from "../progress.ts";
import type { Checked } from "../safety/content-check.ts";
import type { StreamCollector } from "../stream/collector.ts";
import { ForgottenWatch } from "../forgotten.ts";
import { formIn } from "./form-stream.ts";
import type { SdkHost } from "./host.ts";
import { completed, type Held, holding } from "./held.ts";
import { type AuditSettings, callAuditOf } from "./options.ts";
import { failUnread, receiveUndelivered } from "./receive-body.ts";
import { errorFields, formFields, isStream } from "./bound-surface.ts";
import type { Surface, WireRequest } from "./surface.ts";

/** Reads the response's body: the SDK for an awaited promise, the caller after `asResponse()`. */
export type BodyReader = "sdk" | "caller";

/** No response yet, or the SDK asks again. */
interface Asking {
  readonly name: "asking";
  /** The latest attempt's request, by which a repeated hook is known. */
  init?: unknown;
}

/** A response has arrived. */
interface Reading {
  readonly name: "reading";
  reader: BodyReader;
  /** The body, as the SDK reads it. */
  body?: Promise<unknown>;
  /** Takes in the events, where the response is a stream. */
  collector?: StreamCollector | undefined;
  /** Clones of the response, of which one is enough. */
  copies: number;
  /** A caller reads it, or is expected to. */
  taken: boolean;
}

/** The entry is written, being written, or lost. */
interface Ended {
  readonly name: "ended";
}

const ENDED: Ended = { name: "ended" };

const STREAM_UNSEEN = "ai-audit: input not seen: the request's body is a stream";

/** The request, from the first attempt on. Its contents are released when the call ends. */
interface Request {
  readonly surface: Surface;
  /** The media type that was asked for. */
  readonly mime: string | undefined;
  /** The request's fields with all of its content, until the detectors have seen it. */
  unchecked?: CapturedFields | undefined;
  /** The call's facts that detectors get besides the output. */
  about?: CapturedFields;
  form?: Promise<CapturedFields>;
  /** The entry whose tool calls this call answers. */
  readonly asked: Promise<string | undefined> | undefined;
}

/**
 * The state of one call, from the first attempt to the entry. Holds neither the response nor the
 * stream: they could never be garbage-collected then.
 */
export class AuditedCall {
  readonly #settings: AuditSettings;
  readonly #own: CapturedFields | undefined;
  readonly #typeOf: ErrorTypeOf;
  readonly #progress = new CallProgress();
  readonly #watch = new ForgottenWatch(() => this.abandon());
  #signal: unknown;
  #state: Asking | Reading | Ended = { name: "asking" };
  /** undefined before the first attempt, null for a request that leaves no entry. */
  #request: Request | null | undefined;
  /** Kept beyond the end: the SDK's error may have to wait for the entry. */
  #recorded: RecordedCall | undefined;

  constructor(settings: AuditSettings, options: object, typeOf: ErrorTypeOf) {
    this.#settings = settings;
    this.#own = callAuditOf(options);
    this.#typeOf = typeOf;
    this.#signal = "signal" in options ? options.signal : undefined;
  }

  get host(): SdkHost {
    return this.#settings.host;
  }

  /** The stage of the call. A logger that closes ends it too. */
  get state(): "asking" | "reading" | "ended" {
    return this.ended ? "ended" : this.#state.name;
  }

  get ended(): boolean {
    return this.#recorded?.ended ?? false;
  }

  /** Begun, recorded, and not ended. */
  get open(): boolean {
    return this.#recorded !== undefined && !this.#recorded.ended;
  }

  /** The caller's signal, once it has fired. */
  get aborted(): AbortSignal | undefined {
    return this.#signal instanceof AbortSignal && this.#signal.aborted ? this.#signal : undefined;
  }

  /** There are detectors to show the content to. */
  get detects(): boolean {
    return this.#settings.check.active;
  }

  /** The largest output that is kept whole, in bytes. */
  get maxContentBytes(): number {
    return this.#settings.extract.maxContentBytes;
  }

  get reader(): BodyReader {
    return this.#state.name === "reading" ? this.#state.reader : "caller";
  }

  /** Sets the reader of the response's body. */
  set reader(reader: BodyReader) {
    if (this.#state.name === "reading") this.#state.reader = reader;
  }

  /** A clone of the response was made. */
  copied(): void {
    if (this.#state.name === "reading") this.#state.copies += 1;
  }

  /** One copy of the response is not read to its end. False when it was the last one. */
  dropCopy(): boolean {
    if (this.#state.name !== "reading" || this.#state.copies === 0) return false;
    this.#state.copies -= 1;
    return true;
  }

  /** There are clones that may be read in place of the response. */
  get hasCopies(): boolean {
    return this.#state.name === "reading" && this.#state.copies > 0;
  }

  /** False if this attempt is known: an overriding `prepareRequest` may call the overridden one. */
  enter(init: unknown): boolean {
    if (this.#state.name !== "asking") return true;
    const isNew = init !== this.#state.init;
    this.#state.init = init;
    return isNew;
  }

  /**
   * An HTTP attempt is about to be made. Before the first one the call begins, with `intent`
   * durably, and its input is checked.
   *
   * @throws `AuditWriteError` or `ContentBlockedError`: then the request must not be sent
   */
  attempt(request: () => WireRequest, init?: unknown): Promise<void> | undefined {
    const preparing = this.prepare(request, init);
    if (preparing) return preparing.then(() => this.#count());
    this.#count();
    return undefined;
  }

  /**
   * Begins the call before its first attempt, where it has not begun. Throws as `attempt` does.
   */
  prepare(request: () => WireRequest, init?: unknown): Promise<void> | undefined {
    const begun = this.#request === undefined ? this.#begin(request(), init) : undefined;
    return (begun ?? this.#request?.unchecked) ? this.#prepare(begun) : undefined;
  }

  #count(): void {
    if (!this.aborted) this.#progress.attempt(); // the SDK looks at the signal before it sends
  }

  /** Begins the call where that takes time, and has its input checked. */
  async #prepare(begun: Promise<void> | undefined): Promise<void> {
    await begun;
    const request = this.#request;
    const unchecked = request?.unchecked;
    if (request && unchecked) {
      request.unchecked = undefined;
      const { found, blocked } = await this.#settings.check.run("input", unchecked, unchecked);
      if (blocked) return this.#refuse(found, blocked);
      this.#recorded?.add(found);
      const { provider, model, operation, conversationId } = unchecked;
      request.about = { provider, model, operation, conversationId };
    }
  }

  /** Synchronous without `intent`. */
  #begin(wire: WireRequest, init?: unknown): Promise<void> | undefined {
    const { host, memory, recorder, check, extract } = this.#settings;
    const surface = host.surfaceOf(wire);
    if (!surface) {
      this.#request = null;
      return undefined;
    }
    const asked = memory.askedBy(wire.body);
    const request: Request = { surface, mime: surface.mimeOf(wire), asked };
    this.#request = request;
    const fields = surface.request(wire, check.extract);
    if (this.#own) addFields(fields, this.#own);
    if (check.active) request.unchecked = fields;
    const form = formIn(wire.body, init);
    if (form) request.form = formFields(surface, wire, form, extract);
    else if (isStream(wire.body)) addFields(fields, { alerts: [STREAM_UNSEEN] });
    const begin = (): Promise<void> | undefined => {
      const begun = recorder.begin(check.bounded(fields), () => this.#unfinished());
      if ("then" in begun) return this.#await(begun);
      this.#recorded = begun;
      return undefined;
    };
    const decisions = memory.decisionsIn(wire.body);
    return decisions.length === 0 ? begin() : this.#recordFirst(decisions, begin);
  }

  /** A person's decisions are on record before the request that brings them is sent. */
  async #recordFirst(
    decisions: readonly CapturedFields[],
    begin: () => Promise<void> | undefined,
  ): Promise<void> {
    const { recorder, check, memory } = this.#settings;
    try {
      for (const decision of decisions)
        await recorder.record(check.bounded({ ...decision, ...this.#own }));
    } catch (error) {
      memory.forget(decisions); // the caller's next try records them
      throw error;
    }
    await begin();
  }

  async #await(begun: Promise<RecordedCall>): Promise<void> {
    this.#recorded = await begun;
  }

  async #refuse(fields: CapturedFields, blocked: ContentBlockedError): Promise<never> {
    await this.end(fields, { callError: blocked });
    throw blocked;
  }

  /** The SDK got a response that it considers final. */
  respond(response: Response): void {
    // A stream may take minutes. The attempt, which holds the request's body, is released here.
    const reading: Reading = { name: "reading", reader: "caller", copies: 0, taken: false };
    this.#state = reading;
    this.#progress.requestId = firstText(
      ...this.host.requestIdHeaders.map((name) => response.headers.get(name)),
    );
    void this.#watchUnread(response, reading);
  }

  /** Most responses are read at once: watching them would cost more than everything else. */
  async #watchUnread(response: Response, reading: Reading): Promise<void> {
    await endOfTurn();
    if (this.open && this.#state === reading && !reading.taken) this.watch(response);
  }

  /** The response's body did not come in time, and the SDK asks again. */
  askAgain(): void {
    this.#state = { name: "asking" };
  }

  /** The call is abandoned when `target` is garbage-collected first. Replaces the former target. */
  watch(target: object): void {
    this.#take();
    this.#watch.watch(target);
  }

  /** A caller has begun to read: the call ends with the reading. */
  unwatch(): void {
    this.#take();
    this.#watch.stop();
  }

  #take(): void {
    if (this.#state.name === "reading") this.#state.taken = true;
  }

  /** The SDK reads the body. Its data go through `deliver`, or through `unparsed`. */
  sdkReads(body: Promise<unknown>): void {
    if (this.#state.name === "reading") this.#state.body = body;
  }

  /**
   * The response's data go to the caller when this resolves. If the caller has to wait for the
   * entry, they are read together with the turn's other calls.
   */
  deliver(data: unknown): Promise<void> | undefined {
    if (!this.#request || !this.open) return undefined;
    return this.#settings.recorder.failsClosed ? this.#endWithTurn(data) : this.#endAnswered(data);
  }

  async #endWithTurn(data: unknown): Promise<void> {
    await endOfTurn();
    const ending = this.#endAnswered(data);
    if (ending) await ending;
  }

  #endAnswered(data: unknown): Promise<void> | undefined {
    if (!this.#request || !this.open) return undefined;
    const { surface, mime } = this.#request;
    const fields = surface.response(data, this.#settings.check.extract, mime);
    fields.outcome ??= "ok";
    return this.#endChecked(fields, { response: data });
  }

  /** The fields that the surface finds in a body. */
  answerIn(body: unknown): CapturedFields {
    if (!this.#request) return {};
    const { surface, mime } = this.#request;
    return surface.response(body, this.#settings.extract, mime);
  }

  /** The response is a stream of events. */
  collect(): void {
    if (!this.#request || this.#state.name !== "reading") return;
    const { surface, mime } = this.#request;
    this.#state.collector = surface.stream(this.#settings.check.streamExtract, mime);
  }

  /** An event of the stream has arrived. */
  event(value: unknown): void {
    const collector = this.#collector;
    collector?.push(value);
    if (!this.#progress.contentSeen) this.#progress.event(collector?.firstContentSeen ?? false);
  }

  get #collector(): StreamCollector | undefined {
    return this.#state.name === "reading" ? this.#state.collector : undefined;
  }

  /** The stream is over, or its reader stopped. Resolves when the reader may learn of it. */
  async finish(stopped: boolean): Promise<void> {
    const collector = this.#collector;
    const fields = collector?.result() ?? {
      alerts: ["ai-audit: output not seen: no surface for its events"],
    };
    if (collector?.terminal ?? true) return this.#endChecked({ outcome: "ok", ...fields });
    if (stopped) return this.#endChecked({ ...fields, outcome: "aborted" });
    return this.#endChecked({
      ...mergeFields(collector?.unended ?? {}, fields),
      outcome: fields.outcome ?? "error",
    });
  }

  /** The call failed. Resolves to the error that the caller gets. */
  async fail(error: unknown, request?: () => WireRequest): Promise<unknown> {
    try {
      if (this.#request === undefined && request) await this.#begin(request());
      if (!this.open) return error;
      const answered = this.#collector?.firstContentSeen;
      const { extract, host } = this.#settings;
      const { safetyCodes: codes } = extract;
      const { vendor } = host;
      const fields = errorFields(error, { typeOf: this.#typeOf, codes, answered, vendor });
      await this.end(mergeFields(this.#collected(), fields), { callError: error });
      return error;
    } catch (unwritten) {
      return unwritten;
    }
  }

  /**
   * The SDK could not read the body, or parse it. Resolves to the error that the caller gets;
   * fail-closed, once the entry is durable.
   */
  async unparsed(error: unknown): Promise<unknown> {
    if (!this.#recorded || error instanceof AuditWriteError) return error;
    const ending = this.#endUnparsed(this.#recorded, error);
    if (this.#settings.recorder.failsClosed) return ending;
    void ending;
    return error;
  }

  /** Never rejects. */
  async #endUnparsed(recorded: RecordedCall, error: unknown): Promise<unknown> {
    let conclude = (): Promise<unknown> => this.fail(error); // unless the body was read, or failed
    const body = this.#state.name === "reading" ? this.#state.body : undefined;
    body?.then(
      (read) => (conclude = () => receiveUndelivered(this, read)),
      (unread: unknown) => (conclude = () => failUnread(this, unread)),
    );
    await endOfTurn();
    if (this.open) await conclude().catch(() => undefined); // `end` rejects with it once more
    try {
      await holding(recorded.end({}), { callError: error });
      return error;
    } catch (unwritten) {
      return unwritten;
    }
  }

  /** Ends the call as one that its caller can no longer finish. */
  abandon(): void {
    this.end(this.#unfinished())?.catch(() => undefined); // reported by the recorder
  }

  #endChecked(fields: CapturedFields, held?: Held): Promise<void> | undefined {
    return this.#settings.check.active ? this.#checkAndEnd(fields, held) : this.end(fields, held);
  }

  async #checkAndEnd(fields: CapturedFields, held: Held | undefined): Promise<void> {
    const { check } = this.#settings;
    const running = check.run("output", fields, this.#request?.about ?? {});
    const checked: Checked = "then" in running ? await running : running;
    if (checked.blocked) return this.#refuse(checked.fields, checked.blocked);
    return this.end(checked.fields, held);
  }

  /** The fields known of a call that is not finished. */
  #unfinished(): CapturedFields {
    return { ...this.#collected(), outcome: this.aborted ? "aborted" : "abandoned" };
  }

  /** The part of a stream that has arrived. */
  #collected(): CapturedFields {
    const collected = this.#collector?.result();
    const progress = this.#progress.fields(this.#collector !== undefined);
    return collected ? mergeFields(this.#settings.check.bounded(collected), progress) : progress;
  }

  /**
   * Ends the call, unless it is over. Fail-closed: resolves when the entry is durable, and rejects
   * when it cannot be. Fail-open: nothing to wait for.
   */
  end(fields: CapturedFields, held: Held = {}): Promise<void> | undefined {
    if (!this.#recorded || !this.open) return undefined;
    this.unwatch();
    this.#recorded.add(this.#progress.fields(this.#collector !== undefined));
    // The reason of AbortSignal.timeout()
    const late = fields.outcome === "aborted" && nameOf(this.aborted?.reason) === "TimeoutError";
    const written = this.#write(this.#recorded, late ? { ...fields, outcome: "timeout" } : fields);
    // The caller's objects may live on, and with them this one.
    this.#state = ENDED;
    this.#request = null;
    this.#signal = undefined;
    return this.#settings.recorder.failsClosed ? holding(written, held) : undefined;
  }

  #write(recorded: RecordedCall, entry: CapturedFields): Promise<string | undefined> {
    const { memory } = this.#settings;
    const { surface, form, asked } = this.#request ?? {};
    const operation = surface?.operation ?? "";
    const known = memory.known(operation, entry);
    const isPending = known ?? form ?? asked;
    const written = recorded.end(isPending ? completed(entry, form, { known, asked }) : entry);
    memory.note(operation, entry, written);
    return written;
  }
}
