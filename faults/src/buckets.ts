// A bucket behind a network and a server on their bad days: refusals, broken connections, no
// answer, slow answers.
import { AuditLogger, Signer, verifyLog } from "@ai-audit/core";
import { S3Storage } from "@ai-audit/core/s3";
import { type Fault, everyNth, FaultProxy } from "@ai-audit/test-support/fault-proxy";
import { s3Server, serverAt, type ServerKind } from "@ai-audit/test-support/s3-servers";
import { Tally } from "./judge.ts";
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
    const direct = server.client();
    const seen: string[] = [];
    const reader = new AuditLogger(new S3Storage({ bucket, prefix, client: direct, signer }));
    for await (const { id } of reader.entries()) seen.push(id);
    await reader.close();
    const { exitCode, verdict } = await verifyLog(`s3://${bucket}/${prefix}`, {
      trustedKeys: [signer.vkey],
      s3: { client: direct },
    });
    const ids = new Set(seen);
    const isFalse = exitCode === 1 || exitCode === 3;
    tally.acknowledged = acknowledged.length;
    tally.add(
      {
        lost: acknowledged.filter((id) => !ids.has(id)).length,
        duplicated: seen.length - ids.size,
        falseVerdicts: isFalse ? 1 : 0,
        findings: isFalse ? [verdict] : [],
      },
      name,
    );
    const caller = refused === 0 ? "nothing: tried again" : `${refused} refused`;
    tally.tries = proxy.faults;
    rows.push(tally.row(`S3 (${kind}): ${name}`, caller));
  }
  return rows;
}
