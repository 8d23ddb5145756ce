// Streams of chunks with `choices`: chat completions and completions.
import {
  type CapturedFields,
  type Fields,
  LogprobsDigest,
  MergedDelta,
  StreamBudget,
  type StreamCollector,
  countOf,
  fieldsOf,
  isEmpty,
  isFields,
  mergeFields,
  providerErrorFields,
  snapshot,
  textOf,
} from "@ai-audit/core/capture";
import type { ExtractOptions } from "./contract.ts";

/** A choice as its chunks amount to it. */
export interface StreamedChoice extends Fields {
  readonly delta: Fields;
}

/** What differs between the two kinds of chunk. */
export interface ChoicesShape {
  readonly deltaOf: (choice: Fields) => unknown;
  readonly fieldsOf: (
    choices: readonly StreamedChoice[],
    body: Fields,
    options: ExtractOptions,
    digests: readonly LogprobsDigest[],
  ) => CapturedFields;
}

/** Collects chunks. Choices are told apart by their index; a chunk may lack `delta` (Azure) or have no choices. */
export class ChoicesCollector implements StreamCollector {
  readonly #options: ExtractOptions;
  readonly #shape: ChoicesShape;
  readonly #budget: StreamBudget;
  readonly #choices = new Map<number, ChoiceState>();
  /** The choice of the latest chunk: most streams have one, and a lookup for each chunk shows. */
  #latest: ChoiceState | undefined;
  readonly #envelope: Envelope = {};
  #error: unknown;
  firstContentSeen = false;

  constructor(options: ExtractOptions, shape: ChoicesShape) {
    this.#options = options;
    this.#shape = shape;
    this.#budget = new StreamBudget(options.maxContentBytes);
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
    // Around its choices, the last chunk that has a member decides. Names in full: a stream has thousands of chunks.
    const around = this.#envelope;
    around.id = later(around.id, chunk["id"]);
    around.model = later(around.model, chunk["model"]);
    around.usage = later(around.usage, chunk["usage"]);
    around.prompt_filter_results = later(
      around.prompt_filter_results,
      chunk["prompt_filter_results"],
    );
    around.moderation = later(around.moderation, chunk["moderation"]);
    around.system_fingerprint = later(around.system_fingerprint, chunk["system_fingerprint"]);
    around.service_tier = later(around.service_tier, chunk["service_tier"]);
    if (isFields(error)) this.#error = snapshot(error);
    if (Array.isArray(choices))
      for (const choice of choices as readonly unknown[]) this.#pushChoice(fieldsOf(choice));
  }

  result(): CapturedFields {
    const states = [...this.#choices].toSorted(([a], [b]) => a - b).map(([, state]) => state);
    const choices = states.map(({ finishReason, delta, filter, logprobs }) => ({
      finish_reason: finishReason,
      delta: delta.value(),
      content_filter_results: filter,
      logprobs: logprobs?.value(),
    }));
    const digests = states.flatMap(({ digest }) => digest ?? []);
    return mergeFields(
      this.#shape.fieldsOf(choices, { ...this.#envelope }, this.#options, digests),
      { alerts: this.#budget.alerts },
      this.#error === undefined
        ? {}
        : providerErrorFields(this.#error, { codes: this.#options.safetyCodes }),
    );
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
    };
    this.#choices.set(index, state);
    return state;
  }

  /** Azure's asynchronous filter judges piece by piece: what one piece triggered, a later one does not undo. */
  #mergeFilter(known: Record<string, unknown>, results: Fields): void {
    for (const [category, verdict] of Object.entries(results)) {
      const before = fieldsOf(known[category]);
      if (before["filtered"] === true) continue;
      if (before["detected"] === true && fieldsOf(verdict)["filtered"] !== true) continue;
      if (category in known || this.#budget.takeMember(category.length))
        known[category] = snapshot(verdict);
    }
  }
}

/** What is around the choices. */
interface Envelope {
  id?: unknown;
  model?: unknown;
  usage?: unknown;
  prompt_filter_results?: unknown;
  moderation?: unknown;
  system_fingerprint?: unknown;
  service_tier?: unknown;
}

function later(before: unknown, value: unknown): unknown {
  if (value === undefined || value === null || value === before) return before;
  return typeof value === "string" ? value : snapshot(value);
}

interface ChoiceState {
  readonly index: number;
  finishReason: string | undefined;
  readonly delta: MergedDelta;
  readonly filter: Record<string, unknown>;
  logprobs: MergedDelta | undefined;
  digest: LogprobsDigest | undefined;
}
