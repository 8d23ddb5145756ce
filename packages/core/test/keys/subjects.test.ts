import { execFile } from "node:child_process";
import { createSecretKey } from "node:crypto";
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { compactDecrypt, importJWK } from "jose";
import { describe, expect, it } from "vitest";
import { EncryptionManager } from "../../src/keys/encryption.ts";
import { FileKeyStore } from "../../src/keys/file-key-store.ts";
import type { KeyStore } from "../../src/keys/key-store.ts";
import { generateKey, type SubjectKey } from "../../src/keys/keys.ts";
import { AuditDecryptError, AuditError } from "../../src/errors.ts";
import { caught } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const stream = "c3RyZWFtLW51bWJl";
const binding = { id: "01981f6c-3a00-7abc-8def-0123456789ab", field: "input" } as const;
const content = { text: "I live in Vaduz", format: undefined };

async function sealFor(
  manager: EncryptionManager,
  name: string,
): Promise<{ kid: string; jwe: string; hash: string }> {
  const subject = await manager.subjectKey(name);
  return sealUnder(manager, subject);
}

function sealUnder(
  manager: EncryptionManager,
  subject?: SubjectKey,
): { kid: string; jwe: string; hash: string } {
  const kid = manager.kidFor(stream, subject);
  const jwe = manager.encryptContent(content, { ...binding, kid }, subject);
  return { kid, jwe, hash: manager.digest(content.text, kid, subject) };
}

describe("content of a data subject", () => {
  it("names the subject by a random id alone, in the log and in the store", async () => {
    const path = await temporaryDirectory();
    const manager = new EncryptionManager(generateKey(), { subjects: new FileKeyStore({ path }) });
    const { kid, jwe } = await sealFor(manager, "user-123");
    const { id } = await manager.subjectKey("user-123");
    expect(kid).toBe(`${manager.keyId}.${stream}.${id}`);
    expect(manager.open(jwe, binding)).toBe("I live in Vaduz");
    expect(await manager.subjectIds("user-123")).toEqual([id]);
    expect(await manager.subjectIds("user-124")).toEqual([]);
    const names = await readdir(join(path, "names"));
    expect(names).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
  });

  it("cannot be linked between stores under different master keys by their names", async () => {
    const paths = [await temporaryDirectory(), await temporaryDirectory()];
    for (const path of paths) {
      await new EncryptionManager(generateKey(), {
        subjects: new FileKeyStore({ path }),
      }).subjectKey("user-123");
    }
    const [a, b] = await Promise.all(paths.map(async (path) => readdir(join(path, "names"))));
    expect(a).not.toEqual(b);
  });

  it("needs both the master key and the subject's secret", async () => {
    const subjects = new FileKeyStore({ path: await temporaryDirectory() });
    const key = generateKey();
    const { jwe, kid, hash } = await sealFor(new EncryptionManager(key, { subjects }), "user-123");
    const id = kid.split(".")[2] ?? "";
    const missing = { code: "AUDIT_KEY_MISSING", message: expect.stringContaining(id) };
    for (const reader of [
      new EncryptionManager(key),
      new EncryptionManager(key, {
        subjects: new FileKeyStore({ path: await temporaryDirectory() }),
      }),
    ]) {
      expect(caught(() => reader.open(jwe))).toMatchObject(missing);
      expect(caught(() => reader.matches(content.text, hash, kid))).toMatchObject(missing);
    }
    const other = new EncryptionManager(generateKey(), { subjects });
    expect(caught(() => other.open(jwe))).toMatchObject({ code: "AUDIT_KEY_MISSING" });
    expect(new EncryptionManager(key, { subjects }).open(jwe, binding)).toBe("I live in Vaduz");
  });

  it("stays one subject's through a rotation of the master key, also once the old key is dropped", async () => {
    const subjects = new FileKeyStore({ path: await temporaryDirectory() });
    const [v1, v2] = [generateKey(), generateKey()];
    const before = new EncryptionManager({ current: "v1", keys: { v1 } }, { subjects });
    const old = await sealFor(before, "user-123");
    const { id } = await before.subjectKey("user-123");
    const during = new EncryptionManager({ current: "v2", keys: { v1, v2 } }, { subjects });
    const next = await sealFor(during, "user-123");
    expect(next.kid).toBe(`v2.${stream}.${id}`);
    expect([during.open(old.jwe), during.open(next.jwe)]).toEqual([
      "I live in Vaduz",
      "I live in Vaduz",
    ]);
    const after = new EncryptionManager({ current: "v2", keys: { v2 } }, { subjects });
    expect(await after.subjectIds("user-123")).toEqual([id]);
    expect(await after.eraseSubject("user-123")).toEqual([id]);
    for (const { jwe } of [old, next]) {
      expect(caught(() => during.open(jwe))).toMatchObject({ code: "AUDIT_SUBJECT_ERASED" });
    }
  });

  it("needs a secret of 32 bytes, whatever a key store of one's own gives", async () => {
    const weak = { id: "c3ViamVjdA", secret: createSecretKey(Buffer.from("short")) };
    const store: KeyStore = {
      obtain: async () => weak,
      find: async () => [weak.id],
      lookUp: () => weak,
      destroy: async () => [weak.id],
    };
    const manager = new EncryptionManager(undefined, { subjects: store });
    const refused = {
      code: "AUDIT_SUBJECT_INVALID",
      message: `The key store's secret of the subject "${weak.id}" is not a KeyObject of 32 bytes`,
    };
    await expect(manager.subjectKey("user-123")).rejects.toMatchObject(refused);
    expect(caught(() => manager.exportKey(`${manager.keyId}.${stream}.${weak.id}`))).toMatchObject(
      refused,
    );
  });

  it("needs a key store and a name", async () => {
    const without = new EncryptionManager();
    const refused = {
      code: "AUDIT_SUBJECT_INVALID",
      message: "A data subject needs a key store: new EncryptionManager(key, { subjects })",
    };
    await expect(without.subjectKey("user-123")).rejects.toMatchObject(refused);
    await expect(without.eraseSubject("user-123")).rejects.toMatchObject(refused);
    expect(await without.subjectIds("user-123")).toEqual([]);
    const subjects = new FileKeyStore({ path: await temporaryDirectory() });
    const manager = new EncryptionManager(undefined, { subjects });
    const absent: unknown = undefined;
    for (const name of ["", absent as string]) {
      for (const use of ["subjectKey", "subjectIds", "eraseSubject"] as const) {
        const error: unknown = await manager[use](name).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(AuditError);
        expect(error).toMatchObject({
          code: "AUDIT_SUBJECT_INVALID",
          message: "A data subject's name must be a non-empty string",
        });
      }
    }
  });
});

