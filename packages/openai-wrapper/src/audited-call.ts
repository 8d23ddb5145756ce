// One call of a client on its way to its one entry: request, attempts, response or stream or error, end.
import { AuditWriteError, type CapturedFields, type RecordedCall } from "@ai-audit/core";
import { type AuditSettings, callAuditOf } from "./options.ts";
import { LargeBody, eventsIn } from "./raw-body.ts";
import {
  describeForm,
  errorFields,
  mergeFields,
  type StreamCollector,
  type Surface,
  surfaceOf,
  type WireRequest,
} from "./surface.ts";

/** What the call's caller has of it. When all of that is garbage, nobody can finish the call any more. */
const forgotten = new FinalizationRegistry<AuditedCall>((call) => call.abandon());

/** Who reads the response's body: the SDK, on behalf of an awaited promise, or the caller of `asResponse()`. */
export type BodyReader = "sdk" | "caller";

/**
 * The state of one call, from the first attempt to the entry. Holds neither the response nor the stream: they could
 * never be forgotten then.
 */
export class AuditedCall {
  readonly #settings: AuditSettings;
  readonly #own: CapturedFields;
  #surface: Surface | undefined;
  #request: WireRequest | undefined;
  /** Lists of the request to which the response's are added. */
  #asked: CapturedFields = {};
  #form: Promise<CapturedFields> | undefined;
  #recorded: RecordedCall | undefined;
  #collector: StreamCollector | undefined;
  #attempts = 0;
  #sentAt = 0;
  #firstEventMs: number | undefined;
  #firstContentMs: number | undefined;
  #requestId: string | undefined;
  #responses = 0;
  /** The SDK has handed the response's data on. */
  #delivered = false;
  reader: BodyReader = "caller";

  constructor(settings: AuditSettings, options: object) {
    this.#settings = settings;
    this.#own = callAuditOf(options);
  }

  /** Not over yet, as far as the log goes. */
  get open(): boolean {
    return this.#recorded !== undefined && !this.#recorded.ended;
  }

  /** A response has arrived and no further attempt was begun since. */
  get responded(): boolean {
    return this.#responses > 0;
  }

