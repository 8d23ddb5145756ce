import { beforeAll, describe, expect, it } from "vitest";
import { Signer } from "../../../src/seal/signer.ts";
import { S3Storage } from "../../../src/storage/s3/index.ts";
import { storageContract, type StorageUnderTest } from "../../../src/testing.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type S3Server, s3Server, type ServerKind } from "@ai-audit/test-support/s3-servers";

const KINDS: readonly ServerKind[] = ["ceph", "moto"];

describe.each(KINDS)(
  "S3Storage on %s keeps the contract of a storage",
  { timeout: 60_000 },
  (kind) => {
    describe.skipIf(isLeftOut(kind))("with the real SDK", () => {
      let server: S3Server;
      let bucket: string;
      let signer: Signer;
      let count = 0;

      beforeAll(async () => {
        server = await s3Server(kind);
        bucket = await server.makeBucket();
        signer = await Signer.generate("test");
      }, 120_000);

      const make = async (): Promise<StorageUnderTest> => {
        const options = { bucket, prefix: `case-${(count += 1)}`, client: server.client(), signer };
        return { storage: new S3Storage(options), reopen: async () => new S3Storage(options) };
      };
      it.each(storageContract(make))("$title", async ({ run }) => {
        await expect(run()).resolves.toBeUndefined();
      });
    });
  },
);