describe("erasing a data subject", () => {
  it("makes content and keyed hashes unreadable, here and in every process, and leaves others readable", async () => {
    const path = await temporaryDirectory();
    const key = generateKey();
    const managers = [1, 2].map(
      () => new EncryptionManager(key, { subjects: new FileKeyStore({ path }) }),
    );
    const [writer, eraser] = managers;
    if (writer === undefined || eraser === undefined) throw new Error("two managers expected");
    const erased = await sealFor(writer, "user-123");
    const kept = await sealFor(writer, "user-124");
    const nobodys = sealUnder(writer);
    for (const manager of managers)
      expect(manager.open(erased.jwe, binding)).toBe("I live in Vaduz");

    const { id } = await writer.subjectKey("user-123");
    expect(await eraser.eraseSubject("user-123")).toEqual([id]);
    for (const manager of [
      ...managers,
      new EncryptionManager(key, { subjects: new FileKeyStore({ path }) }),
    ]) {
      for (const read of [
        () => manager.open(erased.jwe, binding),
        () => manager.matches(content.text, erased.hash, erased.kid),
        () => manager.exportKey(erased.kid),
      ]) {
        const error = caught(read);
        expect(error).toBeInstanceOf(AuditDecryptError);
        expect(error).toMatchObject({
          code: "AUDIT_SUBJECT_ERASED",
          message: `The data subject "${id}" was erased: its secret is destroyed`,
        });
      }
      for (const { jwe, kid, hash } of [kept, nobodys]) {
        expect(manager.open(jwe, binding)).toBe("I live in Vaduz");
        expect(manager.matches(content.text, hash, kid)).toBe(true);
      }
    }
    expect(await eraser.eraseSubject("user-123")).toEqual([]);
    expect(await writer.subjectIds("user-123")).toEqual([]);
  });

  it("begins anew when the same name is written of again", async () => {
    const manager = new EncryptionManager(undefined, {
      subjects: new FileKeyStore({ path: await temporaryDirectory() }),
    });
    const before = await sealFor(manager, "user-123");
    await manager.eraseSubject("user-123");
    const after = await sealFor(manager, "user-123");
    expect(after.kid).not.toBe(before.kid);
    expect(manager.open(after.jwe, binding)).toBe("I live in Vaduz");
    expect(caught(() => manager.open(before.jwe))).toMatchObject({ code: "AUDIT_SUBJECT_ERASED" });
  });

  it("leaves nothing in a full copy of key store and master key that opens the content", async () => {
    const path = await temporaryDirectory();
    const key = generateKey();
    const script = fileURLToPath(new URL("obtain-subjects.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, path, key, "3"]);
    const { ids, sealed } = JSON.parse(stdout) as { ids: string[]; sealed: string[] };
    const manager = new EncryptionManager(key, { subjects: new FileKeyStore({ path }) });
    const secret = (await manager.subjectKey("user-1")).secret.export();
    await manager.eraseSubject("user-1");

    const copy = await temporaryDirectory();
    await cp(path, copy, { recursive: true });
    const thief = new EncryptionManager(key, { subjects: new FileKeyStore({ path: copy }) });
    expect(sealed.map((jwe) => caughtOr(() => thief.open(jwe)))).toEqual([
      "text 0",
      "AUDIT_SUBJECT_ERASED",
      "text 2",
    ]);
    const files = (await readdir(copy, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    const bytes = Buffer.concat(
      await Promise.all(files.map(async (f) => readFile(join(f.parentPath, f.name)))),
    );
    for (const form of [secret, secret.toString("base64url"), secret.toString("hex")]) {
      expect(bytes.includes(form)).toBe(false);
    }
    const names = files.map((file) => file.name);
    expect(names.filter((name) => name === ids[1])).toHaveLength(1); // the tombstone
    expect(names.filter((name) => name === ids[2])).toHaveLength(2); // the secret, and the name's pointer to it
  });
});

describe("an exported key", () => {
  it("opens its stream's or its subject's content in jose, and nothing else", async () => {
    const subjects = new FileKeyStore({ path: await temporaryDirectory() });
    const manager = new EncryptionManager(
      { current: "v1", keys: { v1: generateKey() } },
      { subjects },
    );
    const [mine, theirs, nobodys] = [
      await sealFor(manager, "user-123"),
      await sealFor(manager, "user-124"),
      sealUnder(manager),
    ];
    const jwk = manager.exportKey(mine.kid);
    expect(jwk).toEqual({
      kty: "oct",
      alg: "A256GCM",
      use: "enc",
      kid: mine.kid,
      k: expect.stringMatching(/^[\w-]{43}$/),
    });
    const key = await importJWK({ ...jwk });
    const { plaintext } = await compactDecrypt(mine.jwe, key);
    expect(new TextDecoder().decode(plaintext)).toBe("I live in Vaduz");
    for (const { jwe } of [theirs, nobodys]) {
      await expect(compactDecrypt(jwe, key)).rejects.toMatchObject({
        code: "ERR_JWE_DECRYPTION_FAILED",
      });
    }
    const streamKey = await importJWK({ ...manager.exportKey(nobodys.kid) });
    expect((await compactDecrypt(nobodys.jwe, streamKey)).protectedHeader.kid).toBe(nobodys.kid);
  });

  it("exists only for a kid whose keys are known", () => {
    const manager = new EncryptionManager();
    expect(caught(() => manager.exportKey(`v9.${stream}`))).toMatchObject({
      code: "AUDIT_KEY_MISSING",
    });
    expect(caught(() => manager.exportKey("nonsense"))).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
    });
  });
});

function caughtOr(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (AuditError.isInstance(error)) return error.code;
    throw error;
  }
}
