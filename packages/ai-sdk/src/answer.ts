// Answers of models, whole and streamed, as fields of an entry. Over 300 lines: the whole answer
// and the stream give the same fields, and share their readers.
import {
  type CapturedFields,
  classifySafety,
  countOf,
  defined,
  type Fields,
  fieldsOf,
  firstText,
  GrowingText,
  isEmpty,
  isFields,
  type JsonValue,
  listOf,
  mergeFields,
  noAnswerFields,
  type SafetyCodes,
  snapshot,
  StreamBudget,
  type StreamCollector,
  textOf,
  thrownErrorFields,
  usageFields,
} from "@ai-audit/core/capture";
import { serverFields } from "./model-facts.ts";

/** What the reading of answers depends on. */
export interface AnswerReading {
  readonly codes: SafetyCodes;
  readonly vendor: string;
}

/** An answer, whole or put together, in the shape of the SDK's result. */
export interface Answer {
  readonly content: JsonValue;
  /** There is something in the content. */
  readonly answered: boolean;
  readonly finishReason: unknown;
  readonly usage: unknown;
  readonly providerMetadata: unknown;
  readonly response: Fields;
  readonly request: Fields;
}

/** The fields of a result of `doGenerate`. */
export function generatedFields(result: unknown, reading: AnswerReading): CapturedFields {
  const { content, finishReason, usage, providerMetadata, response, request } = fieldsOf(result);
  const parts = listOf(content);
  const answer = {
    content: contentOf(parts),
    answered: parts.length > 0,
    finishReason,
    usage,
    providerMetadata,
    response: fieldsOf(response),
    request: fieldsOf(request),
  };
  return mergeFields({ outcome: "ok" }, answerFields(answer, reading));
}

/** Text alone as a string, anything else as the list of its parts. */
function contentOf(parts: readonly unknown[]): JsonValue {
  const isText = parts.every((part) => {
    const { type, text, providerMetadata, ...rest } = fieldsOf(part);
    const isAlone = Object.values(rest).every(isEmpty) && isOnlyIds(providerMetadata);
    return type === "text" && typeof text === "string" && isAlone;
  });
  return isText ? parts.map((part) => fieldsOf(part)["text"]).join("") : snapshot(parts);
}

/** OpenAI's Responses API gives each part the id of its item, which says nothing of the content. */
function isOnlyIds(providerMetadata: unknown): boolean {
  return Object.values(fieldsOf(providerMetadata))
    .flatMap((noted) => Object.entries(fieldsOf(noted)))
    .every(([name, value]) => name === "itemId" || isEmpty(value));
}

/** The fields of an answer. Only a failure or a block has an outcome here. */
export function answerFields(answer: Answer, { codes, vendor }: AnswerReading): CapturedFields {
  const { unified, raw } = finishOf(answer.finishReason);
  const { response, request } = answer;
  const found = classifySafety(evidenceOf(answer, raw ?? unified, vendor), codes);
  const told =
    unified === "content-filter" && found.safetyPassed !== false
      ? mergeFields(found, classifySafety({ answers: [{ finishReason: unified }], vendor }, codes))
      : found;
  const reason = raw ?? unified;
  return mergeFields(
    {
      output: answer.content,
      responseId: textOf(response["id"]),
      responseModel: textOf(response["modelId"]),
      requestId: requestIdOf(response["headers"]),
      finishReasons: reason === undefined ? undefined : [reason],
    },
    serverFields(request["url"]),
    reportedUsage(answer.usage),
    failureOf(unified),
    told.outcome === undefined && !answer.answered && isOpen(unified) ? noAnswerFields(told) : told,
  );
}

/** Reasons that do not say that the model was done. */
function isOpen(unified: string | undefined): boolean {
  return unified === undefined || unified === "other" || unified === "unknown";
}

function failureOf(unified: string | undefined): CapturedFields {
  if (unified === "error")
    return {
      outcome: "error",
      error: { type: "provider_error", message: "the model stopped because of an error" },
    };
  if (unified === "interrupted")
    return {
      outcome: "error",
      error: { type: "TruncatedStream", message: "the stream ended without its terminal event" },
    };
  return {};
}

function finishOf(reason: unknown): { unified: string | undefined; raw: string | undefined } {
  if (typeof reason === "string") return { unified: reason, raw: undefined };
  const { unified, raw } = fieldsOf(reason);
  return { unified: textOf(unified), raw: textOf(raw) };
}

/** The provider's own body where the SDK passes it on; else its metadata beside the reason. */
function evidenceOf(
  answer: Answer,
  reason: string | undefined,
  vendor: string,
): { body: Fields; vendor: string } {
  const { body } = answer.response;
  if (isFields(body)) return { body, vendor };
  const members = Object.values(fieldsOf(answer.providerMetadata)).map(fieldsOf);
  const told: Fields = Object.assign({}, ...members);
  const isFallback = listOf(answer.content).some((part) => kindOf(part) === "anthropic.fallback");
  return {
    body: {
      ...told,
      ...(reason !== undefined && { finishReason: reason }),
      ...(isFallback && { content: [{ type: "fallback" }] }),
    },
    vendor,
  };
}

