// A WebSocket server that answers each frame by a script, with TLS where the SDK asks for it.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { createServer } from "node:http";
import { join } from "node:path";
import { sharedDirectory } from "@ai-audit/test-support/temporary-directory";
import { type WebSocket, WebSocketServer } from "ws";

/** An event, parsed. */
export type Frame = Readonly<Record<string, unknown>>;

/** The server's side of one connection. */
export interface Peer {
  readonly send: (event: Frame) => void;
  readonly socket: WebSocket;
}

/** What the server does with an event of the client. */
export type Answer = (frame: Frame, peer: Peer) => void;

export interface SocketServer extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** The events that came, in their order. */
  readonly frames: readonly Frame[];
}

/** Starts a server; `greet` speaks first. */
export async function startSocketServer(
  answer: Answer,
  { tls = false, greet = () => undefined }: { tls?: boolean; greet?: (peer: Peer) => void } = {},
): Promise<SocketServer> {
  const frames: Frame[] = [];
  const server = tls ? createTlsServer(await certificate()) : createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    const peer = { socket, send: (event: Frame) => socket.send(JSON.stringify(event)) };
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame;
      frames.push(frame);
      answer(frame, peer);
    });
    greet(peer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    host: `127.0.0.1:${address.port}`,
    frames,
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

let made: { readonly key: Buffer; readonly cert: Buffer } | undefined;

/** A self-signed certificate, made once. */
async function certificate(): Promise<{ readonly key: Buffer; readonly cert: Buffer }> {
  if (made) return made;
  const directory = await sharedDirectory();
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const options = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test";
  execFileSync("openssl", ["req", ...options.split(" "), "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  return (made = { key: readFileSync(key), cert: readFileSync(cert) });
}