  /**
   * An HTTP attempt is about to be made. Before the first one the call begins: with `intent` durably, or nothing
   * is sent.
   */
  async attempt(request: () => WireRequest): Promise<void> {
    this.#attempts += 1;
    if (this.#request) return;
    await this.#begin(request());
    this.#sentAt = performance.now();
  }

  async #begin(request: WireRequest): Promise<void> {
    this.#request = request;
    this.#surface = surfaceOf(request);
    if (!this.#surface) return;
    const { extract, recorder } = this.#settings;
    const fields = this.#surface.request(request, extract);
    const { alerts, safetyChecks, detectorsTriggered } = fields;
    this.#asked = { alerts, safetyChecks, detectorsTriggered };
    if (request.body instanceof FormData) this.#form = this.#describe(this.#surface, request, request.body);
    const begun = recorder.begin(
      { ...fields, ...definedOf(this.#own), metadata: { ...fields.metadata, ...this.#own.metadata } },
      () => this.#partial(),
    );
    this.#recorded = "then" in begun ? await begun : begun;
  }

  /** A form's files are read while the request is on its way. */
  async #describe(surface: Surface, request: WireRequest, form: FormData): Promise<CapturedFields> {
    try {
      return surface.request({ ...request, body: await describeForm(form) }, this.#settings.extract);
    } catch (error) {
      return { alerts: [`ai-audit: the form's files could not be read (${nameOf(error)})`] };
    }
  }

  /** The SDK got a response that it takes for the final one. */
  respond(response: Response): void {
    this.#responses += 1;
    this.reader = "caller";
    this.#requestId = response.headers.get("x-request-id") ?? undefined;
    if (this.open) this.watch(response);
  }

  /** The response's body did not come in time, and the SDK asks again. */
  askAgain(): void {
    this.#responses = 0;
  }

  /** The call is abandoned when `target` is garbage-collected before the call's end. Replaces the former target. */
  watch(target: object): void {
    forgotten.unregister(this);
    forgotten.register(target, this, this);
  }

  /** Somebody has begun to read: the call ends with that. */
  unwatch(): void {
    forgotten.unregister(this);
  }

  /**
   * The SDK is reading the body, and what comes of it is seen in `deliver`, or in a rejection of `read`, or not at
   * all: when it makes no sense to the SDK.
   */
  sdkReads(read: Promise<unknown>): void {
    const turn = this.#responses;
    const undelivered = (conclude: () => Promise<unknown>): void => {
      // All that the SDK does with a body it does before the event loop turns.
      setImmediate(() => {
        if (this.open && !this.#delivered && this.#responses === turn) void conclude().catch(() => undefined); // reported by the recorder
      });
    };
    read.then(
      (value) => undelivered(() => this.#undelivered(value)),
      (error: unknown) => undelivered(() => this.fail(error)),
    );
  }

  /** The SDK has parsed the response, or the caller has read it. Resolves when the caller may have it. */
  async deliver(data: unknown): Promise<void> {
    this.#delivered = true;
    const { surface, settings } = this.#context();
    if (!surface || !this.open) return;
    await this.#end({ outcome: "ok", ...surface.response(data, settings.extract, this.#request) }, { response: data });
  }

  /** A body that the SDK read and could not, or did not, hand on. */
  async #undelivered(body: unknown): Promise<void> {
    const parsed = typeof body === "string" ? parseJson(body) : { value: body };
    if (parsed) return this.deliver(parsed.value);
    const { surface, settings } = this.#context();
    await this.#end({
      ...surface?.response(body, settings.extract, this.#request),
      outcome: "error",
      error: { type: "SyntaxError", message: "the response's body is not JSON" },
    });
  }

  /** The largest output that is kept whole, in bytes. */
  get maxContentBytes(): number {
    return this.#settings.extract.maxContentBytes;
  }

  /**
   * The caller has read the response's body himself: parsed, as text, as bytes, or in pieces too large to keep.
   * Resolves when he may have it.
   */
  async receive(body: unknown, contentType: string, stopped = false): Promise<void> {
    if (!this.open) return;
    if (body instanceof LargeBody) {
      const alerts = ["ai-audit: the output is larger than maxContentBytes: digest and length kept"];
      return this.#end({ outcome: stopped ? "aborted" : "ok", output: body.digest, alerts });
    }
    const isText = /json|^text\//i.test(contentType);
    const content = isText && body instanceof Uint8Array ? new TextDecoder().decode(body) : body;
    if (typeof content === "string" && /^text\/event-stream/i.test(contentType)) {
      this.collect();
      for (const event of eventsIn(content)) this.event(event);
      return this.finish(stopped);
    }
    if (stopped) {
      const { surface, settings } = this.#context();
      return this.#end({ ...surface?.response(content, settings.extract, this.#request), outcome: "aborted" });
    }
    return typeof content === "string" && /json/i.test(contentType)
      ? this.#undelivered(content)
      : this.deliver(content);
  }

  /** The rest of the call happens where it cannot be seen. */
  async lose(why: string): Promise<void> {
    if (this.open)
      await this.#end({ ...this.#partial(), outcome: "ok", alerts: [`ai-audit: output not seen: ${why}`] });
  }

  /** The response is a stream of events. */
  collect(): StreamCollector | undefined {
    this.#delivered = true;
    const { surface, settings } = this.#context();
    this.#collector = surface?.stream?.(settings.extract, this.#request);
    return this.#collector;
  }

  /** An event of the stream has arrived. */
  event(value: unknown): void {
    this.#firstEventMs ??= this.#elapsedMs();
    const collector = this.#collector;
    if (!collector) return;
    collector.push(value);
    if (this.#firstContentMs === undefined && collector.firstContentSeen) this.#firstContentMs = this.#elapsedMs();
  }

  /** The stream is over: at its end, or because its reader stopped. */
  async finish(stopped: boolean): Promise<void> {
    const complete = this.#collector?.terminal ?? true;
    if (complete) return this.#end({ outcome: "ok", ...this.#partial() });
    if (stopped) return this.#end({ ...this.#partial(), outcome: "aborted" });
    const error = { type: "TruncatedStream", message: "the stream ended without its terminal event" };
    return this.#end({ error, ...this.#partial(), outcome: "error" });
  }

  /** The call failed. Resolves to the error that the caller gets. */
  async fail(error: unknown, request?: () => WireRequest): Promise<unknown> {
    try {
      if (!this.#request && request) await this.#begin(request());
      const wire = this.#request;
      if (wire && this.open) await this.#end({ ...this.#partial(), ...errorFields(error, wire) }, { callError: error });
      return error;
    } catch (unwritten) {
      return unwritten;
    }
  }

  /** Nobody can finish the call. */
  abandon(): void {
    if (this.open) void this.#end({ ...this.#partial(), outcome: "abandoned" }).catch(() => undefined); // reported by the recorder
  }

  #context(): { readonly surface: Surface | undefined; readonly settings: AuditSettings } {
    return { surface: this.#surface, settings: this.#settings };
  }

  /** What is known of the response so far. */
  #partial(): CapturedFields {
    const collected = this.#collector?.result();
    const transport = this.#transport();
    return { ...collected, ...transport, metadata: { ...collected?.metadata, ...transport.metadata } };
  }

  #transport(): CapturedFields {
    const firstEventMs = this.#firstEventMs;
    return {
      attempts: this.#attempts,
      latencyMs: this.#sentAt === 0 ? null : this.#elapsedMs(),
      ...(this.#requestId !== undefined && { requestId: this.#requestId }),
      ...(this.#collector && { streamed: true }),
      ...(this.#firstContentMs !== undefined && { timeToFirstTokenMs: this.#firstContentMs }),
      ...(firstEventMs !== undefined && {
        metadata: { ...this.#collector?.result().metadata, time_to_first_event_ms: firstEventMs },
      }),
    };
  }

  /** Milliseconds since the first attempt, on the monotonic clock. */
  #elapsedMs(): number {
    return Math.round((performance.now() - this.#sentAt) * 1000) / 1000;
  }

  /** In fail-closed mode resolves when the entry is durable, and rejects when it cannot be; in fail-open mode at once. */
  async #end(
    fields: CapturedFields,
    held: { readonly response?: unknown; readonly callError?: unknown } = {},
  ): Promise<void> {
    const recorded = this.#recorded;
    if (!recorded) return;
    this.unwatch();
    const described = this.#form && (await this.#form); // without a form the call ends in this very tick
    const written = recorded.end(mergeFields(this.#asked, this.#transport(), fields, described ?? {}), held.callError);
    if (!this.#settings.recorder.failsClosed) return;
    try {
      await written;
    } catch (error) {
      if (!(error instanceof AuditWriteError)) throw error;
      throw new AuditWriteError(error.code, error.message, { cause: error.cause, ...held });
    }
  }
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined; // the caller's error says so as well
  }
}

function definedOf(fields: CapturedFields): CapturedFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
