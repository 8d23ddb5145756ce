// A day past retention: its segments, and whether each matches its seal and the records of it.
import type { RemovalLine, SegmentRef } from "../../format/control-line.ts";
import type { Candidate } from "../../retention/plan.ts";
import type { LogSource } from "../../verify/log-source.ts";
import { readFirstLine } from "../../format/read-control-line.ts";
import type { SegmentReport } from "../../verify/segment-report.ts";
import { STATE_EXIT_CODES } from "../../verify/verification.ts";
import { referencesOf } from "../../verify/references.ts";
import { timeOfId } from "../../format/id.ts";
import { inMemory } from "../../retention/random-access.ts";
import {
  type Actor,
  checkRecorded,
  isSound,
  sealedByAnother,
  sealOfHead,
} from "../../retention/trust.ts";
import type { S3Bucket } from "./bucket.ts";
import { mapConcurrently } from "./request.ts";
import {
  type CommitObject,
  FoundObjects,
  listDay,
  lostObjects,
  type ShippedFile,
} from "./listing.ts";
import type { EarlierRuns, OtherSegments, Witness } from "./surroundings.ts";
import { boundsOf, dayOf, parseKey, parseSegmentFileName } from "./keys.ts";
import { assemble, directSource } from "./source-direct.ts";
import { shippedSource } from "./source-shipped.ts";

/** Segments that are read in parallel. */
const SEGMENTS_AHEAD = 4;

/** A segment past retention. */
export interface ExpiredSegment extends Candidate {
  readonly keys: readonly string[];
}

export interface ExpiredDay {
  readonly day: string;
  readonly segments: readonly ExpiredSegment[];
  /** Objects without a seal, under names that only this library uses: they were sealed once. */
  readonly stripped: readonly string[];
  /**
   * Objects without a seal, under names that other programs may use too: each may be part of a
   * segment here.
   */
  readonly unsealed: readonly string[];
  /** Other objects without a seal, such as those of the Python original. */
  readonly foreign: readonly string[];
  /** Recorded segments that are not there. */
  readonly missing: readonly string[];
}

export interface DayOptions {
  readonly bucket: S3Bucket;
  readonly others: OtherSegments;
  readonly earlier: EarlierRuns;
  readonly actor: Actor;
  readonly isVersioned: boolean;
}

/** The parts of one segment. */
interface Parts {
  readonly source: LogSource;
  /** Name in its log. */
  readonly file: string;
  readonly name: string;
  readonly keys: readonly string[];
  readonly vkey: string | null;
  readonly witnesses: readonly Witness[];
  /** Prefix of its log's file names in this place: `<directory>/`, or nothing. */
  readonly prefix: string;
  /** Whether another key sealed a segment of one of our streams. */
  readonly isUsurped: () => Promise<boolean>;
  /** Ids of its first and last entry; empty for none. */
  readonly firstId: string;
  readonly lastId: string;
}

/**
 * Reads a whole day, and the metadata of the next one: its segments are the first to refer to those
 * of this day.
 */
export async function examineDay(options: DayOptions, day: string): Promise<ExpiredDay> {
  const { bucket, isVersioned } = options;
  const found = await findDay(bucket, day);
  const next = await findDay(bucket, dayOf(boundsOf(day).to + 1));
  if (isVersioned) for (const lost of await lostObjects(bucket, `${day}/`)) found.addLost(lost);
  const earlier = await options.earlier.states();
  const witnesses = Map.groupBy(
    [...witnessesIn(options, found), ...witnessesIn(options, next), ...earlier],
    (witness) => witness.ref.file,
  );
  const candidates = [
    ...directCandidates(options, found, witnesses),
    ...(await shippedCandidates(options, found.shipped, witnesses)),
  ];
  const segments = await mapConcurrently(candidates, SEGMENTS_AHEAD, (candidate) =>
    examineCandidate(candidate, day, options),
  );
  const missing: string[] = [];
  for (const [file, known] of witnesses) {
    if (parseSegmentFileName(file)?.day !== day || found.commits.has(file)) continue;
    if (await isAnyProven(known)) missing.push(file);
  }
  const keys = found.foreign.map(({ key }) => key);
  return {
    day,
    segments,
    stripped: keys.filter((key) => ["shipped", "control"].includes(kindOf(key))),
    unsealed: keys.filter((key) => kindOf(key) === "direct"),
    foreign: keys.filter((key) => kindOf(key) === "foreign"),
    missing,
  };
}

