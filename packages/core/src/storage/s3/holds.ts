// Holds in a bucket: recorded there directly, or shipped with the segments of a directory.
import { fileOfOrigin } from "../../format/origin.ts";
import { readFirstLine } from "../../format/read-control-line.ts";
import {
  firstLines,
  type Holds,
  holdsOf,
  kindOfHoldLine,
  type SecondLine,
} from "../../retention/holds.ts";
import { inMemory, type RandomAccess } from "../../retention/random-access.ts";
import { sealOfHead } from "../../retention/trust.ts";
import type { S3Bucket } from "./bucket.ts";
import { mapInOrder } from "./request.ts";
import { listDay } from "./listing.ts";
import { isDay } from "./keys.ts";
import { checkpointOf, parseCommitMetadata } from "./metadata.ts";
import { RangedObject } from "./ranged-object.ts";
import { assemble } from "./source-direct.ts";

const OBJECTS_AHEAD = 32;
/** Usually room for a segment's first two lines. */
const FIRST_LINES_BYTES = 16 * 1024;
/**
 * A hold or its release comes first in a segment of its own: such a segment's first commit has
 * control lines alone.
 */
const FIRST_COMMIT = /\/control_\d+_0\.jsonl$/;

/** The beginning of a segment. */
interface Beginning {
  readonly key: string;
  /** The segment's name, which its first line must bear for it to prove anything. */
  readonly file: string;
  readonly handle: RandomAccess;
}

/**
 * Reads the beginning of every segment that can record one. A hold is believed wherever it stands;
 * a release must be proven, by the key under which the hold was placed or by `vkey`, the actor's
 * own.
 */
export async function readBucketHolds(bucket: S3Bucket, vkey: string | undefined): Promise<Holds> {
  const seconds = new Map<string, SecondLine>();
  for await (const day of bucket.folders()) {
    if (!isDay(day)) continue;
    const { shipped, control } = await listDay(bucket, day, { from: 1, to: 0 });
    const shippedBeginnings = shipped.map(({ key, file, bytes }): Beginning => {
      return { key, file, handle: new RangedObject(bucket, key, bytes, FIRST_LINES_BYTES) };
    });
    for await (const found of mapInOrder(shippedBeginnings, OBJECTS_AHEAD, readSecond))
      addTo(seconds, found);
    const firsts = control.filter(({ key }) => FIRST_COMMIT.test(key));
    const directSeconds = mapInOrder(firsts, OBJECTS_AHEAD, async ({ key }) => {
      const beginning = await directBeginning(bucket, key);
      return beginning && readSecond(beginning);
    });
    for await (const found of directSeconds) addTo(seconds, found);
  }
  return holdsOf(
    seconds,
    (by, hold) => hold.vkey === null || by === hold.vkey || (by !== null && by === vkey),
  );
}

/** The bytes that a file would begin with. */
async function directBeginning(bucket: S3Bucket, key: string): Promise<Beginning | undefined> {
  const found = await bucket.get(key);
  const commit = found && parseCommitMetadata(found.metadata);
  const checkpoint = commit && checkpointOf(commit);
  if (!found || !checkpoint) return undefined; // gone, or no commit: the verifier calls it foreign
  return { key, file: fileOfOrigin(checkpoint.origin), handle: inMemory(assemble(found)) };
}

/**
 * The line that records a hold or a release, with the key that the hold names, or that proves the
 * release.
 */
async function readSecond({
  key,
  file,
  handle,
}: Beginning): Promise<(SecondLine & { key: string }) | undefined> {
  const lines = await firstLines(handle);
  const kind = lines && kindOfHoldLine(lines.second);
  if (lines === undefined || kind === undefined) return undefined;
  if (kind === "hold") {
    const first = readFirstLine(lines.first);
    return { key, line: lines.second, vkey: first.kind === "segment" ? first.open.vkey : null };
  }
  const seal = await sealOfHead(handle, file);
  return seal && { key, line: lines.second, vkey: seal.vkey };
}

function addTo(
  seconds: Map<string, SecondLine>,
  found: (SecondLine & { readonly key: string }) | undefined,
): void {
  if (found) seconds.set(found.key, { line: found.line, vkey: found.vkey });
}
