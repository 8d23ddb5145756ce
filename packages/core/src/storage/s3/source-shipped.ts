// Segments that one directory shipped: the same files as there.
import type { LogSource } from "../../integrity/log-source.ts";
import { dayOfSegment, segmentDay } from "../../integrity/segment-name.ts";
import type { Problem } from "../../integrity/verification.ts";
import type { Bucket } from "./bucket.ts";
import { mapInOrder } from "./concurrency.ts";
import type { LostObject } from "./lost-objects.ts";

const DAY_MS = 86_400_000;
const FIRST_CHUNK_BYTES = 64 * 1024;
const CHUNK_BYTES = 4 * 1024 * 1024;
const CHUNKS_AHEAD = 3;

/** A segment in the bucket. */
export interface ShippedFile {
  readonly key: string;
  readonly bytes: number;
  readonly stream: string;
  /** Its name in the directory. */
  readonly file: string;
  readonly lost?: LostObject;
}

/** The log of one directory, as far as it was shipped. */
export function shippedSource(bucket: Bucket, directory: string, files: readonly ShippedFile[], now: Date): LogSource {
  const byName = Map.groupBy(files, ({ file }) => file);
  // A segment is shipped once it is closed, one that a crash left open two days later; until then others refer to it.
  const awaitedFrom = segmentDay(new Date(now.getTime() - 2 * DAY_MS));
  return {
    files: async () => [...byName].flatMap(([file, [first]]) => (first ? [{ file, bytes: first.bytes }] : [])),
    read: (file) => readObject(bucket, byName.get(file)?.[0]),
    home: {
      name: directory,
      isArchive: true,
      labelOf: (file) => byName.get(file)?.[0]?.key ?? `${directory}/${file}`,
      placeOf: () => undefined,
      problemsOf: (file) => [...twinsOf(byName.get(file) ?? []), ...deletedOf(byName.get(file)?.[0])],
      isAwaited: (file) => (dayOfSegment(file) ?? "") >= awaitedFrom,
      isOfPin: ({ origin }) => files.some(({ stream }) => origin.split("/").at(-2) === stream),
    },
  };
}

function twinsOf([first, ...others]: readonly ShippedFile[]): Problem[] {
  return others.map(({ key }) => ({
    state: "FORK",
    line: 0,
    message: `${key} has the name of ${first?.key ?? ""} in the same directory`,
  }));
}

function deletedOf(file: ShippedFile | undefined): Problem[] {
  if (!file?.lost) return [];
  const { modified, versionId } = file.lost;
  const message = `${file.key} was deleted (marker of ${modified}); the bucket still has it as version ${versionId}`;
  return [{ state: "MISSING", line: 0, message }];
}

async function* readObject(bucket: Bucket, file: ShippedFile | undefined): AsyncGenerator<Buffer, void, void> {
  if (!file || file.lost) return;
  const ranges = chunksOf(file.bytes);
  for await (const found of mapInOrder(ranges, CHUNKS_AHEAD, (range) => bucket.get(file.key, range))) {
    if (!found) throw Object.assign(new Error(`${file.key} was removed while it was read`), { code: "ENOENT" });
    yield found.body;
  }
}

function chunksOf(bytes: number): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (let from = 0; from < bytes;) {
    const to = Math.min(bytes, from + (from === 0 ? FIRST_CHUNK_BYTES : CHUNK_BYTES)) - 1;
    ranges.push({ from, to });
    from = to + 1;
  }
  return ranges;
}
