// Streams of the Assistants API: `{ event, data }`, with messages as deltas and the run's state in
// between.
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  MergedDelta,
  StreamBudget,
  type StreamCollector,
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
import { runFields } from "./run-object.ts";

/** After these a run has no more events in this stream. */
const TERMINAL = /^thread\.run\.(?:completed|incomplete|failed|cancelled|expired|requires_action)$/;

/** Members of a run that are echoes of the request. */
const ECHOES = ["instructions", "tools", "metadata", "tool_choice", "response_format"];

/** Collects `thread.*` events: messages, calls of tools, the run's end. */
export class AssistantCollector implements StreamCollector {
  readonly #options: ExtractOptions;
  readonly #budget: StreamBudget;
  readonly #messages = new Map<string, MergedDelta>();
  #run: Fields = {};
  #error: unknown;
  terminal = false;
  firstContentSeen = false;

  constructor(options: ExtractOptions) {
    this.#options = options;
    this.#budget = new StreamBudget(options.maxContentBytes);
  }

  push(event: unknown): void {
    const { event: name, data } = fieldsOf(event);
    const fields = fieldsOf(data);
    if (typeof name !== "string") return;
    if (name === "thread.message.delta") {
      this.firstContentSeen = true;
      this.#messageOf(fields)?.merge(fieldsOf(fields["delta"]));
    } else if (name.startsWith("thread.run.") && !name.startsWith("thread.run.step.")) {
      this.#run = withoutEchoes(fields);
      this.terminal ||= TERMINAL.test(name);
      this.firstContentSeen ||= isFields(fields["required_action"]);
    } else if (name === "error") this.#error = snapshot(fields["error"] ?? data);
    else if (name === "thread.message.completed") this.#complete(fields);
  }

  result(): CapturedFields {
    return mergeFields(
      runFields(this.#run, this.#output(), this.#options),
      { alerts: this.#budget.alerts },
      this.#error === undefined
        ? {}
        : providerErrorFields(this.#error, { codes: this.#options.safetyCodes }),
    );
  }

  /** A message whose deltas were seen is complete already; some servers send it only whole. */
  #complete(message: Fields): void {
    if (this.#messages.has(textOf(message["id"]) ?? "")) return;
    const content = listOf(message["content"]).map((part, index) => ({ ...fieldsOf(part), index }));
    this.firstContentSeen = true;
    this.#messageOf(message)?.merge({ role: message["role"], content });
  }

  #messageOf(message: Fields): MergedDelta | undefined {
    const id = textOf(message["id"]) ?? "";
    const known = this.#messages.get(id);
    if (known !== undefined || !this.#budget.takeMember(id.length)) return known;
    const merged = new MergedDelta(this.#budget);
    this.#messages.set(id, merged);
    return merged;
  }

  /**
   * The text of a run whose answer is one text; its messages and the tools it wants called
   * otherwise.
   */
  #output(): JsonValue {
    const messages = [...this.#messages.values()].map((message) => message.value());
    const action = this.#run["required_action"];
    if (isFields(action))
      return snapshot({ ...(messages.length > 0 && { messages }), required_action: action });
    const [message, ...others] = messages;
    if (message === undefined) return "";
    const [part, ...more] = listOf(message["content"]);
    const { value, annotations } = fieldsOf(fieldsOf(part)["text"]);
    const sole = others.length + more.length === 0 && isEmpty(annotations) && value !== undefined;
    return sole ? snapshot(value) : messages;
  }
}

function withoutEchoes(run: Fields): Fields {
  return fieldsOf(
    snapshot(Object.fromEntries(Object.entries(run).filter(([name]) => !ECHOES.includes(name)))),
  );
}
