// auditSocket: entries for the responses on a WebSocket of openai's. Its events are seen as they
// pass: those that the SDK gives to the transport, and those that it gives to listeners.
import { AuditConfigError } from "@ai-audit/core";
import { type Fields, fieldsOf, isFields, thrownErrorFields } from "@ai-audit/core/capture";
import { type AuditSettings, resolveAudit } from "@ai-audit/core/sdk";
import { openai } from "../host.ts";
import type { Audit } from "../options.ts";
import { surfaceOf } from "../surface.ts";
import { noteAudited } from "./opened.ts";
import type { RequestReader, SocketProtocol } from "./protocol.ts";
import { RealtimeSocket } from "./realtime-socket.ts";
import { ResponsesSocket } from "./responses-socket.ts";
import { SocketCalls } from "./socket-calls.ts";

/** A socket of openai's: `ResponsesWS`, `OpenAIRealtimeWS` or `OpenAIRealtimeWebSocket`. */
export interface ModelSocket {
  readonly url: URL;
  readonly socket: object;
}

/** Sockets that are recorded. */
const audited = new WeakSet<object>();

/** The close code of a socket whose entries cannot be written (fail-closed). */
const UNWRITTEN = 4000;

/**
 * Records a socket of the Responses or the Realtime API: one entry for each response. Call it right
 * after the socket is made. Returns the socket, which otherwise works as before, reconnects
 * included.
 *
 * Events are sent and delivered at once. So `intent` and `detectors` are refused, and an answer is
 * heard before its entry is durable. Fail-closed: a socket with an entry that cannot be written is
 * closed with code 4000, and it sends no event once the logger is closed.
 *
 * @throws `AUDIT_CONFIG_INVALID`
 * @example
 * const socket = auditSocket(new ResponsesWS(client), logger);
 */
export function auditSocket<Socket extends ModelSocket>(socket: Socket, audit: Audit): Socket {
  const settings = resolveAudit(audit, openai);
  if (settings.holdsBack)
    throw new AuditConfigError("auditSocket: intent and detectors cannot hold back events");
  if (audited.has(socket)) return socket;
  const { on } = fieldsOf(socket);
  if (typeof on !== "function" || !(socket.url instanceof URL) || !isFields(socket.socket))
    throw new AuditConfigError("auditSocket: not a socket of openai 5, 6 or 7");
  const calls = new SocketCalls(settings, () => closeUnwritten(socket));
  const protocol = protocolOf(socket.url, calls, settings);
  audited.add(socket);
  noteRecorded(socket);
  Reflect.apply(on, socket, [
    "event",
    (event: unknown) => {
      try {
        protocol.received(fieldsOf(event));
      } catch {
        closeUnwritten(socket); // the logger is closed
      }
    },
  ]);
  tapTransports(socket, calls, protocol);
  return socket;
}

function protocolOf(url: URL, calls: SocketCalls, { extract }: AuditSettings): SocketProtocol {
  const read: RequestReader = (body) => {
    const request = { method: "POST", path: "/responses", url: url.href, body };
    const wire = { ...request, isSerialized: true, provider: undefined };
    return surfaceOf(wire)?.request(wire, extract) ?? {};
  };
  if (/\/responses\/?$/.test(url.pathname)) return new ResponsesSocket(calls, read);
  if (/\/realtime\/?$/.test(url.pathname)) {
    const { searchParams: query } = url;
    return new RealtimeSocket(calls, read, query.get("model") ?? query.get("deployment"));
  }
  throw new AuditConfigError("auditSocket: neither a socket of Responses nor of Realtime");
}

/** Taps the transport, and each one that replaces it when the SDK reconnects. */
function tapTransports(socket: ModelSocket, calls: SocketCalls, protocol: SocketProtocol): void {
  let transport = socket.socket;
  tapTransport(transport, calls, protocol);
  Object.defineProperty(socket, "socket", {
    configurable: true,
    enumerable: true,
    get: () => transport,
    set(next: object) {
      transport = next;
      tapTransport(transport, calls, protocol);
    },
  });
}

/**
 * The transport's own `send`: requests that wait for the connection pass there when they are sent,
 * and lanes of a session use it too.
 */
function tapTransport(transport: object, calls: SocketCalls, protocol: SocketProtocol): void {
  const { send, close, on, addEventListener } = fieldsOf(transport);
  if (typeof send !== "function" || typeof close !== "function") return;
  let isLeft = false;
  own(transport, "send", (data: unknown, ...rest: readonly unknown[]) => {
    const call = protocol.sent(eventIn(data));
    try {
      return Reflect.apply(send, transport, [data, ...rest]) as unknown;
    } catch (error) {
      if (call) calls.end(call, thrownErrorFields(error));
      throw error;
    }
  });
  own(transport, "close", (...args: readonly unknown[]) => {
    isLeft = true;
    return Reflect.apply(close, transport, args) as unknown;
  });
  const closed = (reason: unknown): void => {
    const code = typeof reason === "number" ? reason : fieldsOf(reason)["code"];
    const error = { type: "SocketClosed", code: String(code), message: "the socket was closed" };
    calls.endAll(isLeft ? { outcome: "aborted" } : { outcome: "error", error });
  };
  if (typeof on === "function") Reflect.apply(on, transport, ["close", closed]);
  else if (typeof addEventListener === "function")
    Reflect.apply(addEventListener, transport, ["close", closed]);
}

function own(transport: object, name: string, value: unknown): void {
  Object.defineProperty(transport, name, { value, configurable: true, writable: true });
}

/** A frame as JSON; other frames have nothing to record. */
function eventIn(data: unknown): Fields {
  if (typeof data !== "string" && !ArrayBuffer.isView(data)) return {};
  try {
    return fieldsOf(
      JSON.parse(
        typeof data === "string"
          ? data
          : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString(),
      ),
    );
  } catch {
    return {};
  }
}

function closeUnwritten(socket: object): void {
  const { close } = fieldsOf(socket);
  if (typeof close === "function")
    Reflect.apply(close, socket, [{ code: UNWRITTEN, reason: "audit entry not written" }]);
}

/** Tells the client, where the socket has one: see `noteOpened`. */
function noteRecorded(socket: object): void {
  const { _client: client } = fieldsOf(socket);
  if (isFields(client)) noteAudited(client);
}
