// An invented SDK of an invented provider, for toy-wrapper.ts. It answers by a script.

export interface ToyRequest {
  readonly model: string;
  readonly prompt: string;
  readonly temperature?: number;
}

export interface ToyUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
}

export interface ToyAnswer {
  readonly id: string;
  readonly text: string;
  /** `end`, or why a filter stopped the answer: `refusal`, `content_filter`. */
  readonly stop_reason: string;
  readonly usage: ToyUsage;
}

/** A piece of text, or the last part of a stream. */
export type ToyPart = { readonly text: string } | Omit<ToyAnswer, "text">;

export interface ToyOptions {
  readonly signal?: AbortSignal;
}

/** The provider's answer. */
export interface ToyScript {
  readonly pieces: readonly string[];
  /** Absent: a stream ends without its last part. */
  readonly stopReason?: string;
  /** Thrown behind the pieces of a stream, and in place of a whole answer. */
  readonly failure?: Error;
}

/** An answer with an HTTP status that is not 200. */
export class ToyError extends Error {
  override readonly name = "ToyError";
  readonly status: number;
  readonly request_id = "req_toy";
  /** The body's error. */
  readonly error: { readonly code: string; readonly message: string };

  constructor(status: number, code: string, message: string) {
    super(`${status} ${message}`);
    this.status = status;
    this.error = { code, message };
  }
}

export class ToyClient {
  readonly #script: ToyScript;
  /** Requests that reached the provider. */
  sent = 0;

  constructor(script: ToyScript) {
    this.#script = script;
  }

  async complete(request: ToyRequest, { signal }: ToyOptions = {}): Promise<ToyAnswer> {
    signal?.throwIfAborted();
    this.sent += 1;
    const { pieces, stopReason = "end", failure } = this.#script;
    if (failure) throw failure;
    return { text: pieces.join(""), ...lastPart(request, pieces, stopReason) };
  }

  /** Sends the request when the first part is asked for. */
  async *stream(request: ToyRequest, { signal }: ToyOptions = {}): AsyncGenerator<ToyPart, void> {
    signal?.throwIfAborted();
    this.sent += 1;
    const { pieces, stopReason, failure } = this.#script;
    for (const text of pieces) {
      yield { text };
      signal?.throwIfAborted();
    }
    if (failure) throw failure;
    if (stopReason !== undefined) yield lastPart(request, pieces, stopReason);
  }
}

function lastPart(
  { prompt }: ToyRequest,
  pieces: readonly string[],
  stopReason: string,
): Omit<ToyAnswer, "text"> {
  const usage = { input_tokens: prompt.split(" ").length, output_tokens: pieces.length };
  return { id: "toy_1", stop_reason: stopReason, usage };
}
