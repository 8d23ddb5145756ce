// A bucket as the verifier sees it: one log of everything that was written directly, and one for each directory that
// shipped its segments.
import type { LogSource } from "../../verify/log-source.ts";
import { S3Bucket } from "./bucket.ts";
import { mapInOrder } from "./request.ts";
import { FoundObjects, listDay, lostObjects } from "./listing.ts";
import { isDay } from "./keys.ts";
import { parseLocation, resolveConnection, type S3Connection } from "./options.ts";
import { directSource } from "./source-direct.ts";
import { shippedSource } from "./source-shipped.ts";

const DAYS_AHEAD = 4;

/**
 * The logs at `s3://bucket/prefix`, the direct one first: it holds the records of removals. Lists everything, and asks
 * for the metadata of every object: which tree it belongs to, and where.
 */
export async function bucketSources(
  location: string,
  connection: S3Connection,
  now: Date,
): Promise<LogSource[]> {
  const { bucket: name, prefix } = parseLocation(location);
  const bucket = new S3Bucket(name, prefix, resolveConnection(connection));
  const days = (await Array.fromAsync(bucket.folders())).filter(isDay).toSorted();
  const found = new FoundObjects();
  for await (const listing of mapInOrder(days, DAYS_AHEAD, (day) => listDay(bucket, day))) {
    await found.addDay(bucket, listing);
  }
  const lost = (await bucket.isVersioned()) === true ? await lostObjects(bucket, "") : [];
  for (const object of lost) found.addLost(object);
  const shipped = [...found.shipped].map(([directory, files]) =>
    shippedSource(bucket, directory, files, now),
  );
  const streams = new Set([...found.shipped.values()].flat().map(({ stream }) => stream));
  return [directSource(bucket, found, streams), ...shipped];
}
