// Events of the Responses API over WebSocket. A socket may have several lanes (`stream_id`), each
// with one response at a time.
import { type Fields, fieldsOf, pick, textOf } from "@ai-audit/core/capture";
import type { SocketCall, SocketCalls } from "./socket-calls.ts";
import type { RequestReader, SocketProtocol } from "./protocol.ts";

/** Begins a call with each `response.create`, and ends it with the response's last event. */
export class ResponsesSocket implements SocketProtocol {
  readonly #calls: SocketCalls;
  readonly #read: RequestReader;

  constructor(calls: SocketCalls, read: RequestReader) {
    this.#calls = calls;
    this.#read = read;
  }

  sent(event: Fields): SocketCall | undefined {
    const lane = textOf(event["stream_id"]);
    if (event["type"] === "response.steer") this.#callOf(lane)?.steer(event["input"]);
    if (event["type"] !== "response.create") return undefined;
    const { type: _type, stream_id: _lane, ...body } = event;
    return this.#calls.begin(this.#read(body), lane);
  }

  received(event: Fields): void {
    const lane = textOf(event["stream_id"]);
    const { type } = event;
    const isNew = type === "response.created" && this.#callOf(lane) === undefined;
    // A response may follow another one without a request of its own.
    const call = isNew ? this.#follow(event, lane) : this.#callOf(lane);
    call?.push(event);
    if (call?.terminal) this.#calls.end(call);
  }

  #follow(event: Fields, lane: string | undefined): SocketCall {
    const said = pick(fieldsOf(event["response"]), [
      "instructions",
      "model",
      "previous_response_id",
      "tools",
    ]);
    return this.#calls.begin(this.#read(said), lane);
  }

  #callOf(lane: string | undefined): SocketCall | undefined {
    return this.#calls.open().find(({ key }) => key === lane);
  }
}
