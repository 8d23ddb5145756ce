// A bucket behind a network and a server on their bad days: refusals, broken connections, no
// answer, slow answers.
import { setTimeout as sleep } from "node:timers/promises";
import { AuditLogger, Signer, verifyLog } from "@ai-audit/core";
import { S3Storage } from "@ai-audit/core/s3";
import { type Fault, everyNth, FaultProxy } from "@ai-audit/test-support/fault-proxy";
import {
  killGateway,
  type S3Server,
  s3Server,
  serverAt,
  type ServerKind,
} from "@ai-audit/test-support/s3-servers";

import { type Judgement, Tally } from "./judge.ts";
import type { Row } from "./row.ts";

const KINDS: Readonly<Record<string, readonly Fault[]>> = {
  "503 and 500 answers": [
    { kind: "refuse", status: 503, code: "SlowDown" },
    { kind: "refuse", status: 500, code: "InternalError" },
  ],
  "connections that break before the server saw the request": [{ kind: "reset-before" }],
  "connections that break after the server did it": [{ kind: "reset-after" }],
  "no answer, after the server did it": [{ kind: "hang-after" }],
  "slow answers": [{ kind: "trickle", pieceMs: 2 }],
};

export async function buckets(kind: ServerKind): Promise<Row[]> {
  const server = await s3Server(kind);
  const bucket = await server.makeBucket();
  const rows: Row[] = [];
  for (const [index, [name, faults]] of Object.entries(KINDS).entries()) {
    const tally = new Tally();
    const signer = await Signer.generate("faults");
    await using proxy = await FaultProxy.open(server.endpoint);
    proxy.plan = everyNth(3, faults, ({ method }) => method === "PUT");
    const prefix = `faults-${process.pid}-${index}`;
    const client = serverAt(proxy.endpoint).client();
    const logger = new AuditLogger(
      new S3Storage({ bucket, prefix, client, signer, requestTimeoutMs: 1000 }),
    );
    const acknowledged: string[] = [];
    let refused = 0;
    for (let round = 0; round < 8; round += 1) {
      const calls = [1, 2, 3].map((n) => logger.log({ input: `${round} ${n}`, output: "" }));
      for (const result of await Promise.allSettled(calls)) {
        if (result.status === "fulfilled") acknowledged.push(result.value);
        else refused += 1;
      }
    }
    await logger.close();
    tally.add(await judgeBucket(server, `${bucket}/${prefix}`, acknowledged, signer.vkey), name);
    tally.acknowledged = acknowledged.length;
    tally.tries = proxy.faults;
    rows.push(tally.row(`S3 (${kind}): ${name}`, refusedIn(refused)));
  }
  return rows;
}

const KILLS = 3;

/** A server whose process is killed while entries are written, and that comes back with its store. */
export async function killedServers(): Promise<Row[]> {
  const server = await s3Server("ceph");
  const bucket = await server.makeBucket();
  const tally = new Tally();
  const signer = await Signer.generate("faults");
  const client = server.client();
  const logger = new AuditLogger(
    new S3Storage({ bucket, prefix: "killed", client, signer, requestTimeoutMs: 2000 }),
  );
  const acknowledged: string[] = [];
  let refused = 0;
  const end = new AbortController();
  const writing = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const calls = [1, 2, 3].map((n) => logger.log({ input: `${n}`, output: "" }));
      for (const result of await Promise.allSettled(calls)) {
        if (result.status === "fulfilled") acknowledged.push(result.value);
        else refused += 1;
      }
    }
  };
  const written = writing();
  for (let kill = 0; kill < KILLS; kill += 1) {
    const wanted = acknowledged.length + 12;
    while (acknowledged.length < wanted) await sleep(5);
    await killGateway();
  }
  end.abort();
  await written;
  await logger.close();
  const name = "the server's process is killed (SIGKILL) and started again";
  const judged = await judgeBucket(server, `${bucket}/killed`, acknowledged, signer.vkey);
  tally.add(judged, name);
  tally.tries = KILLS;
  tally.acknowledged = acknowledged.length;
  return [tally.row(`S3 (ceph): ${name}`, refusedIn(refused))];
}

async function judgeBucket(
  server: S3Server,
  place: string,
  acknowledged: readonly string[],
  vkey: string,
): Promise<Judgement> {
  const [bucket = "", prefix = ""] = place.split("/");
  const client = server.client();
  const seen: string[] = [];
  const reader = new AuditLogger(new S3Storage({ bucket, prefix, client }));
  for await (const { id } of reader.entries()) seen.push(id);
  await reader.close();
  const options = { trustedKeys: [vkey], s3: { client } };
  const { exitCode, verdict } = await verifyLog(`s3://${place}`, options);
  const ids = new Set(seen);
  const isFalse = exitCode === 1 || exitCode === 3;
  return {
    lost: acknowledged.filter((id) => !ids.has(id)).length,
    duplicated: seen.length - ids.size,
    falseVerdicts: isFalse ? 1 : 0,
    findings: isFalse ? [verdict] : [],
  };
}

function refusedIn(refused: number): string {
  return refused === 0 ? "nothing: tried again" : `${refused} refused`;
}
