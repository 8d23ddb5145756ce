// Streams that no surface expects: the events themselves, up to the limit.
import {
  type CapturedFields,
  type JsonValue,
  StreamBudget,
  type StreamCollector,
  isFields,
  mergeFields,
  providerErrorFields,
  snapshot,
  withoutSecrets,
} from "@ai-audit/core/capture";
import type { ExtractOptions } from "./contract.ts";
import { responseFields } from "./fields.ts";

/**
 * Collects events of any kind. The terminal event is unknown, so every end counts as good.
 */
export class EventCollector implements StreamCollector {
  readonly #options: ExtractOptions;
  readonly #budget: StreamBudget;
  readonly #events: JsonValue[] = [];
  #error: unknown;
  readonly terminal = true;
  firstContentSeen = false;

  constructor(options: ExtractOptions) {
    this.#options = options;
    this.#budget = new StreamBudget(options.maxContentBytes);
  }

  push(event: unknown): void {
    this.firstContentSeen = true;
    const copy = withoutSecrets(snapshot(event));
    if (isFields(copy) && isFields(copy["error"])) this.#error = copy["error"];
    if (this.#budget.takeMember(JSON.stringify(copy).length)) this.#events.push(copy);
  }

  result(): CapturedFields {
    return mergeFields(
      responseFields(this.#events, {}, this.#options),
      { alerts: this.#budget.alerts },
      this.#error === undefined
        ? {}
        : providerErrorFields(this.#error, { codes: this.#options.safetyCodes }),
    );
  }
}
