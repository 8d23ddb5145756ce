// The files of an anchorer: its key, and its memory of the last run beside it.
import { readFileSync } from "node:fs";
import { AuditConfigError } from "../errors.ts";
import { createFile, replaceFile } from "../files.ts";
import { parseObject } from "../format/read-control-line.ts";
import { Signer } from "../seal/signer.ts";
import type { AnchorState } from "./anchorer.ts";

/** Makes the key's file. False when there is one already. */
export async function writeAnchorKey(path: string, signer: Signer): Promise<boolean> {
  return createFile(path, `${signer.name}\n${signer.toPem()}`);
}

/**
 * The anchorer's key.
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` when the file cannot be read,
 * `AUDIT_KEY_INVALID` when it holds no key
 */
export function readAnchorKey(path: string): Signer {
  const text = readText(path, "make one: ai-audit anchor --init");
  const end = text.indexOf("\n");
  return Signer.fromPem(text.slice(0, end), text.slice(end + 1));
}

/**
 * The memory of the last run, from `<key>.state`. Without it an anchorer cannot tell an older copy
 * of the anchor log from the newest.
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` when the file is gone or another one
 */
export function readAnchorState(keyPath: string): AnchorState {
  const path = statePath(keyPath);
  const text = readText(
    path,
    "it lies beside the key; where it is lost, begin a new anchor log that continues this one (--init --continues)",
  );
  const state: unknown = parseObject(text.trimEnd());
  if (isState(state)) return state;
  throw new AuditConfigError(`not the state of an anchorer: ${path}`);
}

function isState(value: unknown): value is AnchorState {
  return typeof value === "object" && value !== null && "origin" in value && "files" in value;
}

/** Keeps the memory of the last run, durably. */
export async function writeAnchorState(keyPath: string, state: AnchorState): Promise<void> {
  await replaceFile(statePath(keyPath), `${JSON.stringify(state)}\n`);
}

function statePath(keyPath: string): string {
  return `${keyPath}.state`;
}

function readText(path: string, remedy: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // No cause: the remedy is of more use to a reader than the system's words.
    const why = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    throw new AuditConfigError(`${path} cannot be read${why}: ${remedy}`);
  }
}