/** The kind of a part that only one provider has. */
function kindOf(part: unknown): unknown {
  const { type, kind } = fieldsOf(part);
  return type === "custom" ? kind : undefined;
}

/** Figures of the specifications v3 and v4; those of the provider that they leave out. */
export function reportedUsage(usage: unknown): CapturedFields {
  const { inputTokens, outputTokens, raw } = fieldsOf(usage);
  const input = fieldsOf(inputTokens);
  const output = fieldsOf(outputTokens);
  const known = usageFields(raw);
  // Providers' packages put 0 where the provider gives no figure.
  const counted = (count: number | undefined, own: unknown): number | undefined =>
    count === 0 && isFields(raw) && own === undefined ? undefined : count;
  const figure = (count: unknown, name: string): number | undefined =>
    counted(countOf(count), known.usage?.[name]);
  const total = counted(countOf(input["total"]) ?? countOf(inputTokens), known.inputTokens);
  const answered = counted(countOf(output["total"]) ?? countOf(outputTokens), known.outputTokens);
  if (total === undefined && answered === undefined) return known;
  const figures = defined({
    cachedInputTokens: figure(input["cacheRead"], "cachedInputTokens"),
    cacheCreationInputTokens: figure(input["cacheWrite"], "cacheCreationInputTokens"),
    reasoningOutputTokens: figure(output["reasoning"], "reasoningOutputTokens"),
  });
  return {
    inputTokens: total,
    outputTokens: answered,
    usage: { ...known.usage, ...figures, source: "reported" },
  };
}

const REQUEST_IDS = ["x-request-id", "request-id", "x-amzn-requestid", "apim-request-id"];

function requestIdOf(headers: unknown): string | undefined {
  const all = fieldsOf(headers);
  return firstText(...REQUEST_IDS.map((name) => all[name]));
}

/** Error of a call: one of the SDK's, or anything that was thrown. */
export function failureFields(
  thrown: unknown,
  { codes, vendor }: AnswerReading,
  answered?: boolean,
): CapturedFields {
  const { responseHeaders, url } = fieldsOf(thrown);
  return mergeFields(
    { requestId: requestIdOf(responseHeaders) },
    serverFields(url),
    thrownErrorFields(thrown, { codes, vendor, answered, typeOf: typeOfPart }),
  );
}

/** The type of an error that came as data, in an `error` part. */
function typeOfPart(error: unknown): string | undefined {
  return error instanceof Error ? undefined : textOf(fieldsOf(error)["type"]);
}

/** Text or reasoning that grows, and what is known of it besides. */
interface Growing {
  readonly type: "text" | "reasoning" | "tool-call";
  readonly id: string;
  readonly facts: Record<string, JsonValue>;
  /** The provider's word on the part, such as annotations and a signature: with any of its events. */
  providerMetadata: Record<string, JsonValue>;
  readonly text: GrowingText;
}

/** A stream of parts put together, in bounded memory. */
export class PartsCollector implements StreamCollector {
  readonly #reading: AnswerReading;
  readonly #budget: StreamBudget;
  readonly #parts: (Growing | { readonly whole: JsonValue })[] = [];
  readonly #open = new Map<string, Growing>();
  readonly #request: Fields;
  #response: Record<string, unknown>;
  /** The figures at the beginning: the only ones of a stream that is cut. */
  #begunUsage: unknown;
  #finish: Fields | undefined;
  #failure: CapturedFields | undefined;
  #failures = 0;
  firstContentSeen = false;

  constructor(
    reading: AnswerReading,
    maxContentBytes: number,
    result: { readonly request: Fields; readonly response: Fields },
  ) {
    this.#reading = reading;
    this.#budget = new StreamBudget(maxContentBytes);
    this.#request = result.request;
    this.#response = { ...result.response };
  }

  get terminal(): boolean {
    return this.#finish !== undefined;
  }

  /** Ids of the tool calls so far that the application runs. */
  readonly toolCallIds: string[] = [];

