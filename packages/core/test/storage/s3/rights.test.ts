// With as few rights as documented.
import type { S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { FileStorage } from "../../../src/storage/file/file.ts";
import { S3Archive } from "../../../src/storage/s3/index.ts";
import { testEntry } from "../../../src/testing.ts";
import { AttackedLog } from "../../support/attacked-log.ts";
import { FaultProxy } from "@ai-audit/test-support/fault-proxy";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { serverAt } from "@ai-audit/test-support/s3-servers";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

describe.skipIf(isLeftOut("ceph"))("A writer that may not list", { timeout: 120_000 }, () => {
  const bench = AttackedLog.onCeph();

  /** Says 403, as S3 does without `s3:ListBucket`, of a key that is not there. */
  async function withoutList(): Promise<S3Client> {
    const proxy = await FaultProxy.start(bench.server.endpoint);
    const stored = new Set<string>();
    proxy.plan = ({ method, url }) => {
      const path = url.split("?")[0] ?? "";
      if (method === "PUT" || method === "POST") stored.add(path);
      const isList = method === "GET" && url.includes("list-type=2");
      const isHidden = (method === "HEAD" || method === "GET") && !stored.has(path);
      return isList || isHidden ? { kind: "refuse", status: 403, code: "AccessDenied" } : undefined;
    };
    return serverAt(proxy.endpoint).client();
  }

  it("ships segments, small ones and those in parts", async () => {
    const { log } = bench;
    const path = await temporaryDirectory();
    const client = await withoutList();
    const { bucket, prefix } = log;
    const shipper = new S3Archive({
      bucket,
      prefix,
      client,
      onError: bench.onError,
      partBytes: 5 * 2 ** 20,
    });
    const storage = new FileStorage({
      path,
      signer: log.signer,
      archive: shipper,
      rotationSizeMb: 8,
    });
    for (let count = 0; count < 5; count += 1) {
      const { id, line } = testEntry(Date.now(), { metadata: { text: "x".repeat(2 * 2 ** 20) } });
      await storage.append(line, id);
    }
    await storage.close();

    expect(bench.errors).toEqual([]);
    expect(await log.keys()).toHaveLength(2);
    expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 5 });
  });

  it("writes directly, also what is larger than a part", async () => {
    const { log } = bench;
    const storage = log.storage({ client: await withoutList(), partBytes: 5 * 2 ** 20 });
    const { id, line } = testEntry(Date.now(), { metadata: { text: "x".repeat(6 * 2 ** 20) } });
    await storage.append(line, id);
    await storage.close();

    expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 1 });
  });
});