async function findDay(bucket: S3Bucket, day: string): Promise<FoundObjects> {
  const found = new FoundObjects();
  await found.addDay(bucket, await listDay(bucket, day));
  return found;
}

/** States that the first lines of a day's direct segments record. */
function witnessesIn({ bucket, actor }: DayOptions, { commits }: FoundObjects): Witness[] {
  return [...commits].flatMap(([file, objects]) =>
    objects.flatMap(({ key, open }) => {
      const first = readFirstLine(open ?? "");
      if (first.kind !== "segment") return [];
      const isProven = async (): Promise<boolean> => {
        const object = await bucket.get(key);
        const seal = object && (await sealOfHead(inMemory(assemble(object)), file));
        return seal !== undefined && actor.trusts(seal.vkey);
      };
      return referencesOf(first.open).map((ref) => ({ ref, by: key, isProven }));
    }),
  );
}

function directCandidates(
  { bucket, others, actor }: DayOptions,
  found: FoundObjects,
  witnesses: ReadonlyMap<string, readonly Witness[]>,
): Parts[] {
  const source = directSource(bucket, found, new Set());
  return [...found.commits].map(([file, objects]) => ({
    // A stream has one key: a segment of one of our streams under another key has replaced ours.
    isUsurped: async () =>
      !actor.trusts(vkeyIn(objects)) &&
      (await others.isOurStream(parseSegmentFileName(file)?.stream)),
    source,
    file,
    name: file,
    prefix: "",
    keys: keysOf(objects),
    vkey: vkeyIn(objects),
    witnesses: witnesses.get(file) ?? [],
    firstId: least(objects.flatMap(({ key }) => idOfKey(key))),
    lastId: objects.reduce((last, { lastId }) => (lastId > last ? lastId : last), ""),
  }));
}

async function shippedCandidates(
  { bucket, others }: DayOptions,
  shipped: ReadonlyMap<string, readonly ShippedFile[]>,
  inPlace: ReadonlyMap<string, readonly Witness[]>,
): Promise<Parts[]> {
  if (shipped.size === 0) return [];
  const beginnings = await others.beginnings();
  const byKey = new Map(beginnings.map((beginning) => [beginning.key, beginning]));
  return [...shipped].flatMap(([directory, files]) => {
    const source = shippedSource(bucket, directory, files, new Date());
    const known = beginnings
      .filter((beginning) => beginning.directory === directory)
      .flatMap(({ key, refs, isProven }) => refs.map((ref) => ({ ref, by: key, isProven })));
    const witnesses = Map.groupBy(known, ({ ref }) => ref.file);
    return [...Map.groupBy(files, ({ file }) => file)].map(([file, twins]) => ({
      isUsurped: async () => false, // every segment that refers to it is a witness
      source,
      file,
      name: `${directory}/${file}`,
      prefix: `${directory}/`,
      keys: keysOf(twins),
      vkey: byKey.get(twins[0]?.key ?? "")?.vkey ?? null,
      witnesses: [...(witnesses.get(file) ?? []), ...(inPlace.get(`${directory}/${file}`) ?? [])],
      firstId: twins[0]?.about.firstId ?? "",
      lastId: twins[0]?.about.lastId ?? "",
    }));
  });
}

