// Master keys wrapped by AWS KMS. Needs the package @aws-sdk/client-kms.
import type { KeyObject } from "node:crypto";
import type { KMSClient } from "@aws-sdk/client-kms";
import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { AuditConfigError, AuditError, missingPeer, withClass } from "../errors.ts";
import { createFile, makeDirectory, replaceFile, writeNewFile } from "../files.ts";
import type { KeyProvider } from "./key-provider.ts";
import type { KeyRing } from "./key-ring.ts";
import { fingerprint, KEY_BYTES, secretKey } from "./keys.ts";
import { parseJson } from "./parse-json.ts";
import { hasCode } from "../system-error.ts";

/** The KMS key that wraps, and the place of the wrapped keys. */
export interface AwsKmsKeysOptions {
  /**
   * The KMS key that wraps and unwraps: id, alias or ARN. Keys wrapped by another KMS key are not
   * used; an alias must keep pointing to the same key.
   */
  readonly kmsKeyId: string;
  /**
   * The key file. Useless without the right to `kms:Decrypt`, so it can be kept and backed up
   * beside the log.
   */
  readonly path: string;
  /** @default a client with the SDK's own defaults: environment, profile, instance role */
  readonly client?: KMSClient;
}

/** The key file: wrapped data keys, base64, by their fingerprints. */
interface KeyFile {
  readonly current: string;
  readonly keys: Readonly<Record<string, string>>;
}

/**
 * Additional authenticated data of each wrapped key: it shows in CloudTrail, and the key unwraps
 * only with it.
 */
const CONTEXT = { purpose: "ai-audit master key" };

/**
 * Keys that AWS KMS wrapped, in a key file beside the log. At the first start a data key is
 * generated (`GenerateDataKey`) and its wrapped form kept; at each start the file's keys are
 * unwrapped (`Decrypt`), and no entry costs a call. Of several processes that start at once, one
 * makes the file and all use its key.
 *
 * The file is needed as long as the log: without it KMS cannot restore the keys. Rejects with
 * `AuditConfigError`: `AUDIT_CONFIG_INVALID` when the package is missing, or KMS or the file cannot
 * be used, `AUDIT_KEY_INVALID` when the file is damaged.
 */
export function awsKmsKeys(options: AwsKmsKeysOptions): KeyProvider {
  return { load: async () => withKms(options, async (kms) => loadKeys(options, kms)) };
}

/**
 * Adds a new data key to the key file, which the next `load()` writes with, and gives its key id.
 * Run it once, then restart the processes: a process that still runs writes under the older key,
 * which stays known, and can read the new key's entries after its restart. Rejects as `awsKmsKeys`
 * does; also when another rotation is under way.
 */
export async function rotateAwsKmsKeys(options: AwsKmsKeysOptions): Promise<string> {
  return withKms(options, async (kms) => {
    const lock = `${options.path}.next`;
    // Made exclusively: of two rotations at once, neither can lose a key that the other's readers
    // already use.
    await writeNewFile(lock, "").catch((cause: unknown) => {
      throw new AuditConfigError(
        `Another rotation is running; if it was interrupted, remove ${lock}`,
        { cause },
      );
    });
    try {
      const { keys } = await readKeyFile(options.path);
      const made = await kms.generate();
      const next = { current: made.id, keys: { ...keys, [made.id]: made.wrapped } };
      await replaceFile(options.path, formatKeyFile(next));
      return made.id;
    } finally {
      await rm(lock, { force: true });
    }
  });
}

async function loadKeys({ path }: AwsKmsKeysOptions, kms: Kms): Promise<KeyRing> {
  const { current, keys } = await readOrMakeKeyFile(path, kms);
  const ids = Object.keys(keys);
  const unwrapped = await Promise.all(
    ids.map(async (id) => [id, await kms.unwrap(keys[id] ?? "", id)] as const),
  );
  return { current, keys: Object.fromEntries(unwrapped) };
}

