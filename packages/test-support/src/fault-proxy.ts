// A proxy in front of an S3 server that does what networks and servers do on their bad days.
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { onTestFinished } from "vitest";

/** The fault of one request. */
export type Fault =
  /** The server refuses, without having done anything. */
  | { readonly kind: "refuse"; readonly status: number; readonly code: string }
  /** The connection breaks before the server saw the request. */
  | { readonly kind: "reset-before" }
  /** The connection breaks after the server did it. */
  | { readonly kind: "reset-after" }
  /** No answer ever comes; the server has seen nothing. */
  | { readonly kind: "hang-before" }
  /** No answer ever comes; the server did it. */
  | { readonly kind: "hang-after" }
  /** The answer comes in small pieces. */
  | { readonly kind: "trickle"; readonly pieceMs: number }
  /** The answer ends in the middle: with the connection, or as if it were all. */
  | { readonly kind: "cut"; readonly isClean: boolean };

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
}

/** The fault that a request meets; undefined for none. */
export type Plan = (seen: SeenRequest) => Fault | undefined;

export class FaultProxy {
  readonly endpoint: string;
  /** Every request, in the order of arrival. */
  readonly seen: SeenRequest[] = [];
  /** Faults so far. */
  faults = 0;
  plan: Plan = () => undefined;

  readonly #server: Server;

  private constructor(endpoint: string, server: Server) {
    this.endpoint = endpoint;
    this.#server = server;
  }

  /** A proxy before a server, until the test ends. */
  static async start(upstream: string): Promise<FaultProxy> {
    const proxy = await FaultProxy.open(upstream);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    return proxy;
  }

  /** A proxy before a server, until it is disposed of. */
  static async open(upstream: string): Promise<FaultProxy> {
    let proxy: FaultProxy | undefined;
    const server = createServer(
      (incoming, outgoing) => void proxy?.handle(incoming, outgoing, new URL(upstream)),
    );
    const port = await listen(server);
    proxy = new FaultProxy(`http://127.0.0.1:${port}`, server);
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async handle(incoming: IncomingMessage, outgoing: ServerResponse, upstream: URL): Promise<void> {
    const seen = { method: incoming.method ?? "", url: incoming.url ?? "" };
    this.seen.push(seen);
    const fault = this.plan(seen);
    if (fault) this.faults += 1;
    const body = Buffer.concat(await incoming.toArray());
    if (fault?.kind === "hang-before") return;
    if (fault?.kind === "reset-before") return void outgoing.destroy();
    if (fault?.kind === "refuse") {
      outgoing.writeHead(fault.status, { "content-type": "application/xml" });
      outgoing.end(
        seen.method === "HEAD"
          ? ""
          : `<Error><Code>${fault.code}</Code><Message>a test</Message></Error>`,
      );
      return;
    }
    const answer = await forward(incoming, body, upstream);
    if (fault?.kind === "hang-after") return;
    if (fault?.kind === "reset-after") return void outgoing.destroy();
    const half = answer.body.subarray(0, Math.floor(answer.body.length / 2));
    if (fault?.kind === "cut" && !fault.isClean) {
      outgoing.writeHead(answer.status, {
        ...answer.headers,
        "content-length": answer.body.length,
      });
      outgoing.write(half, () => outgoing.destroy());
      return;
    }
    const sent = fault?.kind === "cut" ? half : answer.body;
    const length = seen.method === "HEAD" ? answer.headers["content-length"] : sent.length;
    outgoing.writeHead(answer.status, { ...answer.headers, "content-length": length });
    if (fault?.kind !== "trickle") return void outgoing.end(sent);
    for (let at = 0; at < sent.length; at += 512) {
      outgoing.write(sent.subarray(at, at + 512));
      await new Promise((resolve) => setTimeout(resolve, fault.pieceMs));
    }
    outgoing.end();
  }
}

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

function forward(incoming: IncomingMessage, body: Buffer, upstream: URL): Promise<Answer> {
  const { method, url, headers } = incoming;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const options = { host: upstream.hostname, port: upstream.port, path: url, method, headers };
  const upward = request(options, (answer) => {
    const collect = async (): Promise<Answer> => {
      const { "transfer-encoding": _chunked, connection: _connection, ...kept } = answer.headers;
      return {
        status: answer.statusCode ?? 500,
        headers: kept,
        body: Buffer.concat(await answer.toArray()),
      };
    };
    resolve(collect());
  });
  upward.on("error", reject);
  upward.end(body);
  return promise;
}

function listen(server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  return promise;
}

/**
 * A plan that hits one request in `every`, with one fault after the other. Deterministic: no chance
 * in it.
 */
export function everyNth(
  every: number,
  faults: readonly Fault[],
  isMeant: (seen: SeenRequest) => boolean,
): Plan {
  let count = 0;
  return (seen) => {
    if (!isMeant(seen)) return undefined;
    count += 1;
    return count % every === 0 ? faults[(count / every - 1) % faults.length] : undefined;
  };
}
