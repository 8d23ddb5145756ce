// Streams of Responses events. The terminal event carries the whole response; before it, items add
// up from deltas.
import {
  type CapturedFields,
  type Fields,
  GrowingText,
  type JsonValue,
  StreamBudget,
  type StreamCollector,
  countOf,
  fieldsOf,
  isEmpty,
  isFields,
  listOf,
  mergeFields,
  providerErrorFields,
  snapshot,
  textOf,
} from "@ai-audit/core/capture";
import type { ExtractOptions } from "@ai-audit/core/sdk";
import { responseObjectFields } from "./response-object.ts";

const TERMINAL: ReadonlySet<string> = new Set([
  "response.completed",
  "response.incomplete",
  "response.failed",
  "response.cancelled",
]);

/** Collects Responses events, also those of a retrieved response that is streamed again. */
export class ResponsesCollector implements StreamCollector {
  readonly #options: ExtractOptions;
  readonly #budget: StreamBudget;
  readonly #items = new Map<number, ItemState>();
  /** The last response object, without its output. */
  #response: Fields = {};
  #final: CapturedFields | undefined;
  #error: unknown;
  firstContentSeen = false;

  constructor(options: ExtractOptions) {
    this.#options = options;
    this.#budget = new StreamBudget(options.maxContentBytes);
  }

  get terminal(): boolean {
    return this.#final !== undefined || this.#error !== undefined;
  }

  push(event: unknown): void {
    const fields = fieldsOf(event);
    const type = textOf(fields["type"]) ?? "";
    if (type.endsWith(".delta")) this.#pushDelta(type, fields);
    else if (type === "response.output_item.added") this.#pushItem(fields, false);
    else if (type === "response.output_item.done") this.#pushItem(fields, true);
    else if (type === "response.refusal.done") this.#pushRefusal(fields);
    else if (type === "response.output_text.annotation.added") this.#pushAnnotation(fields);
    else if (type === "error")
      this.#error = snapshot(isFields(fields["error"]) ? fields["error"] : fields);
    else if (isFields(fields["response"]))
      this.#pushResponse(fields["response"], TERMINAL.has(type));
  }

  result(): CapturedFields {
    const fields =
      this.#final ??
      responseObjectFields({ ...this.#response, output: this.#output() }, this.#options);
    return mergeFields(
      fields,
      { alerts: this.#budget.alerts },
      this.#error === undefined
        ? {}
        : providerErrorFields(this.#error, {
            codes: this.#options.safetyCodes,
            answered: this.firstContentSeen,
          }),
    );
  }

  #pushResponse(response: Fields, terminal: boolean): void {
    if (terminal) {
      // Some servers leave the output out of the last event: the earlier events then count.
      const output = listOf(response["output"]).length > 0 ? response["output"] : this.#output();
      this.#final = responseObjectFields({ ...response, output }, this.#options);
      this.#items.clear();
      return;
    }
    const { id, model, status, service_tier, content_filters } = response;
    this.#response = {
      id,
      model,
      status,
      service_tier,
      content_filters: snapshot(content_filters),
    };
  }

  #pushItem(event: Fields, done: boolean): void {
    const state = this.#itemOf(event);
    if (state === undefined) return;
    const item = snapshot(event["item"]);
    if (!this.#budget.takeMember(done ? 0 : JSON.stringify(item).length)) return;
    if (!done) {
      state.item = item;
      return;
    }
    this.firstContentSeen = true;
    const text = JSON.stringify(item);
    // The whole item stands for its deltas, unless there is no room for it: then they, or their
    // digests, stay.
    state.release();
    if (this.#budget.takeText(Buffer.byteLength(text))) {
      state.item = item;
      state.done = true;
    } else {
      const digest = new GrowingText(this.#budget);
      digest.push(text);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed JSON
      state.item = { type: fieldsOf(item)["type"] as JsonValue, item: digest.value() };
      state.done = true;
    }
  }

  #pushDelta(type: string, event: Fields): void {
    const { delta } = event;
    if (typeof delta !== "string") return;
    this.firstContentSeen ||= delta !== "";
    this.#itemOf(event)
      ?.textOf(partName(type), countOf(event["content_index"] ?? event["summary_index"]) ?? 0)
      ?.push(delta);
  }

