// Calls to models, each from its parameters to its one entry. Over 300 lines: whole answers,
// streams and both seams are ways through one state machine.
import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { ContentBlockedError } from "@ai-audit/core";
import {
  boundInput,
  boundOutput,
  causesOf,
  type CapturedFields,
  type Fields,
  fieldsOf,
  ForgottenWatch,
  guarded,
  GuardedCollector,
  mergeFields,
  type RecordedCall,
  snapshot,
  textOf,
} from "@ai-audit/core/capture";
import { type AnswerReading, failureFields, PartsCollector } from "./answer.ts";
import type { Approvals } from "./approvals.ts";
import { modelFields, type NamedModel, parameterFields, vendorOf } from "./model-facts.ts";
import { observed, observeInPlace, type StreamObserver } from "./observe.ts";
import type { Settings } from "./options.ts";
import { type ToolRequests, toolCallIdsIn } from "./tool-requests.ts";

/** A request to a model, of any kind. */
export interface ModelRequest {
  readonly operation: string;
  readonly model: NamedModel;
  /** The final parameters of the call. */
  readonly params: Fields;
  readonly input: unknown;
  readonly streamed?: boolean;
  /** Members of the entry's `run`. */
  readonly run?: Fields;
  /** Reads a whole answer. */
  readonly read: (result: unknown, reading: AnswerReading) => CapturedFields;
}

/** A call that the integration of the process sees, while the middleware may see it too. */
interface Seen {
  /** The middleware recorded the call, or gave its parameters to `call`. */
  taken: boolean;
  /** Undefined where the middleware is expected to record the call. */
  call: OpenModelCall | undefined;
}

/** A call in progress. */
interface OpenModelCall {
  readonly recorded: RecordedCall;
  readonly reading: AnswerReading;
  readonly request: ModelRequest;
  readonly runId: string;
}

/** Calls of one audit. */
export class ModelCalls {
  readonly #settings: Settings;
  readonly #requests: ToolRequests;
  readonly #approvals: Approvals;
  readonly #seen = new AsyncLocalStorage<Seen>();

  constructor(settings: Settings, requests: ToolRequests, approvals: Approvals) {
    this.#settings = settings;
    this.#requests = requests;
    this.#approvals = approvals;
  }

  /** The middleware's call, with a whole answer. */
  async generate<R>(request: ModelRequest, execute: () => PromiseLike<R>): Promise<R> {
    if (this.#take(request)) return execute();
    return this.#answered(await this.#begin(request), execute);
  }

  /** The middleware's call, with a stream. */
  async stream<R extends { readonly stream: ReadableStream<unknown> }>(
    request: ModelRequest,
    execute: () => PromiseLike<R>,
  ): Promise<R> {
    if (this.#take(request)) return execute();
    const call = await this.#begin(request);
    const result = await this.#sent(call, execute);
    const observer = this.#observer(call, result);
    const stream = observed(result.stream.getReader(), observer);
    observer.watch(stream);
    return { ...result, stream };
  }

  /**
   * The integration's call. `expected`: a middleware of this audit is known to wrap such a model,
   * and it sees the parameters as they are sent.
   */
  async attempt<R>(
    request: ModelRequest,
    execute: () => PromiseLike<R>,
    expected: boolean,
  ): Promise<R> {
    const seen: Seen = { taken: false, call: undefined };
    if (!expected) seen.call = await this.#begin(request);
    const run = (): PromiseLike<R> => this.#seen.run(seen, execute);
    if (seen.call) return this.#either(seen.call, run);
    let result: R;
    try {
      result = await run();
    } catch (error) {
      if (!seen.taken) await this.#fail(await this.#begin(request), error);
      throw error;
    }
    if (seen.taken) return result;
    return this.#either(await this.#begin(request), async () => result);
  }

  /** Gives the call's own parameters to a call that the integration has begun. */
  #take(request: ModelRequest): boolean {
    const seen = this.#seen.getStore();
    if (seen === undefined || seen.taken) return false; // a fallback's second model
    seen.taken = true;
    if (seen.call === undefined) return false;
    seen.call.recorded.add(this.#settings.check.bounded(this.#fieldsOf(request)));
    return true;
  }

  async #either<R>(call: OpenModelCall, execute: () => PromiseLike<R>): Promise<R> {
    const result = await this.#sent(call, execute);
    const { stream } = fieldsOf(result);
    if (!(stream instanceof ReadableStream)) {
      await this.#end(call, result);
      return result;
    }
    call.recorded.add({ streamed: true });
    const observer = this.#observer(call, result);
    observer.watch(stream);
    observeInPlace(stream, observer);
    return result;
  }

  async #answered<R>(call: OpenModelCall, execute: () => PromiseLike<R>): Promise<R> {
    const result = await this.#sent(call, execute);
    await this.#end(call, result);
    return result;
  }

