// Direct commits, read as segments: a stream's objects of one day, one after the other.
import { AuditError } from "../../errors.ts";
import { formatControlLine } from "../../format/control-line.ts";
import type { LogSource, SourceFile } from "../../verify/log-source.ts";
import { fileOfOrigin } from "../../format/origin.ts";
import type { Pin, Problem } from "../../verify/verification.ts";
import type { FetchedObject, S3Bucket } from "./bucket.ts";
import { parseCommitMetadata, wrongClaims } from "./metadata.ts";
import { mapInOrder, statusOf } from "./request.ts";
import type { CommitObject, LostObject } from "./listing.ts";
import { foreignLine } from "./read-foreign.ts";
import { LF } from "../../format/lines.ts";

const OBJECTS_AHEAD = 16;

interface Objects {
  readonly commits: ReadonlyMap<string, readonly CommitObject[]>;
  readonly foreign: readonly { readonly key: string; readonly bytes: number }[];
}

/** A segment's objects in the order of their leaves, and the problems found. */
interface Chain {
  readonly file: string;
  readonly objects: readonly CommitObject[];
  readonly problems: Problem[];
  /** First line of each object, as far as it was read. */
  readonly places: { readonly line: number; readonly key: string }[];
}

/**
 * The log of all direct streams. Besides the tree, it checks for holes, two objects in one place,
 * objects under a key that is not theirs, and deletions that left a marker. `otherStreams` are the
 * streams of the logs beside it.
 */
export function directSource(
  bucket: S3Bucket,
  { commits, foreign }: Objects,
  otherStreams: ReadonlySet<string>,
): LogSource {
  const chains = new Map([...commits].map(([file, objects]) => [file, link(file, objects)]));
  const foreignDays = Map.groupBy(foreign, ({ key }) => key.slice(0, "YYYY-MM-DD".length));
  const files = (): SourceFile[] => [
    ...[...chains].map(([file, { objects }]) => ({
      file,
      bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    })),
    ...[...foreignDays].map(([day, objects]) => ({
      file: foreignFile(day),
      bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    })),
  ];
  return {
    files: async () => files(),
    isOfFile,
    read: (file) => {
      const chain = chains.get(file);
      return chain
        ? readChain(bucket, chain)
        : readForeign(bucket, foreignDays.get(dayOfForeign(file)) ?? []);
    },
    // Objects end with a checkpoint: those behind one begin at its size.
    readFrom: (file, { size }) => {
      const chain = chains.get(file);
      const isThere = (chain?.objects.at(-1)?.size ?? 0) >= size;
      if (chain === undefined || !isThere || chain.problems.length > 0) return undefined;
      const from = chain.objects.findIndex(({ leaf }) => leaf >= size);
      return readChain(bucket, chain, from === -1 ? chain.objects.length : from);
    },
    place: {
      name: "",
      isArchive: false,
      labelOf: (file) => {
        const objects = foreignDays.get(dayOfForeign(file));
        return objects ? foreignLabel(dayOfForeign(file), objects) : file;
      },
      placeOf: (file, line) =>
        chains.get(file)?.places.findLast((place) => line > 0 && place.line <= line)?.key,
      problemsOf: ({ file }) => chains.get(file)?.problems ?? [],
      isAwaited: () => false,
      isOfPin: ({ origin }: Pin) =>
        chains.has(fileOfOrigin(origin)) || !otherStreams.has(origin.split("/").at(-2) ?? ""),
    },
  };
}

/**
 * Whether a failure concerns one object: no permission to read it, or it lies in an archive tier.
 */
export function isOfFile(error: unknown): boolean {
  return statusOf(error) === 403 || AuditError.isInstance(error);
}

/** Orders a segment's objects. Objects after a hole cannot be checked: the tree ends there. */
function link(file: string, objects: readonly CommitObject[]): Chain {
  const problems: Problem[] = [];
  const chain: CommitObject[] = [];
  let size = 0;
  const inOrder = objects.toSorted((a, b) => a.leaf - b.leaf || (a.key < b.key ? -1 : 1));
  for (const [index, object] of inOrder.entries()) {
    if (object.lost !== undefined) problems.push(problemOfLost(object.lost));
    if (object.leaf > size) {
      const which =
        object.previous === undefined ? "" : `, of which the last was ${object.previous}`;
      const message = `leaves ${size} to ${object.leaf - 1} are gone before ${object.key}${which}${unchecked(inOrder.length - index)}`;
      problems.push({ state: "MISSING", line: 0, message });
      break;
    }
    if (object.leaf < size) {
      const twin = chain.at(-1)?.key ?? "";
      problems.push({
        state: "FORK",
        line: 0,
        message: `${object.key} has the same place in the stream as ${twin}`,
      });
      continue;
    }
    chain.push(object);
    size = object.size;
  }
  return { file, objects: chain, problems, places: [] };
}