  push(event: unknown): void {
    const part = fieldsOf(event);
    const { type } = part;
    if (typeof type !== "string") return;
    const [kind, step] = stepOf(type);
    if (kind !== undefined) this.#grow(kind, step, part);
    else if (type === "finish") this.#finish = part;
    else if (type === "response-metadata") Object.assign(this.#response, defined(part));
    else if (type === "error") this.#fail(part["error"]);
    else if (kindOf(part) === "anthropic.message_start")
      this.#begunUsage = fieldsOf(fieldsOf(part["providerMetadata"])["anthropic"])["usage"];
    else if (!PASSING.has(type)) this.#keep(type, part);
  }

  #grow(kind: Growing["type"], step: string, part: Fields): void {
    const id = textOf(part["id"]) ?? "";
    const key = `${kind} ${id}`;
    const known = this.#open.get(key);
    const growing = known ?? (step === "end" ? undefined : this.#begin(kind, id, key, part));
    if (step === "end") this.#open.delete(key);
    if (growing) this.#note(growing, part["providerMetadata"]);
    const delta = textOf(part["delta"]);
    if (growing === undefined || delta === undefined) return;
    growing.text.push(delta);
    this.firstContentSeen = true;
  }

  #begin(kind: Growing["type"], id: string, key: string, part: Fields): Growing | undefined {
    if (!this.#budget.takeMember()) return undefined;
    const toolName = textOf(part["toolName"]);
    const facts = defined({ toolName });
    const text = new GrowingText(this.#budget);
    const growing = { type: kind, id, facts, providerMetadata: {}, text };
    this.#open.set(key, growing);
    this.#parts.push(growing);
    return growing;
  }

  #note(growing: Growing, providerMetadata: unknown): void {
    for (const [provider, noted] of Object.entries(fieldsOf(providerMetadata))) {
      const known = growing.providerMetadata[provider];
      const whole = snapshot({ ...fieldsOf(known), ...fieldsOf(noted) });
      if (this.#budget.takeText(JSON.stringify(whole).length - JSON.stringify(known ?? "").length))
        growing.providerMetadata[provider] = whole;
      else this.#budget.dropped += 1;
    }
  }

  /** A part that comes whole. A tool call takes the place of its deltas. */
  #keep(type: string, part: Fields): void {
    const whole = snapshot(part);
    const id = textOf(part["toolCallId"]);
    if (type === "tool-call") {
      const at = this.#parts.findIndex(
        (each) => "id" in each && each.type === "tool-call" && each.id === id,
      );
      const [before] = at < 0 ? [] : this.#parts.splice(at, 1);
      if (before && "text" in before) before.text.release();
      if (id !== undefined && part["providerExecuted"] !== true) this.toolCallIds.push(id);
    }
    this.firstContentSeen = true;
    if (this.#budget.takeMember() && this.#budget.takeText(JSON.stringify(whole).length))
      this.#parts.push({ whole });
    else this.#budget.dropped += 1;
  }

  #fail(error: unknown): void {
    this.#failures += 1;
    this.#failure ??= failureFields(error, this.#reading, this.firstContentSeen);
  }

  get unended(): CapturedFields {
    return (
      this.#failure ?? {
        error: { type: "TruncatedStream", message: "the stream ended without its terminal event" },
      }
    );
  }

  result(): CapturedFields {
    const content = this.#content();
    const { finishReason, usage, providerMetadata } = this.#finish ?? {};
    const answer = {
      content,
      answered: this.firstContentSeen,
      finishReason,
      usage,
      providerMetadata,
      response: this.#response,
      request: this.#request,
    };
    const ended =
      this.#finish === undefined ? this.#begun(content) : answerFields(answer, this.#reading);
    const read =
      ended.inputTokens === undefined ? { ...ended, ...usageFields(this.#begunUsage) } : ended;
    const more =
      this.#failures > 1 ? [`ai-audit: error parts in the stream: ${this.#failures}`] : [];
    return mergeFields(read, this.#failure ?? {}, { alerts: [...this.#budget.alerts, ...more] });
  }

  /** The fields of a stream without its `finish`. */
  #begun(content: JsonValue): CapturedFields {
    return {
      output: content,
      responseId: textOf(this.#response["id"]),
      responseModel: textOf(this.#response["modelId"]),
      requestId: requestIdOf(this.#response["headers"]),
      ...serverFields(this.#request["url"]),
    };
  }

  #content(): JsonValue {
    const kept = this.#parts.filter(
      (part) => "whole" in part || part.type !== "text" || !isBare(part),
    );
    if (kept.every((part) => "text" in part && part.type === "text" && isPlain(part))) {
      const texts = kept.flatMap((part) => ("text" in part ? [part.text.value()] : []));
      if (texts.every((text) => typeof text === "string")) return texts.join("");
      return texts.length === 1 ? (texts[0] ?? "") : texts.map((text) => ({ type: "text", text }));
    }
    return kept.map((part) => {
      if ("whole" in part) return part.whole;
      const { type, id, text } = part;
      const facts = {
        ...part.facts,
        ...(!isPlain(part) && { providerMetadata: part.providerMetadata }),
      };
      if (type === "tool-call") return { type, toolCallId: id, ...facts, input: text.value() };
      return { type, ...facts, text: text.value() };
    });
  }
}

function isPlain({ providerMetadata }: Growing): boolean {
  return isOnlyIds(providerMetadata);
}

/** A text part that got no text. */
function isBare(part: Growing): boolean {
  return part.text.value() === "";
}

const PASSING: ReadonlySet<string> = new Set(["stream-start", "raw", "ping"]);
const STEPS = /^(text|reasoning|tool-input)-(start|delta|end)$/;

function stepOf(type: string): [kind: Growing["type"] | undefined, step: string] {
  const [, kind, step = ""] = STEPS.exec(type) ?? [];
  if (kind === "tool-input") return ["tool-call", step];
  return [kind === "text" || kind === "reasoning" ? kind : undefined, step];
}
