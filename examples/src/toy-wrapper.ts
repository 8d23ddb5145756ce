// A wrapper of an invented SDK, whole: start from here for a host of your own.
import { AuditLogger } from "@ai-audit/core";
import {
  CallRecorder,
  type CapturedFields,
  type CaptureOptions,
  classifySafety,
  fieldsOf,
  finishReasonOf,
  GrowingText,
  guarded,
  GuardedCollector,
  mergeFields,
  parametersOf,
  StreamBudget,
  type StreamCollector,
  textOf,
  thrownErrorFields,
  usageFields,
} from "@ai-audit/core/capture";
import {
  type ToyAnswer,
  ToyClient,
  ToyError,
  type ToyOptions,
  type ToyPart,
  type ToyRequest,
} from "./support/toy-sdk.ts";

/** Whose codes the provider's own are, where no table of the classifier lists them. */
const vendor = "toy";
const MAX_CONTENT_BYTES = 1024 * 1024;

/** The client's two methods. Each call leaves one entry, whatever becomes of it. */
export class AuditedToy {
  readonly #client: ToyClient;
  readonly #calls: CallRecorder;

  constructor(client: ToyClient, options: CaptureOptions) {
    this.#client = client;
    this.#calls = new CallRecorder(options);
  }

  async complete(request: ToyRequest, options?: ToyOptions): Promise<ToyAnswer> {
    const call = await this.#calls.begin(requestFields(request)); // rejects: nothing is sent
    let answer: ToyAnswer;
    try {
      answer = await this.#client.complete(request, options);
    } catch (thrown) {
      await call.end(thrownErrorFields(thrown, { vendor }));
      throw thrown;
    }
    const read = guarded("answer", () => ({ output: answer.text, ...answerFields(answer) }));
    await call.end(mergeFields({ outcome: "ok" }, read));
    return answer; // its entry is durable
  }

  async *stream(request: ToyRequest, options?: ToyOptions): AsyncGenerator<ToyPart, void> {
    const answer = new GuardedCollector(new ToyStream());
    const known = (): CapturedFields =>
      mergeFields(answer.terminal ? { outcome: "ok" } : {}, answer.result());
    const call = await this.#calls.begin({ ...requestFields(request), streamed: true }, known);
    let end: CapturedFields = { outcome: "aborted" }; // the reader leaves early
    try {
      for await (const part of this.#client.stream(request, options)) {
        const isFirst = !answer.firstContentSeen;
        answer.push(part);
        if (isFirst && answer.firstContentSeen) call.add({ timeToFirstTokenMs: call.elapsedMs });
        if (answer.terminal) end = {};
        yield part;
      }
      if (!answer.terminal) end = { outcome: "error", ...answer.unended };
    } catch (thrown) {
      end = thrownErrorFields(thrown, { answered: answer.firstContentSeen, vendor });
      throw thrown;
    } finally {
      await call.end(mergeFields(known(), end)); // rejects: so does the reader's loop
    }
  }
}

function requestFields(request: ToyRequest): CapturedFields {
  const { model, prompt } = request;
  const parameters = parametersOf({ ...request });
  return { provider: "toy", operation: "text_completion", model, input: prompt, parameters };
}

/** The fields of a whole answer, and of a stream's last part. Only a block has an outcome here. */
function answerFields(body: object): CapturedFields {
  const fields = fieldsOf(body);
  const finishReason = finishReasonOf(fields);
  return mergeFields(
    { responseId: textOf(fields["id"]) },
    finishReason === undefined ? {} : { finishReasons: [finishReason] },
    usageFields(fields["usage"]),
    classifySafety({ body, vendor }),
  );
}

/** A stream put together, in bounded memory. */
class ToyStream implements StreamCollector {
  readonly #text = new GrowingText(new StreamBudget(MAX_CONTENT_BYTES));
  #last: CapturedFields = {};
  terminal = false;
  firstContentSeen = false;

  push(event: unknown): void {
    const part = fieldsOf(event);
    const text = textOf(part["text"]);
    if (text !== undefined) {
      this.#text.push(text);
      this.firstContentSeen = true;
    }
    if (finishReasonOf(part) === undefined) return;
    this.terminal = true;
    this.#last = answerFields(part);
  }

  result(): CapturedFields {
    return { ...this.#last, ...(this.firstContentSeen && { output: this.#text.value() }) };
  }
}

if (process.argv[1] === import.meta.filename) {
  const logger = new AuditLogger("./audit-logs/toy", { storeContent: true });
  const request = { model: "toy-1", prompt: "What is the capital of France?" };
  const pieces = ["Paris", " is the capital", " of France."];

  const answering = new AuditedToy(new ToyClient({ pieces, stopReason: "end" }), { logger });
  console.log((await answering.complete(request)).text);

  const refusing = new AuditedToy(new ToyClient({ pieces: [], stopReason: "refusal" }), { logger });
  await refusing.complete(request);

  const failure = new ToyError(503, "overloaded", "try again");
  const breaking = new AuditedToy(new ToyClient({ pieces, failure }), { logger });
  try {
    for await (const part of breaking.stream(request)) if ("text" in part) console.log(part.text);
  } catch (error) {
    console.log(String(error));
  }

  for await (const { outcome, detectorsTriggered, outputContent } of logger.entries())
    console.log(outcome, detectorsTriggered, outputContent);
  await logger.close();
}
