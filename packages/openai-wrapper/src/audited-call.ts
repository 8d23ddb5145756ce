// One call of a client on its way to its one entry: request, attempts, response or stream or error, end.
import { AuditWriteError, type ContentBlockedError } from "@ai-audit/core";
import {
  addFields,
  type CapturedFields,
  endOfTurn,
  mergeFields,
  type RecordedCall,
} from "@ai-audit/core/capture";
import { CallProgress } from "./call-progress.ts";
import type { Checked } from "./check-content.ts";
import { ForgottenWatch } from "./forgotten.ts";
import { completed, type Held, holding } from "./held.ts";
import { type AuditSettings, callAuditOf } from "./options.ts";
import { nameOf } from "./payload/read.ts";
import { failUnread, receiveUndelivered } from "./receive-body.ts";
import {
  errorFields,
  formFields,
  type StreamCollector,
  type Surface,
  surfaceOf,
  type WireRequest,
} from "./surface.ts";

/** Who reads the response's body: the SDK, for an awaited promise, or the caller of `asResponse()`. */
export type BodyReader = "sdk" | "caller";

/**
 * The state of one call, from the first attempt to the entry. Holds neither the response nor the stream: they could
 * never be forgotten then.
 */
export class AuditedCall {
  readonly #settings: AuditSettings;
  readonly #own: CapturedFields | undefined;
  #signal: unknown;
  #surface: Surface | undefined;
  /** The media type that was asked for. */
  #mime: string | undefined;
  /** The request's fields with all of its content, until the detectors have seen it. */
  #unchecked: CapturedFields | undefined;
  /** What detectors are told of the call besides the output. */
  #about: CapturedFields | undefined;
  #form: Promise<CapturedFields> | undefined;
  #recorded: RecordedCall | undefined;
  #collector: StreamCollector | undefined;
  readonly #progress = new CallProgress();
  readonly #watch = new ForgottenWatch(() => this.abandon());
  #begun = false;
  /** Of the latest attempt. */
  #init: unknown;
  /** The body, as the SDK reads it. */
  #reading: Promise<unknown> | undefined;
  /** Changes with each response, each reading and each new attempt. */
  #turn = 0;
  #responded = false;
  reader: BodyReader = "caller";
  /** Further copies of the response, of which one is enough. */
  copies = 0;

  constructor(settings: AuditSettings, options: object) {
    this.#settings = settings;
    this.#own = callAuditOf(options);
    this.#signal = "signal" in options ? options.signal : undefined;
  }

  /** Over, as far as the log goes. */
  get ended(): boolean {
    return this.#recorded?.ended ?? false;
  }

  /** Begun and not over yet, as far as the log goes. */
  get open(): boolean {
    return this.#recorded !== undefined && !this.#recorded.ended;
  }

  /** The caller's signal once it has fired: a framework over this client sees that object, but not this client's error. */
  get aborted(): AbortSignal | undefined {
    return this.#signal instanceof AbortSignal && this.#signal.aborted ? this.#signal : undefined;
  }

  /** A response has arrived and no further attempt was begun since. */
  get responded(): boolean {
    return this.#responded;
  }

  /** There are detectors to show the content to. */
  get detects(): boolean {
    return this.#settings.check.active;
  }

  /** The largest output that is kept whole, in bytes. */
  get maxContentBytes(): number {
    return this.#settings.extract.maxContentBytes;
  }

  /** False for one that is known: an override of the hook that tells of attempts may call the hook that it overrides. */
  enter(init: unknown): boolean {
    const isNew = init !== this.#init;
    this.#init = init;
    return isNew;
  }

  /**
   * An HTTP attempt is about to be made. Before the first one the call begins, with `intent` durably, and its input
   * is checked.
   *
   * @throws `AuditWriteError` or `ContentBlockedError`: then nothing may be sent
   */
  attempt(request: () => WireRequest): Promise<void> | undefined {
    const begun = this.#begun ? undefined : this.#begin(request());
    if (begun ?? this.#unchecked) return this.#prepare(begun);
    if (!this.aborted) this.#progress.attempt(); // the SDK looks at the signal once more before it sends
    return undefined;
  }

  /** Begins the call where that takes time, and has its input checked. */
  async #prepare(begun: Promise<void> | undefined): Promise<void> {
    await begun;
    const unchecked = this.#unchecked;
    this.#unchecked = undefined;
    if (unchecked) {
      const { found, blocked } = await this.#settings.check.run("input", unchecked, unchecked);
      if (blocked) return this.#refuse(found, blocked);
      this.#recorded?.add(found);
      const { provider, model, operation, conversationId } = unchecked;
      this.#about = { provider, model, operation, conversationId };
    }
    if (!this.aborted) this.#progress.attempt();
  }

