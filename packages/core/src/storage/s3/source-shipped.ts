// Segments that one directory shipped: the same files as there.
import type { LogSource } from "../../verify/log-source.ts";
import { dayOfSegment, segmentDay } from "../../format/segment-name.ts";
import type { SegmentReport } from "../../verify/segment-report.ts";
import type { Problem } from "../../verify/verification.ts";
import { SegmentDigest } from "../../retention/segment-digest.ts";
import type { S3Bucket } from "./bucket.ts";
import { wrongShippedClaims } from "./metadata.ts";
import { mapInOrder } from "./request.ts";
import type { ShippedFile } from "./listing.ts";
import { isOfFile, problemOfLost } from "./source-direct.ts";
import { DAY_MS } from "../../time.ts";

const FIRST_CHUNK_BYTES = 64 * 1024;
const CHUNK_BYTES = 4 * 1024 * 1024;
const CHUNKS_AHEAD = 3;

/** The log of one directory, as far as it was shipped. */
export function shippedSource(
  bucket: S3Bucket,
  directory: string,
  files: readonly ShippedFile[],
  now: Date,
): LogSource {
  const byName = Map.groupBy(files, ({ file }) => file);
  const digests = new Map<string, SegmentDigest>();
  // A segment is shipped once it is closed, one that a crash left open two days later; until then
  // others refer to it.
  const awaitedFrom = segmentDay(new Date(now.getTime() - 2 * DAY_MS));
  return {
    files: async () =>
      [...byName].flatMap(([file, [first]]) => (first ? [{ file, bytes: first.bytes }] : [])),
    isOfFile,
    read: (file) => {
      const digest = new SegmentDigest();
      digests.set(file, digest); // of the latest reading: the last one before `problems` is complete
      return digest.through(readObject(bucket, byName.get(file)?.[0]));
    },
    place: {
      name: directory,
      isArchive: true,
      labelOf: (file) => byName.get(file)?.[0]?.key ?? `${directory}/${file}`,
      placeOf: () => undefined,
      problemsOf: (report) => {
        const [first, ...others] = byName.get(report.file) ?? [];
        return first
          ? [
              ...twinsOf(first, others),
              ...(first.lost ? [problemOfLost(first.lost)] : []),
              ...claimsOf(first, report, digests),
            ]
          : [];
      },
      isAwaited: (file) => (dayOfSegment(file) ?? "") >= awaitedFrom,
      isOfPin: ({ origin }) => files.some(({ stream }) => origin.split("/").at(-2) === stream),
    },
  };
}

function twinsOf(first: ShippedFile, others: readonly ShippedFile[]): Problem[] {
  return others.map(({ key }) => ({
    state: "FORK",
    line: 0,
    message: `${key} has the name of ${first.key} in the same directory`,
  }));
}

/** Altered bytes get no further finding. */
function claimsOf(
  file: ShippedFile,
  report: SegmentReport,
  digests: ReadonlyMap<string, SegmentDigest>,
): Problem[] {
  const digest = digests.get(report.file);
  const isAltered = report.problems.some(({ state }) => state === "TAMPERED");
  if (digest === undefined || file.lost !== undefined || isAltered || report.kind !== "segment")
    return [];
  return wrongShippedClaims(file, report, digest).map((message) => ({
    state: "TAMPERED",
    line: 0,
    message,
  }));
}

async function* readObject(
  bucket: S3Bucket,
  file: ShippedFile | undefined,
): AsyncGenerator<Buffer, void, void> {
  if (!file) return;
  const ranges = chunksOf(file.bytes);
  for await (const found of mapInOrder(ranges, CHUNKS_AHEAD, (range) =>
    bucket.get(file.key, range, file.lost?.versionId),
  )) {
    if (!found)
      throw Object.assign(new Error(`${file.key} was removed while it was read`), {
        code: "ENOENT",
      });
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
