// Placing, releasing and listing holds on a log: in a directory, or in a bucket.
import { randomUUID } from "node:crypto";
import { AuditInputError } from "../errors.ts";
import { formatControlLine } from "../format/control-line.ts";
import type { Signer } from "../seal/signer.ts";
import { requireActorAndReason } from "./keeping.ts";
import { parseVkey } from "../seal/note.ts";
import { rangeOf } from "./query.ts";
import { Directory } from "../storage/file/directory.ts";
import { FileStorage } from "../storage/file/file.ts";
import type { Hold } from "../retention/holds.ts";
import { Actor } from "../retention/trust.ts";
import { readHolds } from "../storage/file/holds.ts";
import { reading } from "../storage/read-failure.ts";
import { parseLocation, resolveConnection, type S3Connection } from "../storage/s3/options.ts";
import type { AuditStorage } from "../storage/storage.ts";

/** The person who acts and the reason, for the log itself. */
export interface HoldOptions {
  readonly reason: string;
  readonly actor: string;
  /** Signs the record, as the log's other writers sign theirs. */
  readonly signer?: Signer | undefined;
  /** Settings for the bucket of an `s3://` location. @default the AWS SDK's own settings */
  readonly s3?: S3Connection | undefined;
}

/**
 * Keeps every file that has an entry from `from` to `to` (both inclusive; absent ends are open)
 * from removal by retention; in a bucket (`s3://bucket/prefix`), every UTC day that the time
 * touches. Resolves to the hold's id once it is durable: removals that begin later respect it. A
 * bucket's own lifecycle rule ignores holds.
 *
 * @throws `AUDIT_INPUT_INVALID` for an invalid `Date` and for a range that ends before it begins;
 * `AUDIT_WRITE_FAILED`
 */
export async function placeHold(
  location: string,
  {
    from,
    to,
    reason,
    actor,
    signer,
    s3,
  }: HoldOptions & { readonly from?: Date | undefined; readonly to?: Date | undefined },
): Promise<string> {
  rangeOf({ from, to });
  requireActorAndReason("placeHold()", { actor, reason });
  const hold = randomUUID();
  const placed = new Date().toISOString();
  const range = { from: from?.toISOString() ?? null, to: to?.toISOString() ?? null };
  await record(
    location,
    formatControlLine({ type: "retention.hold", hold, ...range, reason, actor, placed }),
    signer,
    s3,
  );
  return hold;
}

/**
 * Ends a hold. Resolves once that is durable.
 *
 * @throws `AUDIT_INPUT_INVALID` when no such hold is in force, and without a `signer` where the
 * hold was placed under one; `AUDIT_WRITE_FAILED`
 */
export async function releaseHold(
  location: string,
  hold: string,
  { reason, actor, signer, s3 }: HoldOptions,
): Promise<void> {
  requireActorAndReason("releaseHold()", { actor, reason });
  const holds = await listHolds(location, { vkey: signer?.vkey, s3 });
  const known = holds.filter(({ id }) => id === hold);
  if (known.length === 0) throw new AuditInputError(`no hold ${hold} is in force`);
  if (!signer && known.some(({ vkey }) => vkey !== null)) {
    throw new AuditInputError(
      `hold ${hold} was placed under a signing key: an unsigned release does not end it`,
    );
  }
  await record(
    location,
    formatControlLine({
      type: "retention.release",
      hold,
      reason,
      actor,
      released: new Date().toISOString(),
    }),
    signer,
    s3,
  );
}

/**
 * The holds in force, oldest first. A release counts when it is signed by the key under which the
 * hold was placed, or by `vkey`, that of the log's writers now.
 *
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when `vkey` is malformed; `AUDIT_READ_FAILED` when
 * a bucket cannot be read
 */
export async function listHolds(
  location: string,
  {
    vkey,
    s3 = {},
  }: { readonly vkey?: string | undefined; readonly s3?: S3Connection | undefined } = {},
): Promise<readonly Hold[]> {
  if (!location.startsWith("s3://"))
    return (await readHolds(new Directory(location, new Actor(vkey)))).active;
  if (vkey !== undefined) parseVkey(vkey);
  const [{ S3Bucket }, { readBucketHolds }] = await Promise.all([
    import("../storage/s3/bucket.ts"),
    import("../storage/s3/holds.ts"),
  ]);
  const { bucket, prefix } = parseLocation(location);
  const holds = readBucketHolds(new S3Bucket(bucket, prefix, resolveConnection(s3)), vkey);
  const { active } = await reading("the holds could not be read", holds);
  return active.toSorted((a, b) => (a.placed < b.placed ? -1 : 1));
}

/** The record is the second line of the new storage's segment, where readers look for it. */
async function record(
  location: string,
  line: string,
  signer: Signer | undefined,
  s3: S3Connection | undefined,
): Promise<void> {
  const storage = await storageAt(location, signer, s3);
  try {
    await storage.append(line);
  } finally {
    await storage.close();
  }
}

async function storageAt(
  location: string,
  signer: Signer | undefined,
  s3: S3Connection | undefined,
): Promise<AuditStorage> {
  if (!location.startsWith("s3://"))
    return new FileStorage({ path: location, ...(signer && { signer }) });
  const { S3Storage } = await import("../storage/s3/s3.ts");
  return new S3Storage({ ...parseLocation(location), ...s3, ...(signer && { signer }) });
}
