import { describe, it } from "vitest";
import { Signer } from "../../src/seal/signer.ts";
import { FileStorage } from "../../src/storage/file/file.ts";
import { MemoryStorage } from "../../src/storage/memory.ts";
import { storageContract, type StorageUnderTest } from "../../src/testing.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

function runContract(make: () => Promise<StorageUnderTest>): void {
  // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the cases assert and are named by the suite
  for (const { title, run } of storageContract(make)) it(title, run);
}

describe("MemoryStorage keeps the contract of a storage", () => {
  runContract(async () => ({ storage: new MemoryStorage() }));
});

describe("FileStorage keeps the contract of a storage", () => {
  runContract(async () => {
    const path = await temporaryDirectory();
    return { storage: new FileStorage({ path }), reopen: async () => new FileStorage({ path }) };
  });
});

describe("FileStorage with a signer, without fsync and with tiny segments keeps the contract", () => {
  runContract(async () => {
    const options = {
      path: await temporaryDirectory(),
      signer: await Signer.generate("test"),
      durability: "os",
      rotationSizeMb: 0.005,
    } as const;
    return { storage: new FileStorage(options), reopen: async () => new FileStorage(options) };
  });
});