async function examineCandidate(
  candidate: Parts,
  day: string,
  { actor, earlier }: DayOptions,
): Promise<ExpiredSegment> {
  const { source, file, name, prefix, keys, vkey, witnesses, isUsurped, firstId, lastId } =
    candidate;
  const recorded = witnesses.map(({ ref }) => ref);
  const { report, since } = await checkRecorded(file, vkey, source.read(file), recorded);
  const { size, root, entries } = report.sealed;
  const [from, to] = [firstId, lastId].map((id) => timeOfId(id));
  const isOfDay = [from, to].every((time) => time === undefined || dayOf(time) === day);
  const flaw =
    flawIn(source, report) ??
    (actor.mayRemove(vkey) ? undefined : sealedByAnother(vkey ?? "")) ??
    (isOfDay ? undefined : "its entries are of another day") ??
    (await contradiction(report, witnesses)) ??
    ((await isUsurped()) ? "its stream is sealed by another key" : undefined);
  return {
    file: name,
    keys,
    ref: { file: name, size, root },
    since,
    entries,
    from: isoOf(from),
    to: isoOf(to),
    flaw,
    isRemains: flaw !== undefined && (await earlier.removed(name)),
    isTrusted: actor.trusts(vkey),
    states: refsIn(report).map((ref) => ({ ...ref, file: prefix + ref.file })),
    removals: removalsIn(report, prefix),
  };
}

/**
 * Removals from this place that a segment records, under names of this place. A segment of a
 * directory records the files that the directory removed before it could ship them.
 */
function removalsIn({ prunes }: SegmentReport, prefix: string): RemovalLine[] {
  const shipped = new Set(
    prunes.filter(({ type }) => type === "retention.archived").map((record) => record.file),
  );
  return prunes.flatMap((record) =>
    record.type === "retention.prune" && !shipped.has(record.file)
      ? [{ ...record, file: prefix + record.file }]
      : [],
  );
}

function refsIn({ open, seen }: SegmentReport): readonly SegmentRef[] {
  return open ? [...referencesOf(open), ...seen] : [];
}

/** The first problem that the verifier would report as altered, missing or a fork. */
function flawIn(source: LogSource, report: SegmentReport): string | undefined {
  const problems = [...(source.place?.problemsOf(report) ?? []), ...report.problems];
  const worst = problems.find(({ state }) => STATE_EXIT_CODES[state] === 1);
  if (worst) return worst.message;
  if (report.sealed.size > 0 && isSound(report)) return undefined;
  return report.broken?.message ?? "no line in it is sealed";
}

/** A proven record of a state that the segment does not have. */
async function contradiction(
  { roots }: SegmentReport,
  witnesses: readonly Witness[],
): Promise<string | undefined> {
  for (const { ref, by, isProven } of witnesses) {
    if (ref.size > 0 && roots.get(ref.size) !== ref.root && (await isProven()))
      return `it does not match the record of it in ${by}`;
  }
  return undefined;
}

async function isAnyProven(witnesses: readonly Witness[]): Promise<boolean> {
  for (const { isProven } of witnesses) if (await isProven()) return true;
  return false;
}

/** Keys of objects that still exist: for a deleted one the bucket has only the marker. */
function keysOf(objects: readonly (CommitObject | ShippedFile)[]): string[] {
  return objects.filter(({ lost }) => lost?.isDeleted !== true).map(({ key }) => key);
}

function vkeyIn(objects: readonly CommitObject[]): string | null {
  const first = readFirstLine(objects.find(({ open }) => open !== undefined)?.open ?? "");
  return first.kind === "segment" ? first.open.vkey : null;
}

function idOfKey(key: string): string[] {
  const parsed = parseKey(key);
  return parsed?.kind === "direct" ? [parsed.id] : [];
}

function kindOf(key: string): string {
  return parseKey(key)?.kind ?? "";
}

function least(ids: readonly string[]): string {
  return ids.reduce((first, id) => (first === "" || id < first ? id : first), "");
}

function isoOf(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
