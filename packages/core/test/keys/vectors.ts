// The committed vectors, typed.
import { readFileSync } from "node:fs";
import { createSecretKey, type KeyObject } from "node:crypto";
import type { SubjectKey } from "../../src/keys/keys.ts";

export interface ContentVector {
  readonly name: string;
  readonly key: string;
  readonly subject_id: string | null;
  readonly subject_secret: string | null;
  readonly kid: string;
  readonly entry_id: string;
  readonly field: "input" | "output";
  readonly format: "json" | null;
  readonly text: string;
  readonly content_key: string;
  readonly digest_key: string;
  readonly header: string;
  readonly iv: string;
  readonly jwe: string;
  readonly digest: string;
}

interface FernetVector {
  readonly token: string;
  readonly now: string;
}

interface EncryptionVectors {
  readonly key_ids: readonly {
    readonly name: string;
    readonly key: string;
    readonly key_id: string;
  }[];
  readonly contents: readonly ContentVector[];
}

interface FernetVectors {
  readonly secret: string;
  readonly generate: readonly (FernetVector & {
    readonly iv: readonly number[];
    readonly src: string;
  })[];
  readonly verify: readonly (FernetVector & { readonly ttl_sec: number; readonly src: string })[];
  readonly invalid: readonly (FernetVector & { readonly ttl_sec: number; readonly desc: string })[];
}

/** Made by make_encryption_vectors.py, which shares no code with us. */
export const encryptionVectors: EncryptionVectors = JSON.parse(read("encryption.json"));

/** Published with the Fernet specification. */
export const fernetVectors: FernetVectors = JSON.parse(read("fernet.json"));

/** A KeyObject of unpadded base64url. */
export function keyOf(base64url: string): KeyObject {
  return createSecretKey(base64url, "base64url");
}

/** The bytes of a KeyObject as unpadded base64url. */
export function textOf(key: KeyObject): string {
  return key.export().toString("base64url");
}

/** The subject's secret that goes into a vector's keys. */
export function subjectOf(vector: ContentVector): SubjectKey | undefined {
  const { subject_id: id, subject_secret: secret } = vector;
  return id === null || secret === null ? undefined : { id, secret: keyOf(secret) };
}

function read(name: string): string {
  return readFileSync(new URL(`../vectors/${name}`, import.meta.url), "utf8");
}
