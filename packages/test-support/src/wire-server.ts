// An HTTP server that answers as it is told and keeps every byte it was sent.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it came. Multipart boundaries, which are random, are replaced. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: string;
}

export type Reply = (response: ServerResponse, request: SeenRequest) => void | Promise<void>;

export class WireServer implements AsyncDisposable {
  readonly baseURL: string;
  readonly #server: ReturnType<typeof createServer>;
  #replies: Reply[] = [];
  #seen: SeenRequest[] = [];

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    server.on("request", (request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<WireServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new WireServer(server);
  }

  /** What the next requests get, in turn; the last one again and again. Forgets what was seen. */
  script(...replies: readonly Reply[]): void {
    this.#replies = [...replies];
    this.#seen = [];
  }

  get seen(): readonly SeenRequest[] {
    return this.#seen;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    try {
      for await (const chunk of request.setEncoding("latin1")) body += String(chunk);
    } catch {
      return; // the client went away while it was sending
    }
    const seen = normalize({
      method: request.method ?? "",
      url: request.url ?? "",
      headers: request.rawHeaders,
      body,
    });
    this.#seen.push(seen);
    response.on("error", () => undefined); // the client went away while it was being answered
    const reply = this.#replies.length > 1 ? this.#replies.shift() : this.#replies[0];
    await (reply ?? json({}, 500))(response, seen);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function normalize(request: SeenRequest): SeenRequest {
  const type = request.headers.find((value) => value.startsWith("multipart/form-data"));
  const boundary = type && /boundary=(.+)$/.exec(type)?.[1];
  if (!boundary) return request;
  return {
    ...request,
    headers: request.headers.map((value) => value.replaceAll(boundary, "BOUNDARY")),
    body: request.body.replaceAll(boundary, "BOUNDARY"),
  };
}

/** A JSON response. */
export function json(
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return text(JSON.stringify(body), "application/json", status, headers);
}

export function text(
  body: string | Buffer,
  type: string,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return (response) => {
    response
      .writeHead(status, {
        "content-type": type,
        "x-request-id": "req_1",
        "request-id": "req_1",
        ...headers,
      })
      .end(body);
  };
}

/** How a stream of events ends. */
export interface StreamEnding {
  /** @default "done": `data: [DONE]` and the end of the body */
  readonly ending?: "done" | "end" | "cut" | "hang";
  readonly named?: boolean;
}

/**
 * A stream of events. `named` ones carry their `type` as the event's name, as the Responses API
 * does.
 */
export function events(
  all: readonly unknown[],
  { ending = "done", named = false }: StreamEnding = {},
): Reply {
  return async (response) => {
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "x-request-id": "req_1",
      "request-id": "req_1",
    });
    for (const event of all) {
      const name =
        named && typeof event === "object" && event !== null && "type" in event
          ? String(event.type)
          : "";
      response.write(
        `${name && `event: ${name}\n`}data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`,
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (ending === "done") response.write("data: [DONE]\n\n");
    if (ending === "done" || ending === "end") response.end();
    if (ending === "cut") response.write(" ", () => response.socket?.end());
  };
}

/** No answer at all. */
export const silence: Reply = () => undefined;

/** The connection is closed without an answer. */
export const hangUp: Reply = (response) => {
  response.destroy();
};

/** Headers of a JSON response, half its body, then the end of the connection. */
export const halfJson: Reply = (response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
  response.write('{"id":"half"', () => response.socket?.end());
};
