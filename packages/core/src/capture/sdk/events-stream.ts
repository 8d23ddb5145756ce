// Streams that no surface expects: the events themselves, up to the limit.
import type { JsonValue } from "../../format/canonical.ts";
import { providerErrorFields } from "../error-fields.ts";
import { type CapturedFields, mergeFields } from "../fields.ts";
import { isFields } from "../payload/read.ts";
import { withoutSecrets } from "../payload/secrets.ts";
import { snapshot } from "../payload/snapshot.ts";
import { StreamBudget } from "../stream/accumulate.ts";
import type { StreamCollector } from "../stream/collector.ts";
import type { ExtractOptions } from "./surface.ts";
import { responseFields } from "./surface-fields.ts";

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
