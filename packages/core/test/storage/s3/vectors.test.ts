import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { verifyLog } from "../../../src/log/verify-log.ts";
import { S3Storage } from "../../../src/storage/s3/index.ts";
import { S3Log } from "../../support/s3-log.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { s3Server } from "@ai-audit/test-support/s3-servers";

interface Vector {
  readonly vkey: string;
  readonly entries: number;
  readonly leaves: number;
  readonly objects: readonly {
    readonly key: string;
    readonly metadata: Readonly<Record<string, string>>;
    readonly body: string;
  }[];
}

const vector: Vector = JSON.parse(
  readFileSync(new URL("../../vectors/s3.json", import.meta.url), "utf8"),
);

function hashOf(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** RFC 6962, 2.1, as it is written there: this test shares no code with the package. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (leaves.length === 1 && first) return hashOf(Buffer.of(0), first);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return hashOf(Buffer.of(1), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

function decode(text: string | undefined): string {
  return Buffer.from(text ?? "", "base64").toString();
}

describe("The S3 vector", () => {
  it("can be checked with nothing but the format's page", () => {
    const objects = vector.objects.toSorted(
      (a, b) => Number(a.metadata["audit-leaf"]) - Number(b.metadata["audit-leaf"]),
    );
    const leaves: Buffer[] = [];
    for (const { metadata, body } of objects) {
      expect(Number(metadata["audit-leaf"])).toBe(leaves.length);
      if (metadata["audit-open"] !== undefined)
        leaves.push(Buffer.from(decode(metadata["audit-open"])));
      leaves.push(...body.split("\n").flatMap((line) => (line === "" ? [] : Buffer.from(line))));
      const [text = "", signatures = ""] = decode(metadata["audit-checkpoint"]).split("\n\n");
      expect(text.split("\n").slice(1)).toEqual([
        String(leaves.length),
        rootOf(leaves).toString("base64"),
      ]);
      const signature = Buffer.from(signatures.trim().split(" ").at(-1) ?? "", "base64").subarray(
        4,
      );
      const raw = Buffer.from(vector.vkey.split("+").slice(2).join("+"), "base64").subarray(1);
      const key = createPublicKey({
        key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") },
        format: "jwk",
      });
      expect(verify(null, Buffer.from(`${text}\n`), key, signature)).toBe(true);
    }
    expect(leaves).toHaveLength(vector.leaves);
    expect(JSON.parse(leaves[0]?.toString() ?? "")).toMatchObject({
      type: "segment.open",
      expires: 366,
    });
    expect(JSON.parse(leaves.at(-1)?.toString() ?? "")).toMatchObject({
      type: "segment.close",
      linked: 1,
    });
  });

  it.skipIf(isLeftOut("moto"))(
    "is read and proven by this version",
    { timeout: 60_000 },
    async () => {
      const log = await S3Log.make(await s3Server("moto"));
      for (const { key, body, metadata } of vector.objects)
        await log.write(key, body, { ...metadata });
      const prefix = `${log.prefix}audit`;
      const s3 = { client: log.client };
      const verification = await verifyLog(`s3://${log.bucket}/${prefix}`, {
        trustedKeys: [vector.vkey],
        s3,
      });
      expect(verification).toMatchObject({ exitCode: 0, entries: vector.entries });
      const storage = new S3Storage({ bucket: log.bucket, prefix, client: log.client });
      expect(await storage.count({})).toBe(vector.entries - 1);
      expect((await Array.fromAsync(storage.pages({}, "oldest-first"))).flat()).toHaveLength(
        vector.entries,
      );
    },
  );
});
