// The options of FileStorage, checked once.
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { AuditConfigError } from "../../errors.ts";
import { checkSigner, type Signer } from "../../seal/signer.ts";
import { anything, moreThan, oneOf, optionsOf } from "../../options.ts";
import type { SegmentArchive } from "../../retention/archive.ts";
import { checkTrustedKeys } from "../../retention/trust.ts";
import { resolveMark } from "../mark.ts";

/** Options of a `FileStorage`: the place of the log, and how it is written, sealed and shipped. */
export interface FileStorageOptions {
  /** Directory of the log; made with mode 0700 when the first line is written. */
  readonly path: string;
  /** A segment that would grow beyond this many MiB ends. @default 100 */
  readonly rotationSizeMb?: number;
  /**
   * The moment at which `append` resolves: `fsync` after fdatasync(2), so that a power cut loses
   * nothing acknowledged; `os` once the operating system has the bytes, so that a killed process
   * loses nothing. @default "fsync"
   */
  readonly durability?: "fsync" | "os";
  /**
   * Milliseconds after which a write that the file system has not answered is refused with
   * `AUDIT_WRITE_TIMEOUT`.
   * @default 30000
   */
  readonly writeTimeoutMs?: number;
  /**
   * Signs every checkpoint. Without one the log finds accidents, not an attacker who recomputes it.
   */
  readonly signer?: Signer;
  /**
   * `vkey`s of earlier keys of this log. Retention may remove segments that they sealed, and trusts
   * their records like those of the `signer`. Segments of other keys stay. @default none
   */
  readonly trustedKeys?: readonly string[];
  /**
   * A directory outside of `path`, where the writer notes the state of its open segment. A segment
   * that is shorter at the next start gets a sealed `segment.gap` line: a crash or an attacker
   * removed its end.
   * @default none: a cut looks like a crash
   */
  readonly mark?: string;
  /**
   * The place to which closed segments are shipped: `S3Archive` of @ai-audit/core/s3.
   * @default nowhere
   */
  readonly archive?: SegmentArchive;
}

const checkOptions: (given: unknown) => void = optionsOf<FileStorageOptions>("FileStorage", {
  path: anything,
  rotationSizeMb: moreThan(0),
  durability: oneOf("fsync", "os"),
  writeTimeoutMs: anything,
  signer: anything,
  trustedKeys: anything,
  mark: anything,
  archive: anything,
});

/** The options with every default in its place. */
export interface ResolvedFileOptions {
  /** Absolute. */
  readonly path: string;
  readonly rotationSizeMb: number;
  readonly durability: "fsync" | "os";
  readonly writeTimeoutMs: number;
  readonly signer: Signer | undefined;
  readonly trustedKeys: readonly string[];
  /** Absolute. */
  readonly mark: string | undefined;
  readonly archive: SegmentArchive | undefined;
}

/**
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID`; `AUDIT_KEY_INVALID` for an invalid trusted key
 */
export function resolveOptions(options: FileStorageOptions): ResolvedFileOptions {
  checkOptions(options);
  const {
    path,
    rotationSizeMb = 100,
    durability = "fsync",
    writeTimeoutMs = 30_000,
    signer,
    trustedKeys = [],
    mark,
    archive,
  } = options;
  if (typeof path !== "string" || path === "")
    throw new AuditConfigError("path must name a directory");
  if (!(writeTimeoutMs >= 1 && writeTimeoutMs < 2 ** 31))
    throw new AuditConfigError(
      "writeTimeoutMs must be a number of milliseconds from 1 to 2147483647",
    );
  checkSigner(signer);
  checkTrustedKeys(trustedKeys);
  const absolute = resolve(path);
  if (isOtherThanDirectory(absolute))
    throw new AuditConfigError(`path ${absolute} is not a directory`);
  return {
    path: absolute,
    mark: resolveMark(mark, absolute),
    rotationSizeMb,
    durability,
    writeTimeoutMs,
    signer,
    trustedKeys,
    archive,
  };
}

function isOtherThanDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch (cause) {
    throw new AuditConfigError(`path ${path} cannot be accessed`, { cause });
  }
}
