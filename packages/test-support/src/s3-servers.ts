// S3 servers that nobody here wrote: Ceph's radosgw and moto, one of each for a whole test run.
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isMainThread } from "node:worker_threads";
import { CreateBucketCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

export type ServerKind = "ceph" | "moto";

export interface S3Server {
  readonly endpoint: string;
  /** A client with the server's keys. */
  client(config?: S3ClientConfig): S3Client;
  /** A new bucket with a name of its own. */
  makeBucket(options?: { readonly withObjectLock?: boolean }): Promise<string>;
}

const CEPH_SCRIPT = fileURLToPath(new URL("../../../scripts/ceph-s3.sh", import.meta.url));
const KEYS = { accessKeyId: "test", secretAccessKey: "testtest" };
const START_TIMEOUT_MS = 90_000;

/** Kills the process that answers at the test run's Ceph, and starts another over its store. */
export async function killGateway(): Promise<void> {
  await promisify(execFile)(CEPH_SCRIPT, ["kill-gateway", join(folderOf("ceph"), "data")]);
}

/** The runner, which outlives its workers. */
const run = isMainThread ? process.ppid : process.pid;

function folderOf(kind: ServerKind): string {
  return join(tmpdir(), `ai-audit-${kind}-${run}`);
}

/** The test run's server of this kind. The first call starts it; it ends with the run. */
export async function s3Server(kind: ServerKind): Promise<S3Server> {
  const folder = folderOf(kind);
  const ready = join(folder, "endpoint");
  if (await isFirst(folder)) await start(kind, folder, ready);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!existsSync(ready)) {
    if (Date.now() > deadline) throw new Error(`${kind} did not start; see ${folder}`);
    await sleep(100);
  }
  return serverAt(await readFile(ready, "utf8"));
}

/** The server at an address, with the keys of both kinds. */
export function serverAt(endpoint: string): S3Server {
  const client = (config: S3ClientConfig = {}): S3Client =>
    new S3Client({
      region: "us-east-1",
      endpoint,
      forcePathStyle: true,
      credentials: KEYS,
      maxAttempts: 1,
      ...config,
    });
  return {
    endpoint,
    client,
    async makeBucket({ withObjectLock = false } = {}) {
      const name = `test-${Date.now()}-${Math.random().toString(36).slice(2, 8)}`;
      await client().send(
        new CreateBucketCommand({
          Bucket: name,
          ...(withObjectLock && { ObjectLockEnabledForBucket: true }),
        }),
      );
      return name;
    },
  };
}

async function isFirst(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

async function start(kind: ServerKind, folder: string, ready: string): Promise<void> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const data = join(folder, "data");
  if (kind === "ceph") await promisify(execFile)(CEPH_SCRIPT, ["start", data, String(port)]);
  const moto =
    kind === "moto"
      ? spawn("moto_server", ["-H", "127.0.0.1", "-p", String(port)], DETACHED)
      : undefined;
  moto?.unref();
  const stop = moto ? `kill ${moto.pid}` : `'${CEPH_SCRIPT}' stop '${data}'`;
  // Outlives the run, also one that is killed, by a second.
  const watch = `while kill -0 ${run} 2>/dev/null; do sleep 1; done; ${stop}; rm -rf '${folder}'`;
  spawn("sh", ["-c", watch], DETACHED).unref();
  while (!(await answers(endpoint))) await sleep(100);
  await writeFile(ready, endpoint);
}

const DETACHED = { detached: true, stdio: "ignore" } as const;

async function answers(endpoint: string): Promise<boolean> {
  try {
    await fetch(endpoint);
    return true;
  } catch {
    return false; // not listening yet
  }
}

/** A port that is free, and the next one too: Ceph's monitor takes it. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = await listenOnce(0);
    if (port !== undefined && (await listenOnce(port + 1)) !== undefined) return port;
  }
}

async function listenOnce(port: number): Promise<number | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      const taken = typeof address === "object" && address !== null ? address.port : undefined;
      server.close(() => resolve(taken));
    });
  });
}
