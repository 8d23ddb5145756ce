// The answer of a stream so far, for calls that end before their result.
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  countOf,
  defined,
  fieldsOf,
  isEmpty,
  isFields,
  listOf,
  textOf,
} from "@ai-audit/core/capture";
import { snapshot } from "./snapshot.ts";

interface PartialToolCall {
  id: string | undefined;
  name: string | undefined;
  args: string;
}

interface Candidate {
  text: string;
  readonly toolCalls: Map<unknown, PartialToolCall>;
}

/** Token counts in the pieces of a stream. LangChain adds them up, which suits not every host. */
export interface StreamedUsage {
  /** The provider's object in the last piece that has one. */
  readonly last: Fields | undefined;
  /** The largest count of output tokens that a piece has. */
  readonly maxOutputTokens: number | undefined;
}

/** Collects tokens; O(1) per token. Holds no more than the host itself keeps of the answer. */
export class PartialAnswer {
  readonly #candidates = new Map<number, Candidate>();
  #responseId: string | undefined;
  #firstMs: number | undefined;
  #lastMs: number | undefined;
  #unread = 0;
  #tokens = 0;
  #hasPieces = false;
  #usage: Fields | undefined;
  #maxOutputTokens: number | undefined;

  /**
   * Whether the answer came in pieces, even without content. Some hosts call back once for an
   * answer that came whole, without LangChain's object for a piece.
   */
  get streamed(): boolean {
    return this.#hasPieces || this.#tokens > 1;
  }

  /** Whether a token or an event came. */
  get begun(): boolean {
    return this.#lastMs !== undefined;
  }

  /** Token counts in the pieces. */
  get usage(): StreamedUsage {
    return { last: this.#usage, maxOutputTokens: this.#maxOutputTokens };
  }

  /** Milliseconds until the first content; undefined before. */
  get firstMs(): number | undefined {
    return this.#firstMs;
  }

  /**
   * A token of `handleLLMNewToken`; `chunk` is LangChain's object for it. `elapsedMs` since the
   * call began.
   */
  token(text: string, completion: number, chunk: unknown, elapsedMs: number): void {
    this.#read(() => this.#addToken(text, completion, chunk, elapsedMs));
  }

  /** An event of `handleChatModelStreamEvent`. */
  event(event: unknown, elapsedMs: number): void {
    this.#read(() => this.#addEvent(event, elapsedMs));
  }

  /** An unreadable piece must not throw into the stream's reader. */
  #read(add: () => void): void {
    try {
      add();
    } catch {
      this.#unread += 1; // named in the entry's alerts
    }
  }

  #addToken(text: string, completion: number, chunk: unknown, elapsedMs: number): void {
    const candidate = this.#candidate(completion);
    candidate.text += text;
    this.#tokens += 1;
    if (chunk !== undefined) this.#hasPieces = true;
    const message = fieldsOf(fieldsOf(chunk)["message"]);
    this.#noteUsage(message);
    const id = textOf(message["id"]);
    if (id !== undefined && !id.startsWith("run-")) this.#responseId ??= id;
    const pieces = listOf(message["tool_call_chunks"]);
    for (const piece of pieces) addToolCall(candidate, fieldsOf(piece));
    this.#note(elapsedMs, text !== "" || pieces.length > 0);
  }

  #noteUsage({ usage_metadata: figures, response_metadata: response }: Fields): void {
    const { usage } = fieldsOf(response);
    if (!isEmpty(usage)) this.#usage = fieldsOf(usage);
    const output = countOf(fieldsOf(figures)["output_tokens"]);
    if (output !== undefined && output > (this.#maxOutputTokens ?? -1))
      this.#maxOutputTokens = output;
  }

  #addEvent(event: unknown, elapsedMs: number): void {
    this.#hasPieces = true;
    const { event: kind, index, delta, content, id } = fieldsOf(event);
    const candidate = this.#candidate(0);
    if (kind === "message-start") this.#responseId ??= textOf(id);
    const { type, text, args, fields } = fieldsOf(delta);
    let said = false;
    if (type === "text-delta" && typeof text === "string") {
      candidate.text += text;
      said = text !== "";
    }
    if (type === "tool-call-delta" && typeof args === "string")
      addToolCall(candidate, { index, args });
    if (type === "block-delta" && typeof fieldsOf(fields)["args"] === "string")
      replaceArgs(candidate, index, fieldsOf(fields));
    if (kind === "content-block-start") {
      const block = fieldsOf(content);
      if (typeof block["name"] === "string") addToolCall(candidate, { index, ...block });
    }
    this.#note(elapsedMs, said || candidate.toolCalls.size > 0);
  }

  /** The fields of an entry for an answer that was cut here. */
  fields(): CapturedFields {
    const alerts =
      this.#unread > 0
        ? [`ai-audit: ${this.#unread} pieces of the stream could not be read`]
        : undefined;
    if (!this.begun) return defined({ alerts });
    return {
      ...defined({ alerts }),
      ...(this.streamed && { streamed: true }),
      ...defined({
        timeToFirstTokenMs: this.streamed ? this.#firstMs : undefined,
        responseId: this.#responseId,
      }),
      ...(this.#firstMs !== undefined && { output: this.#output() }),
    };
  }

  /** Time of the last event, in milliseconds since the call began; null when none came. */
  get lastMs(): number | null {
    return this.#lastMs ?? null;
  }

  #output(): JsonValue {
    const answers = [...this.#candidates.entries()]
      .toSorted(([a], [b]) => a - b)
      .map(([, candidate]) => describe(candidate));
    return answers.length === 1 ? (answers[0] ?? "") : answers;
  }

  #candidate(index: number): Candidate {
    let candidate = this.#candidates.get(index);
    if (!candidate) {
      candidate = { text: "", toolCalls: new Map() };
      this.#candidates.set(index, candidate);
    }
    return candidate;
  }

  #note(elapsedMs: number, hasContent: boolean): void {
    this.#lastMs = elapsedMs;
    if (hasContent) this.#firstMs ??= elapsedMs;
  }
}

function addToolCall({ toolCalls }: Candidate, piece: Fields): void {
  const key = piece["index"] ?? piece["id"] ?? toolCalls.size;
  const call = toolCalls.get(key) ?? { id: undefined, name: undefined, args: "" };
  call.id ??= textOf(piece["id"]);
  call.name ??= textOf(piece["name"]);
  if (typeof piece["args"] === "string") call.args += piece["args"];
  toolCalls.set(key, call);
}

function replaceArgs({ toolCalls }: Candidate, index: unknown, fields: Fields): void {
  const call = toolCalls.get(index);
  if (call && typeof fields["args"] === "string") call.args = fields["args"];
}

function describe({ text, toolCalls }: Candidate): JsonValue {
  if (toolCalls.size === 0) return text;
  const calls = [...toolCalls.values()].map((call) => snapshot(call, Infinity));
  return { role: "assistant", content: text, tool_calls: calls };
}

/** The partial answer that an abort error carries. */
export function partialOf(error: unknown): unknown {
  const { partialOutput } = fieldsOf(error);
  return isFields(partialOutput) ? partialOutput : undefined;
}
