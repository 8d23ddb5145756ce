// A bucket as the verifier sees it: one log of everything that was written directly, and one for
// each directory that shipped its segments.
import type { LogSource, SourceLimit } from "../../verify/log-source.ts";
import { S3Bucket } from "./bucket.ts";
import { mapInOrder, statusOf } from "./request.ts";
import { FoundObjects, listDay, lostObjects } from "./listing.ts";
import { isDay } from "./keys.ts";
import { KnownHeads } from "./known-heads.ts";
import { parseLocation, resolveConnection, type S3Connection } from "./options.ts";
import { directSource } from "./source-direct.ts";
import { shippedSource } from "./source-shipped.ts";

const DAYS_AHEAD = 4;

interface BucketLook {
  readonly now: Date;
  readonly withoutVersions?: boolean;
  readonly heads?: KnownHeads | undefined;
}

/**
 * The logs at `s3://bucket/prefix`, the direct one first: it holds the records of removals. Lists
 * everything, and asks for the metadata of every object that `heads` does not know: which tree it
 * belongs to, and where.
 */
export async function bucketSources(
  location: string,
  connection: S3Connection,
  { now, withoutVersions = false, heads = new KnownHeads() }: BucketLook,
): Promise<LogSource[]> {
  const { bucket: name, prefix } = parseLocation(location);
  const bucket = new S3Bucket(name, prefix, resolveConnection(connection));
  const days = (await Array.fromAsync(bucket.folders())).filter(isDay).toSorted();
  heads.keep(days);
  const found = new FoundObjects();
  for await (const listing of mapInOrder(days, DAYS_AHEAD, (day) => listDay(bucket, day))) {
    await found.addDay(bucket, listing, heads);
  }
  const limits = await addVersions(bucket, found, withoutVersions);
  const shipped = [...found.shipped].map(([directory, files]) =>
    shippedSource(bucket, directory, files, now),
  );
  const streams = new Set([...found.shipped.values()].flat().map(({ stream }) => stream));
  return [{ ...directSource(bucket, found, streams), limits }, ...shipped];
}

/**
 * Reads the versions of objects, where the bucket keeps them. Resolves to the parts that could not
 * be read.
 */
async function addVersions(
  bucket: S3Bucket,
  found: FoundObjects,
  withoutVersions: boolean,
): Promise<SourceLimit[]> {
  if (withoutVersions)
    return [{ message: "versions of objects were not read, as requested", counts: false }];
  const isVersioned = await bucket.isVersioned();
  if (isVersioned === false) return [];
  try {
    for (const object of await lostObjects(bucket, "")) found.addLost(object);
    return [];
  } catch (error) {
    if (statusOf(error) !== 403) throw error;
    const counts = isVersioned === true || found.hasVersions;
    const message = counts
      ? "versions of objects could not be listed: no permission, so deleted and overwritten objects do not show"
      : "the bucket's versioning status could not be read: no permission";
    return [{ message, counts }];
  }
}