  /** Synchronous without `intent`. */
  #begin(request: WireRequest): Promise<void> | undefined {
    this.#begun = true;
    this.#surface = surfaceOf(request);
    if (!this.#surface) return undefined;
    this.#mime = this.#surface.mimeOf(request);
    const { recorder, check, extract } = this.#settings;
    const fields = this.#surface.request(request, check.extract);
    if (this.#own) addFields(fields, this.#own);
    if (check.active) this.#unchecked = fields;
    if (request.body instanceof FormData)
      this.#form = formFields(this.#surface, request, request.body, extract);
    const begun = recorder.begin(check.bounded(fields), () => this.#unfinished());
    if ("then" in begun) return this.#await(begun);
    this.#recorded = begun;
    return undefined;
  }

  async #await(begun: Promise<RecordedCall>): Promise<void> {
    this.#recorded = await begun;
  }

  async #refuse(fields: CapturedFields, blocked: ContentBlockedError): Promise<never> {
    await this.end(fields, { callError: blocked });
    throw blocked;
  }

  /** The SDK got a response that it takes for the final one. */
  respond(response: Response): void {
    this.#responded = true;
    this.#turn += 1;
    this.#init = undefined; // a stream may take minutes, and the request's body is in it
    this.reader = "caller";
    this.#progress.requestId = response.headers.get("x-request-id") ?? undefined;
    void this.#watchUnread(response, this.#turn);
  }

  /** Most responses are read at once: watching them would cost more than all the rest. */
  async #watchUnread(response: Response, turn: number): Promise<void> {
    await endOfTurn();
    if (this.open && this.#turn === turn) this.watch(response);
  }

  /** The response's body did not come in time, and the SDK asks again. */
  askAgain(): void {
    this.#responded = false;
    this.#reading = undefined;
    this.#turn += 1;
  }

  /** The call is abandoned when `target` is garbage-collected before the call's end. Replaces the former target. */
  watch(target: object): void {
    this.#turn += 1;
    this.#watch.watch(target);
  }

  /** Somebody has begun to read: the call ends with that. */
  unwatch(): void {
    this.#turn += 1;
    this.#watch.stop();
  }

  /** The SDK is reading the body. Its data are seen in `deliver`, or it makes no sense to the SDK: `unparsed`. */
  sdkReads(reading: Promise<unknown>): void {
    this.#reading = reading;
  }

  /**
   * The response's data are on their way to the caller, who may have them when this resolves. Where he has to wait for
   * the entry in any case, they are read together with those of the turn's other calls.
   */
  deliver(data: unknown): Promise<void> | undefined {
    if (!this.#surface || !this.open) return undefined;
    return this.#settings.recorder.failsClosed ? this.#endWithTurn(data) : this.#endAnswered(data);
  }

  async #endWithTurn(data: unknown): Promise<void> {
    await endOfTurn();
    const ending = this.#endAnswered(data);
    if (ending) await ending;
  }

  #endAnswered(data: unknown): Promise<void> | undefined {
    if (!this.#surface || !this.open) return undefined;
    const { check } = this.#settings;
    const fields = this.#surface.response(data, check.extract, this.#mime);
    fields.outcome ??= "ok";
    return this.#endChecked(fields, { response: data });
  }

  /** What the surface finds in a body. */
  answerIn(body: unknown): CapturedFields {
    return this.#surface?.response(body, this.#settings.extract, this.#mime) ?? {};
  }

  /** The response is a stream of events. */
  collect(): void {
    this.#collector = this.#surface?.stream?.(this.#settings.check.streamExtract, this.#mime);
  }

