// A day past retention: what its segments are, and which of them are what was sealed and what the log recorded of them.
import type { RemovalRecord, SegmentRef } from "../../format/control-line.ts";
import type { LogSource } from "../../verify/log-source.ts";
import { readFirstLine } from "../../format/read-control-line.ts";
import type { SegmentReport } from "../../verify/segment-report.ts";
import { STATE_EXIT_CODES } from "../../verify/verification.ts";
import { referencesOf } from "../../verify/references.ts";
import { timeOfId } from "../../format/id.ts";
import { inMemory } from "../../retention/random-access.ts";
import { checkSegment, isSound, sealedByAnother, sealOfHead } from "../../retention/trust.ts";
import type { S3Bucket } from "./bucket.ts";
import { mapConcurrently } from "./concurrency.ts";
import { listDay } from "./day.ts";
import type { EarlierRuns } from "./earlier-runs.ts";
import { FoundObjects } from "./found-objects.ts";
import { boundsOf, dayOf, parseKey, parseSegmentFileName } from "./keys.ts";
import { lostObjects } from "./lost-objects.ts";
import { assemble, type CommitObject, directSource } from "./source-direct.ts";
import { type ShippedFile, shippedSource } from "./source-shipped.ts";
import type { Survey, Trusts, Witness } from "./survey.ts";

/** Segments that are read through at once. */
const SEGMENTS_AHEAD = 4;

/** A segment past retention. */
export interface ExpiredSegment {
  /** As a record of its removal names it. */
  readonly file: string;
  readonly keys: readonly string[];
  /** What is sealed in it. */
  readonly ref: SegmentRef;
  readonly entries: number;
  /** Times of its first and last entry, RFC 3339; null when it has none. */
  readonly from: string | null;
  readonly to: string | null;
  /** The key that it names. */
  readonly vkey: string | null;
  /** Records of removals that are sealed in it. */
  readonly prunes: readonly RemovalRecord[];
  /** States of other segments that it records, under names of this place. */
  readonly refs: readonly SegmentRef[];
  /** Why nobody may vouch for it; undefined when it is sound. */
  readonly flaw: string | undefined;
}

export interface ExpiredDay {
  readonly day: string;
  readonly segments: readonly ExpiredSegment[];
  /** Objects that nothing seals under names that only we give: they were sealed once. */
  readonly stripped: readonly string[];
  /** Objects that nothing seals under names that others may give as well, and that may be part of a segment here. */
  readonly unsealed: readonly string[];
  /** Objects that nothing seals, such as the Python original's. */
  readonly foreign: readonly string[];
  /** Segments that others recorded, and that are not there. */
  readonly missing: readonly string[];
}

export interface DayOptions {
  readonly bucket: S3Bucket;
  readonly survey: Survey;
  readonly earlier: EarlierRuns;
  readonly trusts: Trusts;
  /** Whether whoever acts may answer for the removal of what names this key. */
  readonly mayRemove: Trusts;
  readonly isVersioned: boolean;
}

/** What belongs to one segment. */
interface Candidate {
  readonly source: LogSource;
  /** Name in its log. */
  readonly file: string;
  readonly name: string;
  readonly keys: readonly string[];
  readonly vkey: string | null;
  readonly witnesses: readonly Witness[];
  /** What names of its log are called in this place: `<directory>/`, or nothing. */
  readonly prefix: string;
  /** Whether somebody else's key sealed a segment of a stream of ours. */
  readonly isUsurped: () => Promise<boolean>;
  /** Ids that its entries lie between; empty for none. */
  readonly firstId: string;
  readonly lastId: string;
}

/** Reads a day through, and the metadata of the next one: its segments are the first to refer to those of this day. */
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
    examine(candidate, day, options),
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

/** What the first lines of a day's direct segments record of others. */
function witnessesIn({ bucket, trusts }: DayOptions, { commits }: FoundObjects): Witness[] {
  return [...commits].flatMap(([file, objects]) =>
    objects.flatMap(({ key, open }) => {
      const first = readFirstLine(open ?? "");
      if (first.kind !== "segment") return [];
      const isProven = async (): Promise<boolean> => {
        const object = await bucket.get(key);
        const seal = object && (await sealOfHead(inMemory(assemble(object)), file));
        return seal !== undefined && trusts(seal.vkey);
      };
      return referencesOf(first.open).map((ref) => ({ ref, by: key, isProven }));
    }),
  );
}