  /** A refusal may come whole, without deltas. */
  #pushRefusal(event: Fields): void {
    const { refusal } = event;
    const state = this.#itemOf(event);
    const index = countOf(event["content_index"]) ?? 0;
    if (typeof refusal === "string" && state && !state.has("refusal", index))
      state.textOf("refusal", index)?.push(refusal);
  }

  #pushAnnotation(event: Fields): void {
    const annotation = snapshot(event["annotation"]);
    if (this.#budget.takeMember(JSON.stringify(annotation).length))
      this.#itemOf(event)?.annotate(countOf(event["content_index"]) ?? 0, annotation);
  }

  #itemOf(event: Fields): ItemState | undefined {
    const index = countOf(event["output_index"]) ?? 0;
    const known = this.#items.get(index);
    if (known !== undefined || !this.#budget.takeMember()) return known;
    const state = new ItemState(this.#budget);
    this.#items.set(index, state);
    return state;
  }

  #output(): readonly JsonValue[] {
    return [...this.#items].toSorted(([a], [b]) => a - b).map(([, state]) => state.value());
  }
}

/** `response.output_text.delta` → `output_text`. */
function partName(type: string): string {
  return type.slice("response.".length, -".delta".length);
}

/**
 * Member of a finished item with the content of these events; others are content parts of this
 * type.
 */
const MEMBERS: Readonly<Record<string, string>> = {
  function_call_arguments: "arguments",
  mcp_call_arguments: "arguments",
  code_interpreter_call_code: "code",
  custom_tool_call_input: "input",
};

/** An output item that is still arriving. */
class ItemState {
  readonly #budget: StreamBudget;
  readonly #texts = new Map<
    string,
    { readonly name: string; readonly index: number; readonly text: GrowingText }
  >();
  readonly #annotations = new Map<number, JsonValue[]>();
  item: JsonValue | undefined;
  done = false;

  constructor(budget: StreamBudget) {
    this.#budget = budget;
  }

  has(name: string, index: number): boolean {
    return this.#texts.has(`${name}.${index}`);
  }

  /** The text that such deltas belong to; undefined when there is no room for it. */
  textOf(name: string, index: number): GrowingText | undefined {
    const key = `${name}.${index}`;
    let part = this.#texts.get(key);
    if (part === undefined) {
      if (!this.#budget.takeMember(name.length)) return undefined;
      part = { name, index, text: new GrowingText(this.#budget) };
      this.#texts.set(key, part);
    }
    return part.text;
  }

  /** Adds an annotation of the text part with this index. */
  annotate(index: number, annotation: JsonValue): void {
    const known = this.#annotations.get(index);
    if (known) known.push(annotation);
    else this.#annotations.set(index, [annotation]);
  }

  /** Forgets the deltas. */
  release(): void {
    for (const { text } of this.#texts.values()) text.release();
    this.#texts.clear();
    this.#annotations.clear();
  }

  value(): JsonValue {
    if (this.done || this.#texts.size === 0) return this.item ?? null;
    const item: Record<string, JsonValue> = isFields(this.item)
      ? { ...(this.item as Record<string, JsonValue>) }
      : {};
    const content: JsonValue[] = [];
    const summary: JsonValue[] = [];
    for (const { name, index, text } of [...this.#texts.values()].toSorted(byIndex)) {
      const member = MEMBERS[name];
      if (member !== undefined) item[member] = text.value();
      else if (name === "reasoning_summary_text")
        summary.push({ type: "summary_text", text: text.value() });
      else if (name === "refusal") content.push({ type: "refusal", refusal: text.value() });
      else content.push({ type: name, text: text.value(), ...this.#annotationsOf(name, index) });
    }
    if (isEmpty(item["type"]) && content.length > 0) item["type"] = "message";
    return {
      ...item,
      ...(content.length > 0 && { content }),
      ...(summary.length > 0 && { summary }),
    };
  }

  #annotationsOf(name: string, index: number): { readonly [member: string]: JsonValue } {
    const annotations = name === "output_text" ? this.#annotations.get(index) : undefined;
    return annotations ? { annotations } : {};
  }
}

function byIndex(a: { readonly index: number }, b: { readonly index: number }): number {
  return a.index - b.index;
}
