// Streams of chunks with `choices`: chat completions and completions.
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  LogprobsDigest,
  MergedDelta,
  NO_FINISH_REASON,
  StreamBudget,
  type StreamCollector,
  countOf,
  defined,
  fieldsOf,
  isEmpty,
  isFields,
  mergeFields,
  noAnswerFields,
  providerErrorFields,
  snapshot,
  textOf,
} from "@ai-audit/core/capture";
import type { ExtractOptions } from "@ai-audit/core/sdk";

/** A choice joined from its chunks. */
export interface StreamedChoice extends Fields {
  readonly delta: Fields;
}

/** The differences between the two kinds of chunk. */
export interface ChoicesShape {
  readonly deltaOf: (choice: Fields) => unknown;
  readonly fieldsOf: (
    choices: readonly StreamedChoice[],
    body: Fields,
    options: ExtractOptions,
    digests: readonly LogprobsDigest[],
  ) => CapturedFields;
}

/**
 * Collects chunks. Choices are distinguished by their index; a chunk may lack `delta` (Azure) or
 * have no choices.
 */
export class ChoicesCollector implements StreamCollector {
  readonly #options: ExtractOptions;
  readonly #shape: ChoicesShape;
  readonly #budget: StreamBudget;
  readonly #choices = new Map<number, ChoiceState>();
  /**
   * The choice of the latest chunk: most streams have one, and a lookup for each chunk is
   * measurable.
   */
  #latest: ChoiceState | undefined;
  readonly #envelope: Envelope = {
    id: undefined,
    model: undefined,
    system_fingerprint: undefined,
    service_tier: undefined,
    usage: undefined,
  };
  /** Members of chunks that are a host's own, and verdicts about the prompt. */
  readonly #members: Record<string, unknown> = {};
  #error: unknown;
  firstContentSeen = false;

  constructor(options: ExtractOptions, shape: ChoicesShape) {
    this.#options = options;
    this.#shape = shape;
    this.#budget = new StreamBudget(options.maxContentBytes);
  }

  /**
   * `[DONE]` is not seen here: a host that sends no finish reason may have sent the whole answer.
   */
  get unended(): CapturedFields {
    return this.#choices.size === 0
      ? noAnswerFields({})
      : {
          error: NO_FINISH_REASON,
        };
  }

  get terminal(): boolean {
    if (this.#choices.size === 0) return false;
    for (const { finishReason } of this.#choices.values())
      if (finishReason === undefined) return false;
    return true;
  }

  push(event: unknown): void {
    const chunk = fieldsOf(event);
    const { choices, error } = chunk;
    // Around its choices, the last chunk that has a member decides. A switch, since a stream has
    // thousands of chunks: a look-up for each member of each of them would be measurable.
    const around = this.#envelope;
    for (const name in chunk) {
      switch (name) {
        case "choices":
        case "created":
        case "error":
        case "object":
        case "obfuscation":
          break;
        case "id":
          around.id = later(around.id, chunk[name]);
          break;
        case "model":
          around.model = later(around.model, chunk[name]);
          break;
        case "system_fingerprint":
          around.system_fingerprint = later(around.system_fingerprint, chunk[name]);
          break;
        case "service_tier":
          around.service_tier = later(around.service_tier, chunk[name]);
          break;
        case "usage":
          around.usage = later(around.usage, chunk[name]);
          break;
        case "x_groq":
          around.usage = later(around.usage, fieldsOf(chunk[name])["usage"]);
          break;
        default:
          this.#keepMember(name, chunk[name]);
      }
    }
    if (isFields(error)) this.#error = snapshot(error);
    if (Array.isArray(choices))
      for (const choice of choices as readonly unknown[]) this.#pushChoice(fieldsOf(choice));
  }

  result(): CapturedFields {
    const states = [...this.#choices].toSorted(([a], [b]) => a - b).map(([, state]) => state);
    const choices = states.map(({ finishReason, delta, filter, logprobs, usage, error }) => ({
      finish_reason: finishReason,
      usage,
      error,
      delta: delta.value(),
      content_filter_results: filter,
      logprobs: logprobs?.value(),
    }));
    const digests = states.flatMap(({ digest }) => digest ?? []);
    return mergeFields(
      this.#shape.fieldsOf(
        choices,
        { ...defined(this.#envelope), ...this.#members },
        this.#options,
        digests,
      ),
      { alerts: this.#budget.alerts },
      this.#error === undefined
        ? {}
        : providerErrorFields(this.#error, {
            codes: this.#options.safetyCodes,
            answered: this.firstContentSeen,
          }),
    );
  }

  #keepMember(name: string, value: unknown): void {
    const before = this.#members[name];
    const next = later(before, value);
    if (next === before) return;
    if (before === undefined && !this.#budget.takeMember(sizeOf(next))) return;
    this.#members[name] = next;
  }

  #pushChoice(choice: Fields): void {
    const state = this.#stateOf(countOf(choice["index"]) ?? 0);
    if (state === undefined) return;
    const delta = this.#shape.deltaOf(choice);
    if (isFields(delta)) {
      state.delta.merge(delta);
      if (!this.firstContentSeen)
        this.firstContentSeen = Object.entries(delta).some(
          ([name, value]) => name !== "role" && !isEmpty(value),
        );
    }
    state.finishReason = textOf(choice["finish_reason"]) ?? state.finishReason;
    if (isFields(choice["usage"])) state.usage = snapshot(choice["usage"]);
    if (isFields(choice["error"])) state.error = snapshot(choice["error"]);
    const logprobs = choice["logprobs"];
    if (isFields(logprobs)) {
      if (this.#options.captureLogprobs)
        (state.logprobs ??= new MergedDelta(this.#budget)).merge(logprobs);
      else (state.digest ??= new LogprobsDigest()).push(logprobs);
    }
    const filter = choice["content_filter_results"];
    if (isFields(filter)) this.#mergeFilter(state.filter, filter);
  }

  #stateOf(index: number): ChoiceState | undefined {
    if (this.#latest?.index === index) return this.#latest;
    this.#latest = this.#choices.get(index) ?? this.#newState(index);
    return this.#latest;
  }

  #newState(index: number): ChoiceState | undefined {
    if (!this.#budget.takeMember()) return undefined;
    const delta = new MergedDelta(this.#budget);
    const state: ChoiceState = {
      index,
      delta,
      finishReason: undefined,
      filter: {},
      logprobs: undefined,
      digest: undefined,
      usage: undefined,
      error: undefined,
    };
    this.#choices.set(index, state);
    return state;
  }

  /**
   * Azure's asynchronous filter judges piece by piece: the strictest verdict of a category stays.
   */
  #mergeFilter(known: Record<string, unknown>, results: Fields): void {
    for (const [category, verdict] of Object.entries(results)) {
      if (strictness(known[category]) > strictness(verdict)) continue;
      if (category in known || this.#budget.takeMember(category.length))
        known[category] = snapshot(verdict);
    }
  }
}

const SEVERITIES: readonly unknown[] = ["safe", "low", "medium", "high"];

/** Orders verdicts: filtered, then detected, then by severity. */
function strictness(verdict: unknown): number {
  if (Array.isArray(verdict)) return Math.max(-1, ...verdict.map(strictness));
  const { filtered, detected, severity } = fieldsOf(verdict);
  if (filtered === true) return 200;
  return (detected === true ? 100 : 0) + SEVERITIES.indexOf(severity);
}

/** Around the choices of most hosts. */
interface Envelope {
  id: unknown;
  model: unknown;
  system_fingerprint: unknown;
  service_tier: unknown;
  usage: unknown;
}

function sizeOf(value: unknown): number {
  return typeof value === "object" ? JSON.stringify(value).length : 0;
}

function later(before: unknown, value: unknown): unknown {
  // Azure's asynchronous filter sends chunks with an empty id and model.
  if (value === undefined || value === null || value === "" || value === before) return before;
  return typeof value === "string" ? value : snapshot(value);
}

interface ChoiceState {
  readonly index: number;
  finishReason: string | undefined;
  readonly delta: MergedDelta;
  readonly filter: Record<string, unknown>;
  logprobs: MergedDelta | undefined;
  digest: LogprobsDigest | undefined;
  usage: JsonValue | undefined;
  error: JsonValue | undefined;
}
