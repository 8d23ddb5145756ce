// The source of master keys when a program starts.
import { open } from "node:fs/promises";
import { AuditConfigError } from "../errors.ts";
import { type Keys, parseKeys } from "./key-ring.ts";

/**
 * A source of master keys, asked once at start: `EncryptionManager.fromProvider(provider)`. One of
 * your own is an object with this one method:
 *
 *     const vaultKeys: KeyProvider = {
 *       load: async () => ({ current: "v2", keys: { v1: await vault.read("audit/v1"), v2: await vault.read("audit/v2") } }),
 *     };
 */
export interface KeyProvider {
  /** One key, or a ring. Rejects with `AuditConfigError` when there is none. */
  load(): Promise<Keys>;
}

/** The variable with the keys when none is named. */
const KEY_VARIABLE = "AUDIT_ENCRYPTION_KEY";

/** The keys in an environment variable. Throws as `environmentKeys` rejects. */
export function keysFromEnv(
  name: string = KEY_VARIABLE,
  env: NodeJS.ProcessEnv = process.env,
): Keys {
  const text = env[name]?.trim() ?? "";
  if (text === "")
    throw new AuditConfigError(`The environment variable ${name} is not set: it must hold a key`);
  return parseKeys(text, `The environment variable ${name}`);
}

/**
 * Keys in an environment variable: one key, or a ring as JSON. Other processes of the same user can
 * read the variable. Rejects with `AuditConfigError` naming the variable: `AUDIT_CONFIG_INVALID`
 * when it is missing or empty, `AUDIT_KEY_INVALID` when it holds something else.
 */
export function environmentKeys(
  name: string = KEY_VARIABLE,
  env: NodeJS.ProcessEnv = process.env,
): KeyProvider {
  return { load: async () => keysFromEnv(name, env) };
}

/**
 * Keys in a file: one key, or a ring as JSON; a line feed at the end is ignored. Rejects with
 * `AuditConfigError` naming the file: `AUDIT_CONFIG_INVALID` when it cannot be read, is empty, or
 * when users other than its owner may use it (not checked on Windows, where the mode has no
 * meaning); `AUDIT_KEY_INVALID` when it holds something else.
 */
export function fileKeys(path: string): KeyProvider {
  return { load: async () => parseKeys(await readPrivateFile(path), `The key file ${path}`) };
}

async function readPrivateFile(path: string): Promise<string> {
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    checkMode((await file.stat()).mode, path); // of the opened file: the name may point to another file by now
    return await file.readFile("utf8");
  } catch (cause) {
    if (cause instanceof AuditConfigError) throw cause;
    throw unreadable(path, cause);
  } finally {
    await file.close();
  }
}

function unreadable(path: string, cause: unknown): AuditConfigError {
  return new AuditConfigError(`The key file ${path} cannot be read`, { cause });
}

function checkMode(mode: number, path: string): void {
  if (process.platform === "win32" || (mode & 0o077) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(3, "0");
  throw new AuditConfigError(
    `The key file ${path} has mode ${octal}: others than its owner may use it; make it 600`,
  );
}
