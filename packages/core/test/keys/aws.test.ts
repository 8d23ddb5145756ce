import { execFile } from "node:child_process";
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { awsKmsKeys, rotateAwsKmsKeys } from "../../src/keys/aws-kms.ts";
import { awsSecretsKeys } from "../../src/keys/aws-secrets.ts";
import { EncryptionManager } from "../../src/keys/encryption.ts";
import { generateKey } from "../../src/keys/keys.ts";
import { AuditConfigError } from "../../src/errors.ts";
import { type AwsServer, startMoto } from "./moto.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const credentials = { accessKeyId: "test", secretAccessKey: "testtest" };
const region = "eu-central-1";

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe.skipIf(isLeftOut("moto"))("keys in AWS", () => {
  let server: AwsServer;
  let client: SecretsManagerClient;
  let kms: KMSClient;
  let kmsKeyId: string;

  beforeAll(async () => {
    server = await startMoto();
    client = new SecretsManagerClient({ region, credentials, endpoint: server.endpoint });
    kms = new KMSClient({ region, credentials, endpoint: server.endpoint });
    kmsKeyId = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? "";
    // What a client with the SDK's defaults finds.
    vi.stubEnv("AWS_ENDPOINT_URL", server.endpoint);
    vi.stubEnv("AWS_REGION", region);
    vi.stubEnv("AWS_ACCESS_KEY_ID", credentials.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", credentials.secretAccessKey);
  }, 60_000);

  afterAll(async () => {
    vi.unstubAllEnvs();
    client?.destroy();
    kms?.destroy();
    await server?.stop();
  });

  describe("Secrets Manager", () => {
    it("holds one key", async () => {
      const key = generateKey();
      await client.send(new CreateSecretCommand({ Name: "audit/one", SecretString: `${key}\n` }));
      const manager = await EncryptionManager.fromProvider(
        awsSecretsKeys({ secretId: "audit/one", client }),
      );
      expect(manager.getKey()).toBe(key);
    });

    it("holds a ring, read with the SDK's default client", async () => {
      const [v1, v2] = [generateKey(), generateKey()];
      const SecretString = JSON.stringify({ current: "v2", keys: { v1, v2 } });
      await client.send(new CreateSecretCommand({ Name: "audit/ring", SecretString }));
      const manager = await EncryptionManager.fromProvider(
        awsSecretsKeys({ secretId: "audit/ring" }),
      );
      expect(manager.keyId).toBe("v2");
      expect(manager.decrypt(new EncryptionManager(v1).encrypt("old"))).toBe("old");
    });

    it("is named in the error when the secret is missing or no key", async () => {
      const missing = await failureOf(awsSecretsKeys({ secretId: "audit/none", client }).load());
      expect(missing).toBeInstanceOf(AuditConfigError);
      expect(missing).toMatchObject({
        code: "AUDIT_CONFIG_INVALID",
        message: "The secret audit/none cannot be read from AWS Secrets Manager",
        cause: { name: "ResourceNotFoundException" },
      });
      await client.send(new CreateSecretCommand({ Name: "audit/wrong", SecretString: "hunter2" }));
      const wrong = await failureOf(awsSecretsKeys({ secretId: "audit/wrong", client }).load());
      expect(wrong).toMatchObject({
        code: "AUDIT_KEY_INVALID",
        message: expect.stringMatching(
          /^The secret audit\/wrong is not a key: expected 32 bytes as base64url/,
        ),
      });
      await client.send(
        new CreateSecretCommand({ Name: "audit/bytes", SecretBinary: Buffer.alloc(32, 1) }),
      );
      expect(
        await failureOf(awsSecretsKeys({ secretId: "audit/bytes", client }).load()),
      ).toMatchObject({
        code: "AUDIT_CONFIG_INVALID",
        message: "The secret audit/bytes is empty: it must hold a key",
      });
    });
  });

  describe("KMS", () => {
    it("wraps a key at the first start and unwraps it at every later one", async () => {
      const path = join(await temporaryDirectory(), "keys", "audit-keys.json");
      const first = await EncryptionManager.fromProvider(
        awsKmsKeys({ kmsKeyId, path, client: kms }),
      );
      const token = first.encrypt("x");
      const later = await EncryptionManager.fromProvider(awsKmsKeys({ kmsKeyId, path })); // the SDK's default client
      expect(later.keyId).toBe(first.keyId);
      expect(later.decrypt(token)).toBe("x");
      expect(first.unread).toBe(false);
      const file = await readFile(path, "utf8");
      expect(JSON.parse(file)).toEqual({
        wrapped_by: "aws-kms",
        current: first.keyId,
        keys: { [first.keyId]: expect.stringMatching(/^[A-Za-z0-9+/]{100,}=*$/) },
      });
      expect(file).not.toContain(first.getKey().slice(0, 43));
      expect(await readdir(join(path, ".."))).toEqual(["audit-keys.json"]);
    });

    it("gives processes that start at once the same key", async () => {
      const path = join(await temporaryDirectory(), "audit-keys.json");
      const managers = await Promise.all(
        Array.from({ length: 5 }, async () =>
          EncryptionManager.fromProvider(awsKmsKeys({ kmsKeyId, path, client: kms })),
        ),
      );
      expect(new Set(managers.map((manager) => manager.keyId)).size).toBe(1);
    });

    it("rotates: the new key writes, the older ones read", async () => {
      const options = {
        kmsKeyId,
        path: join(await temporaryDirectory(), "audit-keys.json"),
        client: kms,
      };
      const before = await EncryptionManager.fromProvider(awsKmsKeys(options));
      const token = before.encrypt("old");
      const id = await rotateAwsKmsKeys(options);
      const after = await EncryptionManager.fromProvider(awsKmsKeys(options));
      expect(after.keyId).toBe(id);
      expect(id).not.toBe(before.keyId);
      expect(after.decrypt(token)).toBe("old");
    });

    it("lets one of two rotations at once through, and loses no key", async () => {
      const options = {
        kmsKeyId,
        path: join(await temporaryDirectory(), "audit-keys.json"),
        client: kms,
      };
      const { keyId } = await EncryptionManager.fromProvider(awsKmsKeys(options));
      await writeFile(`${options.path}.next`, "");
      const error = await failureOf(rotateAwsKmsKeys(options));
      expect(error).toMatchObject({
        code: "AUDIT_CONFIG_INVALID",
        message: `Another rotation is running; if it was interrupted, remove ${options.path}.next`,
      });
      expect((await EncryptionManager.fromProvider(awsKmsKeys(options))).keyId).toBe(keyId);
    });

    it("is not asked to rotate a key file that does not exist", async () => {
      const directory = await temporaryDirectory();
      const path = join(directory, "audit-keys.json");
      const error = await failureOf(rotateAwsKmsKeys({ kmsKeyId, path, client: kms }));
      expect(error).toMatchObject({ code: "AUDIT_CONFIG_INVALID", cause: { code: "ENOENT" } });
      expect(await readdir(directory)).toEqual([]);
    });

    it("says so when the file is not one of its own, or holds another key than it says", async () => {
      const path = join(await temporaryDirectory(), "audit-keys.json");
      const options = { kmsKeyId, path, client: kms };
      const ours = new EncryptionManager(await awsKmsKeys(options).load()).keyId;
      await rotateAwsKmsKeys(options);
      const file: { current: string; keys: Record<string, string> } = JSON.parse(
        await readFile(path, "utf8"),
      );
      const swapped = { ...file, keys: { ...file.keys, [ours]: file.keys[file.current] } };
      await writeFile(path, JSON.stringify(swapped));
      expect(await failureOf(awsKmsKeys(options).load())).toMatchObject({
        code: "AUDIT_KEY_INVALID",
        message: `The key file ${path} holds another key as "${ours}"`,
      });
      for (const text of ["", "{}", "[]", '{"wrapped_by":"aws-kms","current":"a","keys":{}}']) {
        await writeFile(path, text);
        expect(await failureOf(awsKmsKeys(options).load())).toMatchObject({
          code: "AUDIT_KEY_INVALID",
          message: `The key file ${path} does not hold keys wrapped by AWS KMS`,
        });
      }
    });

    it("unwraps nothing that another KMS key wrapped: who may write the file cannot put a key of theirs into it", async () => {
      const [path, elsewhere] = [await temporaryDirectory(), await temporaryDirectory()];
      const options = { kmsKeyId, path: join(path, "audit-keys.json"), client: kms };
      const theirs = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? "";
      const forged = { kmsKeyId: theirs, path: join(elsewhere, "audit-keys.json"), client: kms };
      await awsKmsKeys(options).load();
      await awsKmsKeys(forged).load();
      await cp(forged.path, options.path);
      expect(await failureOf(awsKmsKeys(options).load())).toMatchObject({
        code: "AUDIT_CONFIG_INVALID",
        message: `AWS KMS or the key file ${options.path} cannot be used`,
      });
    });

    it("is named in the error when it does not answer", async () => {
      const path = join(await temporaryDirectory(), "audit-keys.json");
      const nobody = new KMSClient({
        region,
        credentials,
        endpoint: "http://127.0.0.1:9",
        maxAttempts: 1,
      });
      expect(await failureOf(awsKmsKeys({ kmsKeyId, path, client: nobody }).load())).toMatchObject({
        code: "AUDIT_CONFIG_INVALID",
        message: `AWS KMS or the key file ${path} cannot be used`,
      });
      nobody.destroy();
    });
  });
});

describe("without the AWS packages", () => {
  it.each([
    ["aws-kms.ts", 'awsKmsKeys({ kmsKeyId: "k", path: "keys.json" })', "@aws-sdk/client-kms"],
    ["aws-secrets.ts", 'awsSecretsKeys({ secretId: "s" })', "@aws-sdk/client-secrets-manager"],
  ])("%s says which one to install", async (file, call, name) => {
    const directory = await temporaryDirectory(); // no node_modules above it
    await cp(fileURLToPath(new URL("../../src", import.meta.url)), directory, { recursive: true });
    await writeFile(join(directory, "package.json"), '{"type":"module"}');
    const module = pathToFileURL(join(directory, "keys", file)).href;
    const program = `const keys = await import("${module}"); await keys.${call}.load().catch((e) => console.log(e.code, e.message));`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--input-type=module",
      "-e",
      program,
    ]);
    expect(stdout).toBe(
      `AUDIT_CONFIG_INVALID The package ${name} is needed here and cannot be loaded: add it to your project\n`,
    );
  });
});