/**
 * The fate of an object whose first version the bucket still has. That version is read and
 * judged.
 */
export function problemOfLost({
  key,
  isDeleted,
  changed,
  modified,
  versionId,
}: LostObject): Problem {
  return isDeleted
    ? {
        state: "MISSING",
        line: 0,
        message: `${key} was deleted (marker of ${modified}); the bucket still has it as version ${versionId}`,
      }
    : {
        state: "TAMPERED",
        line: 0,
        message: `${key} was overwritten with other ${changed} (${modified}); version ${versionId} is the first`,
      };
}

function unchecked(objects: number): string {
  return objects === 0
    ? ""
    : `; ${objects} later ${objects === 1 ? "object" : "objects"} cannot be checked without it`;
}

/** The bytes that a file of this segment would have, from one of its objects on. */
async function* readChain(
  bucket: S3Bucket,
  chain: Chain,
  from = 0,
): AsyncGenerator<Buffer, void, void> {
  let line = 1;
  const fetched = mapInOrder(chain.objects.slice(from), OBJECTS_AHEAD, async (object) => ({
    object,
    found: await bucket.get(object.key, undefined, object.lost?.versionId),
  }));
  let index = from;
  for await (const { object, found } of fetched) {
    if (!found) throw gone(object.key);
    const bytes = assemble(found);
    if (from === 0) chain.places[index] = { line, key: describe(object) };
    noteClaims(chain, object, chain.objects[index - 1], found);
    for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) line += 1;
    index += 1;
    yield bytes;
  }
}

/**
 * An object's lines as they stand in the file that a stream's objects make up: with the first line
 * and the checkpoint.
 */
export function assemble({ body, metadata }: FetchedObject): Buffer {
  const commit = parseCommitMetadata(metadata);
  const open = commit?.open === undefined ? "" : `${commit.open}\n`;
  const end = body.length > 0 && body.at(-1) !== LF ? "\n" : "";
  const seal = commit ? `${formatControlLine({ type: "checkpoint", note: commit.note })}\n` : "";
  return Buffer.concat([Buffer.from(open), body, Buffer.from(end + seal)]);
}

function describe({ key, lost }: CommitObject): string {
  return lost ? `${key} (version ${lost.versionId})` : key;
}

/**
 * An object moved as a whole, metadata and all, fits into its tree, and metadata is sealed only in
 * part. Where the bytes themselves are altered, the tree shows it, and this adds its own findings.
 */
function noteClaims(
  chain: Chain,
  { key }: CommitObject,
  before: CommitObject | undefined,
  found: FetchedObject,
): void {
  for (const claim of wrongClaims({ key, file: chain.file, previous: before?.key }, found)) {
    const message = `${key}: ${claim}`;
    if (chain.problems.some((problem) => problem.message === message)) continue; // it was read before
    chain.problems.push({ state: "TAMPERED", line: 0, message });
  }
}

/** Makes the verifier list again: a listed object is gone. */
function gone(key: string): Error {
  return Object.assign(new Error(`${key} was removed while it was to be read`), { code: "ENOENT" });
}

async function* readForeign(
  bucket: S3Bucket,
  objects: readonly { readonly key: string }[],
): AsyncGenerator<Buffer, void, void> {
  for await (const found of mapInOrder(objects, OBJECTS_AHEAD, ({ key }) => bucket.get(key))) {
    if (!found) continue;
    // A line of JSON for each, whatever its bytes: they are not checked.
    yield Buffer.from(`${foreignLine(found.body) ?? "{}"}\n`);
  }
}

function foreignFile(day: string): string {
  return `foreign_${day}.jsonl`;
}

function dayOfForeign(file: string): string {
  return file.slice("foreign_".length, -".jsonl".length);
}

function foreignLabel(day: string, objects: readonly { readonly key: string }[]): string {
  const [first] = objects;
  return objects.length === 1 && first
    ? first.key
    : `${day}/ (${objects.length} objects without a seal)`;
}
