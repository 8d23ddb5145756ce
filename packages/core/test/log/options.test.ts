// The logger's options, and the key that it generates where none is given.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  AuditLogger,
  type AuditLoggerOptions,
  EncryptionManager,
  FileStorage,
  generateKey,
  MemoryStorage,
} from "../../src/index.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { inMemory } from "./in-memory.ts";

describe("Options", () => {
  it("are checked when the logger is made", async () => {
    const wrong: [unknown, string][] = [
      [{ retentionDays: -1 }, "AuditLogger: retentionDays must be a number >= 0"],
      [{ retentionDays: "365" }, "AuditLogger: retentionDays must be a number >= 0"],
      [{ maxPendingBytes: Number.NaN }, "AuditLogger: maxPendingBytes must be a number >= 0"],
      [{ digest: "md5" }, "AuditLogger: digest must be 'sha256' or 'hmac-sha256'"],
      [
        { digest: "hmac-sha256" },
        "AuditLogger: digest 'hmac-sha256' needs a key: give encryption too",
      ],
      [{ encryption: "key" }, "AuditLogger: encryption must be an EncryptionManager"],
      [{ storeContent: "yes" }, "AuditLogger: storeContent must be a boolean"],
      [{ onError: "log" }, "AuditLogger: onError must be a function"],
      [{ metadataSchema: {} }, "AuditLogger: metadataSchema must be a Standard Schema"],
      [
        { storecontent: true },
        'AuditLogger: option "storecontent" is unknown: there are encryption, storeContent, digest, retentionDays, ' +
          "redact, metadataSchema, failureMode, maxPendingBytes, whenFull, closeOnExit, anchor, onError",
      ],
      [{ redact: ["ssn"] }, 'redact: option "0" is unknown: there are paths, fn, censor'],
      [
        { redact: { path: ["ssn"] } },
        'redact: option "path" is unknown: there are paths, fn, censor',
      ],
      [{ redact: { paths: "ssn" } }, "redact: paths must be an array of paths"],
      [{ redact: { censor: 1 } }, "redact: censor must be a string"],
      [{ redact: { fn: 1 } }, "redact: fn must be a function"],
      [
        { redact: { paths: ["a..b"] } },
        'redact: "a..b" is not a path such as user.email, headers.* or **.ssn',
      ],
    ];
    for (const [options, message] of wrong) {
      expect(await rejected(() => inMemory(options as AuditLoggerOptions))).toMatchObject({
        code: "AUDIT_CONFIG_INVALID",
        message,
      });
    }
    expect(await rejected(() => new AuditLogger(""))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: "path must name a directory",
    });
    expect(await rejected(() => new AuditLogger(import.meta.filename))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: `path ${import.meta.filename} is not a directory`,
    });
    for (const options of [
      { rotationSizeMb: 0 },
      { rotationSizeMb: Number.NaN },
      { durability: "maybe" },
    ]) {
      const make = (): FileStorage =>
        new FileStorage({ path: "x", ...(options as { rotationSizeMb: number }) });
      expect(await rejected(make)).toMatchObject({ code: "AUDIT_CONFIG_INVALID" });
    }
    expect(await rejected(() => new MemoryStorage({ maxEntries: 0 }))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: "maxEntries must be a number >= 1",
    });
  });
});

async function warningsOf(work: (path: string) => Promise<void>): Promise<string[]> {
  const codes: string[] = [];
  const listen = (warning: Error & { code?: string }): unknown => codes.push(warning.code ?? "");
  process.on("warning", listen);
  try {
    await work(await temporaryDirectory());
    await sleep(0);
  } finally {
    process.off("warning", listen);
  }
  return codes.filter((code) => code === "AUDIT_KEY_UNREAD");
}

describe("A generated key that nobody read", () => {
  const interaction = { input: "", output: "" };

  it("gets one process warning once durable entries are encrypted with it", async () => {
    const codes = await warningsOf(async (path) => {
      const encryption = new EncryptionManager();
      for (let i = 0; i < 2; i += 1) {
        await using logger = new AuditLogger(path, { encryption, storeContent: true });
        await logger.log(interaction);
        await logger.log(interaction);
      }
    });
    expect(codes).toEqual(["AUDIT_KEY_UNREAD"]);
  });

  it("gets one for keyed hashes as well: nobody could ever check them", async () => {
    const codes = await warningsOf(async (path) => {
      await using logger = new AuditLogger(path, { encryption: new EncryptionManager() });
      await logger.log(interaction);
    });
    expect(codes).toEqual(["AUDIT_KEY_UNREAD"]);
  });

  it("gets none when the key was read, was given, makes nothing, or nothing is durable", async () => {
    const codes = await warningsOf(async (path) => {
      const read = new EncryptionManager();
      read.getKey();
      const given = new EncryptionManager(generateKey());
      for (const encryption of [read, given]) {
        await using logger = new AuditLogger(path, { encryption, storeContent: true });
        await logger.log(interaction);
      }
      await using hashOnly = new AuditLogger(path, {
        encryption: new EncryptionManager(),
        digest: "sha256",
      });
      await hashOnly.log(interaction);
      await inMemory({ encryption: new EncryptionManager(), storeContent: true }).log(interaction);
    });
    expect(codes).toEqual([]);
  });
});
