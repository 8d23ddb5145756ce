// What a bucket with versions still knows of objects that were deleted or overwritten.
import type { S3Bucket } from "./bucket.ts";
import type { ObjectHead, ObjectVersion } from "./objects.ts";
import { parseKey } from "./keys.ts";

/** An object that is not what was first stored under its key. */
export interface LostObject {
  readonly key: string;
  /** Behind a delete marker; else overwritten. */
  readonly isDeleted: boolean;
  /** When, RFC 3339. */
  readonly modified: string;
  /** The first version, which is what the log wrote. */
  readonly versionId: string;
  /** Of the first version of a deleted object. */
  readonly head: ObjectHead | undefined;
}

/** Deleted and overwritten objects of the log below a prefix, in the order of keys. */
export async function lostObjects(bucket: S3Bucket, prefix: string): Promise<LostObject[]> {
  // Versions and delete markers of one key may come apart.
  const byKey = new Map<string, ObjectVersion[]>();
  for await (const version of bucket.versions(prefix)) {
    if (!parseKey(version.key)) continue;
    byKey.set(version.key, [...(byKey.get(version.key) ?? []), version]);
  }
  const lost: LostObject[] = [];
  for (const versions of byKey.values()) {
    const object = await examine(bucket, versions);
    if (object) lost.push(object);
  }
  return lost;
}

async function examine(
  bucket: S3Bucket,
  versions: readonly ObjectVersion[],
): Promise<LostObject | undefined> {
  const newest = versions.find(({ isLatest }) => isLatest);
  const first = versions
    .filter(({ isDeleteMarker }) => !isDeleteMarker)
    .toSorted((a, b) => (a.modified < b.modified ? -1 : 1))[0];
  if (!newest || !first || newest.versionId === first.versionId) return undefined;
  const { key, modified, isDeleteMarker } = newest;
  const head = isDeleteMarker ? await bucket.head(key, first.versionId) : undefined;
  return { key, isDeleted: isDeleteMarker, modified, versionId: first.versionId, head };
}
