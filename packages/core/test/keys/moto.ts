import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** What the AWS SDK needs to talk to a server on this machine. */
export interface AwsServer {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** Starts moto's HTTP server, which speaks AWS's protocols, on a free port. */
export async function startMoto(): Promise<AwsServer> {
  const port = await freePort();
  const child = spawn("python3", ["-m", "moto.server", "-H", "127.0.0.1", "-p", `${port}`], {
    stdio: "ignore",
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await untilUp(endpoint, child);
  return {
    endpoint,
    async stop() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

async function untilUp(endpoint: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`moto's server ended with ${child.exitCode}`);
    try {
      await fetch(`${endpoint}/moto-api/`);
      return;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // fetch's own: nobody listens yet
      await delay(100);
    }
  }
  throw new Error("moto's server does not answer");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (typeof address !== "object" || address === null) throw new Error("a port expected");
  return address.port;
}