async function readOrMakeKeyFile(path: string, kms: Kms): Promise<KeyFile> {
  try {
    return await readKeyFile(path);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  const { id, wrapped } = await kms.generate();
  await makeDirectory(dirname(path));
  await createFile(path, formatKeyFile({ current: id, keys: { [id]: wrapped } }));
  return readKeyFile(path); // this process's file, or that of a faster process
}

async function readKeyFile(path: string): Promise<KeyFile> {
  const file = parseJson(await readFile(path, "utf8"));
  if (isKeyFile(file)) return file;
  throw new AuditConfigError(`The key file ${path} does not hold keys wrapped by AWS KMS`, {
    code: "AUDIT_KEY_INVALID",
  });
}

function formatKeyFile(file: KeyFile): string {
  return `${JSON.stringify({ wrapped_by: "aws-kms", ...file }, undefined, 2)}\n`;
}

function isKeyFile(value: unknown): value is KeyFile {
  if (typeof value !== "object" || value === null) return false;
  if (
    !(
      "wrapped_by" in value &&
      value.wrapped_by === "aws-kms" &&
      "current" in value &&
      "keys" in value
    )
  )
    return false;
  const { current, keys } = value;
  if (typeof current !== "string" || typeof keys !== "object" || keys === null) return false;
  return current in keys && Object.values(keys).every((key) => typeof key === "string");
}

/** The two calls to KMS. */
interface Kms {
  generate(): Promise<{ readonly id: string; readonly wrapped: string }>;
  unwrap(wrapped: string, id: string): Promise<KeyObject>;
}

async function withKms<T>(
  { kmsKeyId, path, client }: AwsKmsKeysOptions,
  work: (kms: Kms) => Promise<T>,
): Promise<T> {
  const sdk = await loadSdk();
  const service = client ?? new sdk.KMSClient({});
  try {
    return await work({
      async generate() {
        const request = { KeyId: kmsKeyId, NumberOfBytes: KEY_BYTES, EncryptionContext: CONTEXT };
        const { Plaintext, CiphertextBlob } = await service.send(
          new sdk.GenerateDataKeyCommand(request),
        );
        const id = fingerprint(masterKey(Plaintext, path));
        return { id, wrapped: Buffer.from(CiphertextBlob ?? []).toString("base64") };
      },
      async unwrap(wrapped, id) {
        const blob = Buffer.from(wrapped, "base64");
        // With the key's name. Attacker: a writer of the file could otherwise make us use a key
        // that another account's KMS key wrapped.
        const request = { KeyId: kmsKeyId, CiphertextBlob: blob, EncryptionContext: CONTEXT };
        const { Plaintext } = await service.send(new sdk.DecryptCommand(request));
        const key = masterKey(Plaintext, path);
        if (fingerprint(key) === id) return key;
        throw new AuditConfigError(`The key file ${path} holds another key as "${id}"`, {
          code: "AUDIT_KEY_INVALID",
        });
      },
    });
  } catch (cause) {
    if (AuditError.isInstance(cause)) throw cause;
    throw new AuditConfigError(`AWS KMS or the key file ${path} cannot be used`, { cause });
  } finally {
    if (client === undefined) service.destroy();
  }
}

/** A KeyObject of the bytes from KMS, which are wiped. */
function masterKey(plaintext: Uint8Array | undefined, path: string): KeyObject {
  if (plaintext?.byteLength === KEY_BYTES) {
    return secretKey(Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength));
  }
  throw new AuditConfigError(`AWS KMS gave no key of ${KEY_BYTES} bytes for ${path}`, {
    code: "AUDIT_KEY_INVALID",
  });
}

async function loadSdk(): Promise<typeof import("@aws-sdk/client-kms")> {
  try {
    return withClass(await import("@aws-sdk/client-kms"), "KMSClient");
  } catch (cause) {
    throw missingPeer("@aws-sdk/client-kms", cause);
  }
}
