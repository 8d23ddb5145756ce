// The bucket that a directory's closed segments are shipped to.
import { createHash } from "node:crypto";
import { AuditError } from "../../errors.ts";
import { anything, atLeast, callback, optionsOf } from "../../options.ts";
import type { ClosedSegment, SegmentArchive } from "../../retention/archive.ts";
import { S3Bucket } from "./bucket.ts";
import { shippedKey } from "./keys.ts";
import { formatShippedMetadata } from "./metadata.ts";
import {
  checkExpiresDays,
  PLACE_OPTIONS,
  type ResolvedObjectOptions,
  resolveConnection,
  resolveObjectOptions,
  resolvePlace,
  type S3Connection,
  type S3ObjectOptions,
} from "./options.ts";
import { putOnce } from "./put-once.ts";

/** Options of an `S3Archive`: the place of closed segments, and the time that local copies stay. */
export interface S3ArchiveOptions extends S3Connection, S3ObjectOptions {
  readonly bucket: string;
  /** @default "audit/" */
  readonly prefix?: string;
  /**
   * Days that a local copy stays after it was confirmed in the bucket. Copies of the present UTC
   * day always stay.
   * @default Infinity: local copies stay until retention removes them
   */
  readonly keepLocalDays?: number;
  /**
   * Days after which a lifecycle rule of the bucket removes objects; see `lifecycleRule()`. It is
   * recorded and sealed in the directory's segments: the verifier then reports older objects as
   * removed, not as missing. @default none
   */
  readonly expiresDays?: number;
  /**
   * Called for each segment that could not be shipped; it is tried again every minute. @default a
   * process warning
   */
  readonly onError?: (error: Error) => void;
}

const checkOptions: (given: unknown) => void = optionsOf<S3ArchiveOptions>("S3Archive", {
  ...PLACE_OPTIONS,
  keepLocalDays: atLeast(0),
  expiresDays: anything,
  onError: callback,
});

/**
 * Ships the closed segments of a directory to a bucket: `new FileStorage({ path, archive: new
 * S3Archive({ bucket }) })`. A segment is one object, byte for byte, under
 * `<prefix>YYYY-MM-DD/<stream>/<file>`; any number of directories and direct writers may share a
 * prefix.
 */
export class S3Archive implements SegmentArchive {
  readonly keepLocalDays: number;
  readonly expiresDays: number | undefined;
  readonly onError: (error: Error) => void;
  readonly #bucket: S3Bucket;
  readonly #objects: ResolvedObjectOptions;

  /** Throws `AUDIT_CONFIG_INVALID`. */
  constructor(options: S3ArchiveOptions) {
    checkOptions(options);
    const { keepLocalDays = Infinity, expiresDays, onError = warn } = options;
    checkExpiresDays(expiresDays);
    const { bucket, prefix } = resolvePlace(options);
    this.keepLocalDays = keepLocalDays;
    this.expiresDays = expiresDays;
    this.onError = onError;
    this.#bucket = new S3Bucket(bucket, prefix, resolveConnection(options));
    this.#objects = resolveObjectOptions(options);
  }

  async store(segment: ClosedSegment): Promise<string> {
    const { day, stream, file, bytes, sha256, directory, entries, linked, firstId, lastId, ref } =
      segment;
    const key = shippedKey(day, stream, file);
    const location = this.#bucket.urlOf(key);
    const about = {
      directory,
      sha256,
      entries,
      linked,
      isSecondTry: segment.isSecondTry,
      firstId,
      lastId,
      leaves: ref.size,
      root: ref.root,
    };
    const object = {
      key,
      metadata: formatShippedMetadata(about),
      contentType: "application/x-ndjson",
    };
    const content = { bytes, read: (from: number, to: number) => segment.read(from, to) };
    const there = await this.#bucket.peek(key);
    const isThere = there?.bytes === bytes && there.metadata["audit-sha256"] === sha256;
    if (!isThere && (await putOnce(this.#bucket, object, content, this.#objects)) === "taken") {
      throw new AuditError("AUDIT_WRITE_FAILED", `${location} holds other bytes than ${file}`);
    }
    if ((await this.#sha256Of(key, bytes)) !== sha256) {
      throw new AuditError(
        "AUDIT_WRITE_FAILED",
        `${location} does not have the SHA-256 of ${file}`,
      );
    }
    return location;
  }

  /**
   * SHA-256 of the stored object: the server's, where it knows that of the whole object, else
   * computed by reading the object back.
   */
  async #sha256Of(key: string, bytes: number): Promise<string> {
    const known = (await this.#bucket.head(key))?.sha256;
    if (known !== undefined) return Buffer.from(known, "base64").toString("hex");
    const sha256 = createHash("sha256");
    const { partBytes } = this.#objects;
    for (let from = 0; from < bytes; from += partBytes) {
      const part = await this.#bucket.get(key, { from, to: Math.min(from + partBytes, bytes) - 1 });
      sha256.update(part?.body ?? "");
    }
    return sha256.digest("hex");
  }
}

function warn(error: Error): void {
  process.emitWarning(error.message, { type: "AuditWarning", code: "AUDIT_NOT_SHIPPED" });
}
