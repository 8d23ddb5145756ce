// Opening contents of entries that somebody with write access has changed.
import { describe, expect, it } from "vitest";
import {
  AuditLogger,
  EncryptionManager,
  FileKeyStore,
  generateKey,
  MemoryStorage,
} from "../../src/index.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const SECRET = "SECRET prompt";

describe("Content whose format was changed beside it", () => {
  it("opens as it was sealed when it is encrypted: the ciphertext says itself what it is", async () => {
    const encryption = new EncryptionManager(generateKey());
    const logger = new AuditLogger(new MemoryStorage(), { encryption, storeContent: true });
    const text = await logger.getEntry(await logger.log({ input: SECRET, output: "o" }));
    const json = await logger.getEntry(await logger.log({ input: { a: 1 }, output: "o" }));
    expect(text && logger.content({ ...text, inputFormat: "json" }).input).toBe(SECRET);
    const { inputFormat: _, ...withoutFormat } = json ?? {};
    expect(json && logger.content({ ...json, ...withoutFormat }).input).toEqual({ a: 1 });
  });

  it("is an error that does not quote it when it is plain", async () => {
    const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
    const entry = await logger.getEntry(await logger.log({ input: SECRET, output: "o" }));
    const error = await rejected(() => entry && logger.content({ ...entry, inputFormat: "json" }));
    expect(error).toMatchObject({
      code: "AUDIT_READ_FAILED",
      message: `input of ${entry?.id} is marked as JSON and is not valid JSON`,
    });
    expect(error instanceof Error && error.cause).toBeUndefined();
  });
});

describe("verifyContent", () => {
  it("refuses a claim of nothing, and one that is misspelt: neither may look like success", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    const entry = await logger.getEntry(await logger.log({ input: "a", output: "b" }));
    const misspelt: object = { inputs: "a" };
    expect(await rejected(() => entry && logger.verifyContent(entry, {}))).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: "verifyContent() needs an input, an output or diagnostics",
    });
    expect(await rejected(() => entry && logger.verifyContent(entry, misspelt))).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: 'verifyContent(): claim "inputs" is unknown: there are input, output, diagnostics',
    });
  });
});

function refusal(id: string): string {
  return `input of ${id} does not match its hash: it was altered, or belongs to another entry`;
}

describe("Content that was put into an entry", () => {
  const encryption = new EncryptionManager(generateKey());
  const logger = new AuditLogger(new MemoryStorage(), { encryption, storeContent: true });
  const read = async () => {
    const entry = await logger.getEntry(await logger.log({ input: SECRET, output: "o" }));
    if (!entry) throw new Error("the entry was just written");
    return entry;
  };
  it("as plain text, in place of a ciphertext, is refused", async () => {
    const entry = await read();
    expect(
      await rejected(() => logger.content({ ...entry, inputContent: "FORGED" })),
    ).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
      message: refusal(entry.id),
    });
  });

  it("sealed for it by the holder of another writer's key, is refused", async () => {
    const entry = await read();
    const kid = encryption.kidFor("anotherStream");
    const forged = encryption.encryptContent(
      { text: "FORGED", format: undefined },
      { kid, id: entry.id, field: "input" },
    );
    expect(await rejected(() => logger.content({ ...entry, inputContent: forged }))).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
      message: refusal(entry.id),
    });
  });

  it("sealed for it under its own key but with another text, is refused", async () => {
    const entry = await read();
    const kid = entry.kid ?? "";
    const forged = encryption.encryptContent(
      { text: "FORGED", format: undefined },
      { kid, id: entry.id, field: "input" },
    );
    expect(await rejected(() => logger.content({ ...entry, inputContent: forged }))).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
      message: refusal(entry.id),
    });
  });

  it("is refused where the entry is said to be another person's, or nobody's", async () => {
    const subjects = new FileKeyStore({ path: await temporaryDirectory() });
    const keyed = new EncryptionManager(generateKey(), { subjects });
    for (const digest of ["hmac-sha256", "sha256"] as const) {
      const log = new AuditLogger(new MemoryStorage(), {
        encryption: keyed,
        storeContent: true,
        digest,
      });
      const mine = await log.getEntry(
        await log.log({ input: SECRET, output: "o", subject: "user-123" }),
      );
      const theirs = await log.getEntry(
        await log.log({ input: "x", output: "o", subject: "user-456" }),
      );
      if (!mine || !theirs) throw new Error("the entries were just written");
      expect(log.content(mine).input).toBe(SECRET);
      const { subject: _, ...nobodys } = mine;
      for (const relabelled of [{ ...mine, subject: theirs.subject ?? "" }, nobodys]) {
        expect(await rejected(() => log.content(relabelled))).toMatchObject({
          code: "AUDIT_DECRYPT_FAILED",
          message: refusal(mine.id),
        });
      }
    }
  });

  it("is read as the text it is when it only looks like a ciphertext", async () => {
    const plain = new AuditLogger(new MemoryStorage(), { storeContent: true });
    const { inputContent } = await read();
    for (const input of [inputContent, `${inputContent?.slice(0, 60)}…`]) {
      const entry = await plain.getEntry(await plain.log({ input, output: "o" }));
      expect(entry && plain.content(entry).input).toBe(input);
    }
  });
});