  /** The answer, or the error once its entry is written. */
  async #sent<R>(call: OpenModelCall, execute: () => PromiseLike<R>): Promise<R> {
    try {
      return await execute();
    } catch (error) {
      await this.#fail(call, error);
      throw error;
    }
  }

  #fieldsOf(request: ModelRequest): CapturedFields {
    const { operation, model, params, input, streamed } = request;
    const read = guarded("request", () => {
      const bounds = this.#settings.check.extract;
      const bounded = boundInput(snapshot(input), bounds);
      return mergeFields({ input: bounded.value, alerts: bounded.alerts }, parameterFields(params));
    });
    return mergeFields(
      { operation, input: "" },
      modelFields(model),
      streamed === true ? { streamed: true } : {},
      read,
    );
  }

  /** @throws `AuditWriteError` or `ContentBlockedError`: then nothing is sent */
  async #begin(request: ModelRequest): Promise<OpenModelCall> {
    const { recorder, check, codes } = this.#settings;
    await this.#approvals.inPrompt(request.params["prompt"]);
    const fields = this.#fieldsOf(request);
    const runId = randomUUID();
    const run = { ...request.run, id: runId };
    const reading = { codes, vendor: vendorOf(request.model) };
    let known: (() => CapturedFields) | undefined;
    const recorded = await recorder.begin(
      mergeFields(check.bounded(fields), { run }),
      () => known?.() ?? {},
    );
    const call = { recorded, reading, request, runId };
    this.#known.set(call, (read) => (known = read));
    if (!check.active) return call;
    const { found, blocked } = await check.run("input", fields, fields);
    if (blocked) return this.#refuse(call, found, blocked);
    recorded.add(found);
    return call;
  }

  /** Sets the reader of the fields known so far, for a logger that closes under a stream. */
  readonly #known = new WeakMap<OpenModelCall, (read: () => CapturedFields) => void>();

  async #refuse(
    call: OpenModelCall,
    fields: CapturedFields,
    blocked: ContentBlockedError,
  ): Promise<never> {
    await this.#write(call, { output: "", ...fields });
    throw blocked;
  }

  async #end(call: OpenModelCall, result: unknown): Promise<void> {
    const read = guarded("answer", () => {
      const fields = call.request.read(result, call.reading);
      return this.#bounded(fields);
    });
    await this.#endRead(call, mergeFields({ outcome: "ok" }, read), toolCallIdsIn(result));
    await this.#approvals.inAnswer(result, call.runId);
  }

  #bounded(fields: CapturedFields): CapturedFields {
    if (!("output" in fields)) return fields;
    const { value, alerts } = boundOutput(snapshot(fields.output), this.#settings.check.extract);
    return mergeFields(fields, { output: value, alerts });
  }

  async #endRead(
    call: OpenModelCall,
    fields: CapturedFields,
    toolCallIds: readonly string[],
  ): Promise<void> {
    const { check } = this.#settings;
    if (!check.active) return this.#write(call, fields, toolCallIds);
    const { model, operation } = call.request;
    const about = { ...modelFields(model), operation };
    const checked = await check.run("output", fields, about);
    if (checked.blocked) return this.#refuse(call, checked.fields, checked.blocked);
    return this.#write(call, checked.fields, toolCallIds);
  }

  async #fail(call: OpenModelCall, error: unknown, known: CapturedFields = {}): Promise<void> {
    const { reading, request } = call;
    const answered = "output" in known && known.output !== "";
    const read = guarded("error", () => failureFields(error, reading, answered));
    const fields = mergeFields({ output: "", outcome: "error" }, known, { outcome: "error" }, read);
    const end = brokenOff(error, request.params["abortSignal"]);
    const isBroken = fields.outcome === "error" || fields.outcome === "aborted";
    await this.#write(call, isBroken && end !== undefined ? { ...fields, outcome: end } : fields);
  }

  /** Fail-closed: resolves when the entry is durable. Fail-open: nobody waits for it. */
  async #write(
    call: OpenModelCall,
    fields: CapturedFields,
    toolCallIds: readonly string[] = [],
  ): Promise<void> {
    const written = call.recorded.end(fields);
    if (toolCallIds.length > 0) this.#requests.note(toolCallIds, call.runId, undefined);
    const note = async (): Promise<void> => {
      const id = await written;
      if (toolCallIds.length > 0) this.#requests.note(toolCallIds, call.runId, id);
    };
    const noted = note();
    if (this.#settings.recorder.failsClosed) await noted;
    else noted.catch(() => undefined); // reported by the recorder
  }

  #observer(call: OpenModelCall, result: unknown): StreamObserver {
    const { request, response } = fieldsOf(result);
    const { check } = this.#settings;
    const parts = new PartsCollector(call.reading, check.streamExtract.maxContentBytes, {
      request: fieldsOf(request),
      response: fieldsOf(response),
    });
    const answer = new GuardedCollector(parts);
    const collected = (): CapturedFields => this.#bounded(answer.result());
    this.#known.get(call)?.(() =>
      mergeFields(check.bounded(collected()), answer.terminal ? { outcome: "ok" } : {}),
    );
    const { recorded } = call;
    const watch = new ForgottenWatch(() => void recorded.abandon());
    return {
      watch: (stream) => watch.watch(stream),
      part: (part) => {
        const isFirst = !answer.firstContentSeen;
        answer.push(part);
        if (isFirst && answer.firstContentSeen)
          recorded.add({ timeToFirstTokenMs: recorded.elapsedMs });
      },
      finish: async () => {
        watch.stop();
        const read = collected();
        // Some providers end a stream that is broken off as if it were cut.
        const end = answer.terminal
          ? "ok"
          : brokenOff(undefined, call.request.params["abortSignal"]);
        const fields =
          end === undefined
            ? mergeFields({ outcome: "error" }, answer.unended, read)
            : mergeFields({ outcome: end }, read);
        await this.#endRead(call, fields, parts.toolCallIds);
      },
      fail: async (error) => {
        watch.stop();
        try {
          await this.#fail(call, error, collected());
          return error;
        } catch (unwritten) {
          return unwritten;
        }
      },
      stop: (reason) => {
        watch.stop();
        const read = check.bounded(collected());
        if (answer.terminal) return this.#write(call, mergeFields({ outcome: "ok" }, read));
        const outcome = brokenOff(reason, call.request.params["abortSignal"]) ?? "aborted";
        return this.#write(call, mergeFields(read, { outcome }));
      },
    };
  }
}

/**
 * How the caller broke the call off, if so. A stream that is broken off fails with an error whose
 * cause says it. The integration does not see the signal.
 */
function brokenOff(error: unknown, signal: unknown): "aborted" | "timeout" | undefined {
  const reasons = signal instanceof AbortSignal && signal.aborted ? [signal.reason] : [];
  const names = [...reasons, ...causesOf(error)].map((reason) => textOf(fieldsOf(reason)["name"]));
  if (names.includes("TimeoutError")) return "timeout";
  return reasons.length > 0 || names.includes("AbortError") ? "aborted" : undefined;
}