function directCandidates(
  { bucket, survey, trusts }: DayOptions,
  found: FoundObjects,
  witnesses: ReadonlyMap<string, readonly Witness[]>,
): Candidate[] {
  const source = directSource(bucket, found, new Set());
  return [...found.commits].map(([file, objects]) => ({
    // Nobody's key is added to a stream: whoever seals a segment of one of ours has put it in the place of ours.
    isUsurped: async () =>
      !trusts(vkeyIn(objects)) && (await survey.isOurStream(parseSegmentFileName(file)?.stream)),
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
  { bucket, survey }: DayOptions,
  shipped: ReadonlyMap<string, readonly ShippedFile[]>,
  inPlace: ReadonlyMap<string, readonly Witness[]>,
): Promise<Candidate[]> {
  if (shipped.size === 0) return [];
  const beginnings = await survey.beginnings();
  const byKey = new Map(beginnings.map((beginning) => [beginning.key, beginning]));
  return [...shipped].flatMap(([directory, files]) => {
    const source = shippedSource(bucket, directory, files, new Date());
    const known = beginnings
      .filter((beginning) => beginning.directory === directory)
      .flatMap(({ key, refs, isProven }) => refs.map((ref) => ({ ref, by: key, isProven })));
    const witnesses = Map.groupBy(known, ({ ref }) => ref.file);
    return [...Map.groupBy(files, ({ file }) => file)].map(([file, twins]) => ({
      isUsurped: async () => false, // all that refer to it are witnesses
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

async function examine(
  candidate: Candidate,
  day: string,
  { trusts, mayRemove }: DayOptions,
): Promise<ExpiredSegment> {
  const { source, file, name, prefix, keys, vkey, witnesses, isUsurped, firstId, lastId } =
    candidate;
  const sizes = new Set(witnesses.map(({ ref }) => ref.size));
  const report = await checkSegment(file, vkey, source.read(file), sizes);
  const { size, root, entries } = report.sealed;
  const [from, to] = [firstId, lastId].map((id) => timeOfId(id));
  const isOfDay = [from, to].every((time) => time === undefined || dayOf(time) === day);
  const flaws = async (): Promise<string | undefined> =>
    flawIn(source, report) ??
    (mayRemove(vkey) ? undefined : sealedByAnother(vkey ?? "")) ??
    (isOfDay ? undefined : "its entries are of another day") ??
    (await contradiction(report, witnesses)) ??
    ((await isUsurped()) ? "its stream is sealed by another key" : undefined);
  return {
    file: name,
    keys,
    ref: { file: name, size, root },
    entries,
    from: isoOf(from),
    to: isoOf(to),
    vkey,
    prunes: report.prunes,
    refs: trusts(vkey) ? refsIn(report).map((ref) => ({ ...ref, file: prefix + ref.file })) : [],
    flaw: await flaws(),
  };
}

function refsIn({ open, seen }: SegmentReport): readonly SegmentRef[] {
  return open ? [...referencesOf(open), ...seen] : [];
}

/** What the verifier would call altered, missing or a fork. */
function flawIn(source: LogSource, report: SegmentReport): string | undefined {
  const problems = [...(source.home?.problemsOf(report) ?? []), ...report.problems];
  const worst = problems.find(({ state }) => STATE_EXIT_CODES[state] === 1);
  if (worst) return worst.message;
  if (report.sealed.size > 0 && isSound(report)) return undefined;
  return report.broken?.message ?? "nothing in it is sealed";
}

/** A proven record of a state that the segment does not have. */
async function contradiction(
  { roots }: SegmentReport,
  witnesses: readonly Witness[],
): Promise<string | undefined> {
  for (const { ref, by, isProven } of witnesses) {
    if (ref.size > 0 && roots.get(ref.size) !== ref.root && (await isProven()))
      return `it is not what ${by} records of it`;
  }
  return undefined;
}

async function isAnyProven(witnesses: readonly Witness[]): Promise<boolean> {
  for (const { isProven } of witnesses) if (await isProven()) return true;
  return false;
}

/** Of what is still there: a deleted object is known by its marker alone. */
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
