// The place of an anchor log: files that are made once and never changed. A directory here; a
// bucket implements the same interface.
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createFile } from "../files.ts";
import { hasCode } from "../system-error.ts";

/** A place of files that are made once. */
export interface AnchorStore {
  /** For messages: a path, or `s3://bucket/prefix`. */
  readonly location: string;
  /** Names of all files. Rejects where the place cannot be reached; empty where there is none. */
  list(): Promise<readonly string[]>;
  /** The bytes of a file; undefined when there is none. */
  read(name: string): Promise<Buffer | undefined>;
  /** Makes a file, durably. False when the name is taken. */
  create(name: string, bytes: Buffer): Promise<boolean>;
}

/** An anchor log in a directory. */
export function directoryStore(path: string): AnchorStore {
  return {
    location: path,
    async list() {
      try {
        return await readdir(path);
      } catch (error) {
        if (hasCode(error, "ENOENT")) return [];
        throw error;
      }
    },
    async read(name) {
      try {
        return await readFile(join(path, name));
      } catch (error) {
        if (hasCode(error, "ENOENT")) return undefined;
        throw error;
      }
    },
    async create(name, bytes) {
      await mkdir(path, { recursive: true, mode: 0o700 });
      return createFile(join(path, name), bytes);
    },
  };
}

const DIGITS = 10;

/** The file of a leaf, counted from 0. */
export function leafName(index: number): string {
  return `leaf_${String(index).padStart(DIGITS, "0")}`;
}

/** The index of a leaf's file; undefined for another name. */
function leafIndexOf(name: string): number | undefined {
  const [, digits] = /^leaf_(\d{10})$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Leaves of one bundle: as many as an entry bundle of C2SP tlog-tiles has. */
export const BUNDLE_LEAVES = 256;

/** The file of 256 leaves, from the first one, counted from 0. */
export function bundleName(first: number): string {
  return `leaves_${String(first).padStart(DIGITS, "0")}`;
}

/** The first index of a bundle's file; undefined for another name. */
function bundleIndexOf(name: string): number | undefined {
  const [, digits] = /^leaves_(\d{10})$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** The number of leaves that files with these names hold. */
export function leavesIn(names: readonly string[]): number {
  return names.reduce((most, name) => {
    const leaf = (leafIndexOf(name) ?? -1) + 1;
    const bundle = (bundleIndexOf(name) ?? -BUNDLE_LEAVES) + BUNDLE_LEAVES;
    return Math.max(most, leaf, bundle);
  }, 0);
}

/** The kinds of confirmations that lie beside an anchor log. */
export type ConfirmationKind = "tsa" | "witness";

/** A file that a sink answered: a time-stamp token, or a note with a cosignature. */
export interface ConfirmationName {
  readonly kind: ConfirmationKind;
  /** Leaves of the checkpoint that it confirms. */
  readonly size: number;
  /** The sink. */
  readonly by: string;
  readonly extension: "note" | "tsr";
}

/** The name of a confirmation's file. */
export function formatConfirmationName(name: ConfirmationName): string {
  const by = name.by.replaceAll(/[^A-Za-z0-9.-]/g, "_");
  return `${name.kind}_${String(name.size).padStart(DIGITS, "0")}_${by}.${name.extension}`;
}

/** Reads such a name; undefined for another one. */
export function parseConfirmationName(text: string): ConfirmationName | undefined {
  const [, kind, digits, by, extension] =
    /^(tsa|witness)_(\d{10})_([A-Za-z0-9._-]+)\.(note|tsr)$/.exec(text) ?? [];
  if ((kind !== "tsa" && kind !== "witness") || by === undefined) return undefined;
  if (extension !== "note" && extension !== "tsr") return undefined;
  return { kind, size: Number(digits), by, extension };
}
