// Streams of chunks with `choices`: chat completions and completions.
import type { CapturedFields } from "@ai-audit/core";
import { MergedDelta, StreamBudget } from "./accumulate.ts";
import { snapshot } from "../payload/snapshot.ts";
import type { ExtractOptions, StreamCollector } from "./contract.ts";
import { providerErrorFields } from "./errors.ts";
import { mergeFields } from "./fields.ts";
import { LogprobsDigest } from "./logprobs.ts";
import { type Fields, countOf, fieldsOf, isEmpty, isFields, textOf } from "../payload/read.ts";

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
    digests: readonly LogprobsDigest[],
  ) => CapturedFields;
}

/** Collects chunks. Choices are told apart by their index; a chunk may lack `delta` (Azure) or have no choices. */
export class ChoicesCollector implements StreamCollector {
  readonly #options: ExtractOptions;
  readonly #shape: ChoicesShape;
  readonly #budget: StreamBudget;
  readonly #choices = new Map<number, ChoiceState>();
  readonly #envelope: Record<string, unknown> = {};
  #error: unknown;
  firstContentSeen = false;

  constructor(options: ExtractOptions, shape: ChoicesShape) {
    this.#options = options;
    this.#shape = shape;
    this.#budget = new StreamBudget(options.maxContentBytes);
  }

  get terminal(): boolean {
    if (this.#choices.size === 0) return false;
    for (const { finishReason } of this.#choices.values()) if (finishReason === undefined) return false;
    return true;
  }

  push(event: unknown): void {
    const chunk = fieldsOf(event);
    const { choices, error } = chunk;
    // Around its choices, the last chunk that has a member decides. Names in full: a stream has thousands of chunks.
    this.#note("id", chunk["id"]);
    this.#note("model", chunk["model"]);
    this.#note("usage", chunk["usage"]);
    this.#note("prompt_filter_results", chunk["prompt_filter_results"]);
    this.#note("moderation", chunk["moderation"]);
    this.#note("system_fingerprint", chunk["system_fingerprint"]);
    this.#note("service_tier", chunk["service_tier"]);
    if (isFields(error)) this.#error = snapshot(error);
    if (Array.isArray(choices)) for (const choice of choices as readonly unknown[]) this.#pushChoice(fieldsOf(choice));
  }

  result(): CapturedFields {
    const states = [...this.#choices].toSorted(([a], [b]) => a - b).map(([, state]) => state);
    const choices = states.map(({ finishReason, delta, filter, logprobs }) => ({
      finish_reason: finishReason,
      delta: delta.value(),
      content_filter_results: filter,
      logprobs: logprobs.value(),
    }));
    const digests = states.map(({ digest }) => digest);
    return mergeFields(
      this.#shape.fieldsOf(choices, this.#envelope, digests),
      { alerts: this.#budget.alerts },
      this.#error === undefined ? {} : providerErrorFields(this.#error, this.#options.safetyCodes),
    );
  }

  #note(name: string, value: unknown): void {
    if (value === undefined || value === null || value === this.#envelope[name]) return;
    this.#envelope[name] = typeof value === "string" ? value : snapshot(value);
  }

  #pushChoice(choice: Fields): void {
    const state = this.#stateOf(countOf(choice["index"]) ?? 0);
    if (state === undefined) return;
    const delta = this.#shape.deltaOf(choice);
    if (isFields(delta)) {
      state.delta.merge(delta);
      if (!this.firstContentSeen)
        this.firstContentSeen = Object.entries(delta).some(([name, value]) => name !== "role" && !isEmpty(value));
    }
    state.finishReason = textOf(choice["finish_reason"]) ?? state.finishReason;
    const logprobs = choice["logprobs"];
    if (isFields(logprobs)) {
      if (this.#options.captureLogprobs) state.logprobs.merge(logprobs);
      else state.digest.push(logprobs);
    }
    const filter = choice["content_filter_results"];
    if (isFields(filter)) this.#mergeFilter(state.filter, filter);
  }

  #stateOf(index: number): ChoiceState | undefined {
    const known = this.#choices.get(index);
    if (known !== undefined || !this.#budget.takeMember()) return known;
    const state = {
      finishReason: undefined,
      delta: new MergedDelta(this.#budget),
      filter: {},
      logprobs: new MergedDelta(this.#budget),
      digest: new LogprobsDigest(),
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
      if (category in known || this.#budget.takeMember(category.length)) known[category] = snapshot(verdict);
    }
  }
}

interface ChoiceState {
  finishReason: string | undefined;
  readonly delta: MergedDelta;
  readonly filter: Record<string, unknown>;
  readonly logprobs: MergedDelta;
  readonly digest: LogprobsDigest;
}