  /** An event of the stream has arrived. */
  event(value: unknown): void {
    this.#collector?.push(value);
    if (!this.#progress.contentSeen)
      this.#progress.event(this.#collector?.firstContentSeen ?? false);
  }

  /** The stream is over: at its end, or because its reader stopped. Resolves when the reader may know. */
  async finish(stopped: boolean): Promise<void> {
    const fields = this.#collector?.result() ?? {
      alerts: ["ai-audit: output not seen: no surface for its events"],
    };
    if (this.#collector?.terminal ?? true) return this.#endChecked({ outcome: "ok", ...fields });
    if (stopped) return this.#endChecked({ ...fields, outcome: "aborted" });
    const error = {
      type: "TruncatedStream",
      message: "the stream ended without its terminal event",
    };
    return this.#endChecked({ error, ...fields, outcome: "error" });
  }

  /** The call failed. Resolves to the error that the caller gets. */
  async fail(error: unknown, request?: () => WireRequest): Promise<unknown> {
    try {
      if (!this.#begun && request) await this.#begin(request());
      if (!this.open) return error;
      const fields = errorFields(error, this.#settings.extract.safetyCodes);
      await this.end(mergeFields(this.#collected(), fields), { callError: error });
      return error;
    } catch (unwritten) {
      return unwritten;
    }
  }

  /**
   * The SDK could not read the body, or make sense of it. Resolves to the error that the caller gets; fail-closed, once
   * the entry is durable.
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
    let conclude = (): Promise<unknown> => this.fail(error); // unless the body has been read, or could not be
    this.#reading?.then(
      (body) => (conclude = () => receiveUndelivered(this, body)),
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

  /** Nobody can finish the call. */
  abandon(): void {
    this.end(this.#unfinished())?.catch(() => undefined); // reported by the recorder
  }

  #endChecked(fields: CapturedFields, held?: Held): Promise<void> | undefined {
    return this.#settings.check.active ? this.#checkAndEnd(fields, held) : this.end(fields, held);
  }

  async #checkAndEnd(fields: CapturedFields, held: Held | undefined): Promise<void> {
    const { check } = this.#settings;
    const running = check.run("output", fields, this.#about ?? {});
    const checked: Checked = "then" in running ? await running : running;
    if (checked.blocked) return this.#refuse(checked.fields, checked.blocked);
    return this.end(checked.fields, held);
  }

  /** What is known of a call that nobody finishes. */
  #unfinished(): CapturedFields {
    return { ...this.#collected(), outcome: this.aborted ? "aborted" : "abandoned" };
  }

  /** What has arrived of a stream. */
  #collected(): CapturedFields {
    const collected = this.#collector?.result();
    const progress = this.#progress.fields(this.#collector !== undefined);
    return collected ? mergeFields(this.#settings.check.bounded(collected), progress) : progress;
  }

  /**
   * Ends the call, unless it is over. Fail-closed: resolves when the entry is durable, and rejects when it cannot be.
   * Fail-open: nothing to wait for.
   */
  end(fields: CapturedFields, held: Held = {}): Promise<void> | undefined {
    if (!this.#recorded || !this.open) return undefined;
    this.unwatch();
    this.#recorded.add(this.#progress.fields(this.#collector !== undefined));
    const late = fields.outcome === "aborted" && nameOf(this.aborted?.reason) === "TimeoutError";
    const entry: CapturedFields = late ? { ...fields, outcome: "timeout" } : fields; // of AbortSignal.timeout()
    const written = this.#write(this.#recorded, entry, this.aborted ?? held.callError);
    // The caller's objects may live on, and with them this one.
    this.#surface = this.#unchecked = this.#collector = this.#form = undefined;
    this.#init = this.#signal = this.#reading = this.#about = undefined;
    return this.#settings.recorder.failsClosed ? holding(written, held) : undefined;
  }

  #write(
    recorded: RecordedCall,
    entry: CapturedFields,
    cause: unknown,
  ): Promise<string | undefined> {
    const { reported } = this.#settings;
    const operation = this.#surface?.operation ?? "";
    const known = reported.known(operation, entry);
    const form = this.#form;
    const written = recorded.end(known || form ? completed(entry, form, known) : entry, cause);
    reported.note(operation, entry, written);
    return written;
  }
}
