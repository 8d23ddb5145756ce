// A socket's protocol: its events begin calls, add to them, and end them.
import type { CapturedFields, Fields } from "@ai-audit/core/capture";
import type { SocketCall } from "./socket-calls.ts";

/** The fields that a request in the shape of `POST /responses` gives. */
export type RequestReader = (body: Fields) => CapturedFields;

/** The calls in the events of one kind of socket. */
export interface SocketProtocol {
  /** An event is about to be sent. Returns the call that it begins. */
  sent(event: Fields): SocketCall | undefined;
  /** An event has arrived. */
  received(event: Fields): void;
}
