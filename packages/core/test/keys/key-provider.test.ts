import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { EncryptionManager } from "../../src/keys/encryption.ts";
import { environmentKeys, fileKeys, type KeyProvider } from "../../src/keys/key-provider.ts";
import type { Keys } from "../../src/keys/key-ring.ts";
import { decodeKey, generateKey } from "../../src/keys/keys.ts";
import { AuditConfigError } from "../../src/errors.ts";
import { caught } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

async function keyFile(text: string, mode = 0o600): Promise<string> {
  const path = join(await temporaryDirectory(), "audit.key");
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

const [v1, v2] = [generateKey(), generateKey()];
const ring = JSON.stringify({ current: "v2", keys: { v1, v2 } });

describe("keys from a file", () => {
  it("are one key, whatever white space is around it", async () => {
    const manager = await EncryptionManager.fromProvider(fileKeys(await keyFile(`${v1}\n`)));
    expect(manager.getKey()).toBe(v1);
    expect(manager.unread).toBe(false);
  });

  it("are a ring as JSON", async () => {
    const manager = await EncryptionManager.fromProvider(fileKeys(await keyFile(ring, 0o400)));
    expect(manager.keyId).toBe("v2");
    expect(manager.getKey()).toBe(v2);
    expect(manager.decrypt(new EncryptionManager(v1).encrypt("old"))).toBe("old");
  });

  it.skipIf(process.platform === "win32").each([0o640, 0o604, 0o620, 0o610, 0o644, 0o666])(
    "are refused when others than the owner may use the file: mode %o",
    async (mode) => {
      const path = await keyFile(v1, mode);
      const error: unknown = await fileKeys(path)
        .load()
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(AuditConfigError);
      expect(error).toMatchObject({
        code: "AUDIT_CONFIG_INVALID",
        message: `The key file ${path} has mode ${mode.toString(8)}: others than its owner may use it; make it 600`,
      });
    },
  );

  it("are refused when there is no file", async () => {
    const path = join(await temporaryDirectory(), "none.key");
    await expect(fileKeys(path).load()).rejects.toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: `The key file ${path} cannot be read`,
      cause: { code: "ENOENT" },
    });
  });

  it("are refused when the path is a directory's", async () => {
    const path = await temporaryDirectory();
    await expect(fileKeys(path).load()).rejects.toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: `The key file ${path} cannot be read`,
      cause: { code: "EISDIR" },
    });
  });

  it.each([
    ["", "AUDIT_CONFIG_INVALID", "is empty: it must hold a key"],
    ["secret-but-short", "AUDIT_KEY_INVALID", "is not a key: expected 32 bytes"],
    ['{"current":"secret', "AUDIT_KEY_INVALID", "is not a key ring: expected"],
    ['{"current":"v1","keys":{"v1":7}}', "AUDIT_KEY_INVALID", "is not a key ring: expected"],
    ['{"current":"v1"}', "AUDIT_KEY_INVALID", "is not a key ring: expected"],
  ])("are refused when the file holds %j, without showing it", async (text, code, message) => {
    const path = await keyFile(text);
    const error: unknown = await fileKeys(path)
      .load()
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code,
      message: expect.stringContaining(`The key file ${path} ${message}`),
    });
    expect(inspect(error, { depth: 10 })).not.toContain("secret");
  });
});

describe("keys from the environment", () => {
  it("are one key or a ring", async () => {
    const env = { AUDIT_ENCRYPTION_KEY: v1, RING: ring };
    expect((await EncryptionManager.fromProvider(environmentKeys(undefined, env))).getKey()).toBe(
      v1,
    );
    expect((await EncryptionManager.fromProvider(environmentKeys("RING", env))).keyId).toBe("v2");
    expect(EncryptionManager.fromEnv("RING", {}, env).keyId).toBe("v2");
  });

  it("are looked for in AUDIT_ENCRYPTION_KEY", async () => {
    await expect(environmentKeys(undefined, {}).load()).rejects.toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: "The environment variable AUDIT_ENCRYPTION_KEY is not set: it must hold a key",
    });
  });
});

describe("a provider of one's own", () => {
  it("is an object with load(), which may give KeyObjects", async () => {
    const own: KeyProvider = {
      load: async () => ({ current: "v2", keys: { v1, v2: decodeKey(v2, "k") } }),
    };
    const manager = await EncryptionManager.fromProvider(own);
    expect(manager.getKey()).toBe(v2);
  });

  it("that gives nothing is refused: no key is generated in its place", async () => {
    const nothing: unknown = undefined;
    const own: KeyProvider = { load: async () => nothing as Keys };
    await expect(EncryptionManager.fromProvider(own)).rejects.toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: "The key provider gave no keys",
    });
  });

  it.each([
    [null],
    [7],
    [{}],
    [{ current: "v1" }],
    [{ keys: {} }],
    [{ current: "v1", keys: null }],
  ])("that gives %j is refused, as the constructor refuses it", async (given: unknown) => {
    const refused = {
      code: "AUDIT_KEY_INVALID",
      message:
        "The encryption key is neither a key nor a key ring: expected a string, or { current, keys }",
    };
    const own: KeyProvider = { load: async () => given as Keys };
    await expect(EncryptionManager.fromProvider(own)).rejects.toMatchObject(refused);
    expect(caught(() => new EncryptionManager(given as Keys))).toMatchObject(refused);
  });

  it.each([[null], [undefined], [Buffer.alloc(32)], [{ symmetricKeySize: 32 }]])(
    "that gives %j for a key is refused",
    async (value: unknown) => {
      const own: KeyProvider = {
        load: async () => ({ current: "v1", keys: { v1, v2: value as string } }),
      };
      await expect(EncryptionManager.fromProvider(own)).rejects.toMatchObject({
        code: "AUDIT_KEY_INVALID",
        message: 'The encryption key "v2" is not a secret KeyObject of 32 bytes',
      });
    },
  );

  it("is not believed when it gives a KeyObject of another size", async () => {
    const { createSecretKey } = await import("node:crypto");
    const own: KeyProvider = {
      load: async () => ({ current: "v1", keys: { v1: createSecretKey(Buffer.alloc(16)) } }),
    };
    await expect(EncryptionManager.fromProvider(own)).rejects.toMatchObject({
      code: "AUDIT_KEY_INVALID",
      message: 'The encryption key "v1" is not a secret KeyObject of 32 bytes',
    });
  });
});
