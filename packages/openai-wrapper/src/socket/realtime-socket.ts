// Events of the Realtime API. Items and audio gather between responses; the server begins responses
// by itself when it hears that a person has stopped speaking.
import {
  Base64Digest,
  type CapturedFields,
  type Fields,
  fieldsOf,
  type JsonValue,
  listOf,
  pick,
  snapshot,
  textOf,
} from "@ai-audit/core/capture";
import type { RequestReader, SocketProtocol } from "./protocol.ts";
import type { SocketCall, SocketCalls } from "./socket-calls.ts";

/** Members of a session that the model sees, or that control its answers. */
const SEEN = [
  "instructions",
  "max_output_tokens",
  "model",
  "prompt",
  "reasoning",
  "temperature",
  "tool_choice",
  "tools",
];

/** Items beyond this many are counted only. A conversation of one response has a few. */
const MAX_ITEMS = 1000;

/** Begins a call with each response, asked for or not, and ends it with `response.done`. */
export class RealtimeSocket implements SocketProtocol {
  readonly #calls: SocketCalls;
  readonly #read: RequestReader;
  /** The model in the socket's address; the session names the one that serves it. */
  readonly #model: string | null;
  #session: Fields = {};
  /** The input since the last response began. */
  #items: JsonValue[] = [];
  #audio: Base64Digest | undefined;
  /** Items and options of the calls that wait for their response. */
  readonly #asked = new WeakMap<SocketCall, Fields>();
  /** Audio of the model, by the call. */
  readonly #spoken = new WeakMap<SocketCall, Base64Digest>();

  constructor(calls: SocketCalls, read: RequestReader, model: string | null) {
    this.#calls = calls;
    this.#read = read;
    this.#model = model;
  }

  sent(event: Fields): SocketCall | undefined {
    switch (event["type"]) {
      case "conversation.item.create":
        this.#add(snapshot(event["item"]));
        return undefined;
      case "input_audio_buffer.append":
        this.#audio ??= new Base64Digest();
        this.#audio.push(textOf(event["audio"]) ?? "");
        return undefined;
      case "input_audio_buffer.clear":
        this.#audio = undefined;
        return undefined;
      case "response.create":
        return this.#begin(fieldsOf(event["response"]), askedAs(event["event_id"]));
      default:
        return undefined;
    }
  }

  received(event: Fields): void {
    const response = fieldsOf(event["response"]);
    switch (event["type"]) {
      case "session.created":
      case "session.updated":
        this.#session = { ...this.#session, ...fieldsOf(event["session"]) };
        break;
      case "input_audio_buffer.committed":
        this.#add(
          snapshot({ type: "input_audio", id: event["item_id"], ...this.#audio?.digest() }),
        );
        this.#audio = undefined;
        break;
      case "conversation.item.input_audio_transcription.completed":
        this.#add(snapshot(pick(event, ["item_id", "transcript"])));
        break;
      case "response.created":
        this.#bind(textOf(response["id"])).push(event);
        break;
      case "response.done":
        this.#end(response);
        break;
      case "error":
        this.#fail(event);
        break;
      default:
        this.#heard(event);
    }
  }

  #add(item: JsonValue): void {
    if (this.#items.length < MAX_ITEMS) this.#items.push(item);
  }

  #begin(asked: Fields, key: string | undefined): SocketCall {
    const said = { ...pick(asked, SEEN), input: [...this.#items, ...listOf(asked["input"])] };
    this.#items = [];
    const call = this.#calls.begin(this.#request(said), key);
    this.#asked.set(call, said);
    return call;
  }

  /** The model's input: the items, with the present session. */
  #request(said: Fields): CapturedFields {
    const model = this.#model ?? this.#session["model"];
    const body = { ...pick(this.#session, SEEN), model, ...said };
    return { ...this.#read(body), operation: "realtime" };
  }

  /** The oldest call that was asked for and has no response yet, else a new one. */
  #bind(id: string | undefined): SocketCall {
    const asked = this.#calls.open().find(({ key }) => isAsked(key));
    const call = asked ?? this.#begin({}, id);
    call.key = id;
    // A client may send before the session is known.
    call.requested(this.#request(this.#asked.get(call) ?? {}));
    const session = textOf(this.#session["id"]);
    if (session !== undefined) call.metadata["session_id"] = session;
    return call;
  }

  #heard(event: Fields): void {
    const { type, delta, response_id: id } = event;
    const call = this.#callOf(id);
    if (call === undefined) return;
    if (!/^response\.(?:output_)?audio\.delta$/.test(String(type))) return call.push(event);
    const spoken = this.#spoken.get(call) ?? new Base64Digest();
    this.#spoken.set(call, spoken);
    spoken.push(textOf(delta) ?? "");
    call.heard(true);
  }

  #end(response: Fields): void {
    const call = this.#callOf(response["id"]) ?? this.#bind(textOf(response["id"]));
    call.push({ type: "response.completed", response: asResponse(response, this.#session) });
    const spoken = this.#spoken.get(call)?.digest();
    const said = { conversation_id: textOf(response["conversation_id"]) ?? null };
    const audio = spoken && { output_audio: snapshot(spoken) };
    this.#calls.end(call, { metadata: { ...said, ...audio } });
  }

  /** An error is about a call when it names the call's request, or when one waits for an answer. */
  #fail(event: Fields): void {
    const about = askedAs(fieldsOf(event["error"])["event_id"]);
    const waiting = this.#calls.open().find(({ key }) => key === about);
    if (waiting === undefined) return;
    waiting.push(event);
    this.#calls.end(waiting);
  }

  #callOf(id: unknown): SocketCall | undefined {
    return typeof id === "string" ? this.#calls.open().find(({ key }) => key === id) : undefined;
  }
}

/** The key of a call without a response: ids of events are the caller's, and may look like others. */
function askedAs(eventId: unknown): string {
  return `asked ${textOf(eventId) ?? ""}`;
}

function isAsked(key: string | undefined): boolean {
  return key?.startsWith("asked ") === true;
}

/** A response of this API in the shape of `POST /responses`. */
function asResponse(response: Fields, { model }: Fields): Fields {
  const { status_details: details } = response;
  const { reason, error } = fieldsOf(details);
  return {
    ...pick(response, ["id", "output", "status", "usage"]),
    model,
    incomplete_details: { reason },
    error,
  };
}
