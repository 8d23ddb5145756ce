// Streams of a message: its blocks begin, grow by deltas, and end; usage is cumulative.
// https://docs.claude.com/en/docs/build-with-claude/streaming
import {
  type CapturedFields,
  countOf,
  type Fields,
  fieldsOf,
  GrowingText,
  isEmpty,
  isFields,
  type JsonValue,
  mergeFields,
  providerErrorFields,
  snapshot,
  StreamBudget,
  type StreamCollector,
  textOf,
} from "@ai-audit/core/capture";
import type { ExtractOptions } from "@ai-audit/core/sdk";
import { messageFields } from "./message.ts";

/** Collects the events of one message. */
export class MessageCollector implements StreamCollector {
  readonly #options: ExtractOptions;
  readonly #budget: StreamBudget;
  readonly #blocks = new Map<number, BlockState>();
  #message: Record<string, unknown> = {};
  #stopped = false;
  #error: unknown;
  firstContentSeen = false;

  constructor(options: ExtractOptions) {
    this.#options = options;
    this.#budget = new StreamBudget(options.maxContentBytes);
  }

  get terminal(): boolean {
    return this.#stopped || this.#error !== undefined;
  }

  push(event: unknown): void {
    const fields = fieldsOf(event);
    switch (fields["type"]) {
      case "message_start":
        this.#merge(fieldsOf(fields["message"]));
        break;
      case "content_block_start":
        this.#start(fields);
        break;
      case "content_block_delta":
        this.#delta(fields);
        break;
      case "message_delta": {
        const { type: _, delta, ...beside } = fields;
        this.#merge({ ...beside, ...fieldsOf(delta) });
        break;
      }
      case "message_stop":
        this.#stopped = true;
        break;
      case "error":
        this.#error = snapshot(isFields(fields["error"]) ? fields["error"] : fields);
        break;
      default:
      // `ping`, `content_block_stop`
    }
  }

  result(): CapturedFields {
    const content = [...this.#blocks]
      .toSorted(([a], [b]) => a - b)
      .map(([, block]) => block.value());
    return mergeFields(
      messageFields({ ...this.#message, content }, this.#options),
      { alerts: this.#budget.alerts },
      this.#error === undefined
        ? {}
        : providerErrorFields(this.#error, {
            codes: this.#options.safetyCodes,
            answered: this.firstContentSeen,
            vendor: "anthropic",
          }),
    );
  }

  /** Later members win; figures of the usage that a later event leaves out stay. */
  #merge({ usage, ...members }: Fields): void {
    const copy = fieldsOf(snapshot({ ...members, content: undefined }));
    if (!this.#budget.takeMember(JSON.stringify(copy).length)) return;
    for (const [name, value] of Object.entries(copy))
      if (!isEmpty(value)) this.#message[name] = value;
    const stated = Object.entries(fieldsOf(snapshot(usage))).filter(([, value]) => value !== null);
    if (stated.length > 0)
      this.#message["usage"] = {
        ...fieldsOf(this.#message["usage"]),
        ...Object.fromEntries(stated),
      };
  }

  #start(event: Fields): void {
    const block = fieldsOf(event["content_block"]);
    const index = countOf(event["index"]) ?? this.#blocks.size;
    if (!this.#budget.takeMember()) return;
    const state = new BlockState(block, this.#budget);
    this.#blocks.set(index, state);
    this.firstContentSeen ||= !state.isShell;
  }

  #delta(event: Fields): void {
    const index = countOf(event["index"]) ?? 0;
    let state = this.#blocks.get(index);
    if (state === undefined) {
      // Some gateways leave the beginning out.
      if (!this.#budget.takeMember()) return;
      state = new BlockState({}, this.#budget);
      this.#blocks.set(index, state);
    }
    this.firstContentSeen = true;
    state.push(fieldsOf(event["delta"]));
  }
}

/** Deltas with text, by type: the member that holds it, and the type of a block that begins so. */
const TEXTS: Readonly<Record<string, readonly [member: string, block: string]>> = {
  text_delta: ["text", "text"],
  thinking_delta: ["thinking", "thinking"],
  signature_delta: ["signature", "thinking"],
  input_json_delta: ["partial_json", "tool_use"],
};

/** A content block that is still arriving. */
class BlockState {
  readonly #budget: StreamBudget;
  /** The block as it began, without the members that grow; its digest where it had no room. */
  readonly #begun: Readonly<Record<string, JsonValue>>;
  readonly #texts = new Map<string, GrowingText>();
  readonly #citations: JsonValue[] = [];
  #rest: Readonly<Record<string, JsonValue>> = {};
  #type: string | undefined;

  constructor(block: Fields, budget: StreamBudget) {
    this.#budget = budget;
    const { text, thinking, signature, ...rest } = block;
    for (const [name, value] of Object.entries({ text, thinking, signature }))
      if (typeof value === "string" && value !== "") this.#grow(name, value);
    this.#begun = this.#kept(rest);
  }

  /** It has begun without content. */
  get isShell(): boolean {
    const { type, ...members } = this.#begun;
    return this.#texts.size === 0 && (type === "text" || type === "thinking" || isEmpty(members));
  }

  push(delta: Fields): void {
    const type = textOf(delta["type"]) ?? "";
    const known = TEXTS[type];
    if (known) {
      const [member, block] = known;
      this.#type ??= block;
      const piece = delta[member];
      if (typeof piece === "string") this.#grow(member, piece);
    } else if (type === "citations_delta") {
      const citation = snapshot(delta["citation"]);
      if (this.#budget.takeMember(JSON.stringify(citation).length)) this.#citations.push(citation);
    } else {
      const { type: _, ...members } = delta;
      this.#rest = { ...this.#rest, ...this.#kept(members) };
    }
  }

  value(): JsonValue {
    const { partial_json: json, ...texts } = Object.fromEntries(
      [...this.#texts].map(([name, text]) => [name, text.value()]),
    );
    return {
      ...(this.#type !== undefined && { type: this.#type }),
      ...this.#begun,
      ...texts,
      ...(json !== undefined && inputOf(json)),
      ...(this.#citations.length > 0 && { citations: this.#citations }),
      ...this.#rest,
    };
  }

  #grow(member: string, piece: string): void {
    const known = this.#texts.get(member);
    if (known) return known.push(piece);
    if (!this.#budget.takeMember(member.length)) return;
    const text = new GrowingText(this.#budget);
    text.push(piece);
    this.#texts.set(member, text);
  }

  /** Results of the provider's tools come whole, and may be large. */
  #kept(members: Fields): Readonly<Record<string, JsonValue>> {
    const copy = snapshot(members);
    const text = JSON.stringify(copy);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a snapshot of an object
    if (this.#budget.takeText(Buffer.byteLength(text))) return copy as Record<string, JsonValue>;
    const digest = new GrowingText(this.#budget);
    digest.push(text);
    const type = textOf(members["type"]);
    return { ...(type !== undefined && { type }), block: digest.value() };
  }
}

/** A tool call's arguments; the text as it came, where the stream was cut within them. */
function inputOf(json: JsonValue): Readonly<Record<string, JsonValue>> {
  if (typeof json !== "string") return { input: json };
  try {
    return { input: snapshot(JSON.parse(json === "" ? "{}" : json)) };
  } catch {
    return { partial_json: json };
  }
}
