// Reading a directory of segments: one entry by its id, a time range in pages, a count. Lines that
// no checkpoint covers are left out: a failed write left them, or an attacker without the key
// appended them. Over 300 lines: the three questions share how a file is paged and searched.
import { idAt, idOfLine, timeOfId } from "../../format/id.ts";
import { lineToEntry, recordsCallAgain } from "../../format/entry-line.ts";
import { LF, MAX_LINE_BYTES, splitLines } from "../../format/lines.ts";
import { segmentDay } from "../../format/segment-name.ts";
import type { Directory, Head, ListedFile } from "./directory.ts";
import { type KeyedLine, mergePages } from "../merge.ts";
import { type RandomAccess, readAt } from "../../retention/random-access.ts";
import { lowerBound } from "./search.ts";
import { countingReader, ReadMeter } from "./read-meter.ts";
import type { OnProgress, TimeRange } from "../storage.ts";
import { DAY_MS } from "../../time.ts";

/** The first page of a file is smaller: one page of every file of a day is in memory. */
const FIRST_PAGE_BYTES = 16 * 1024;
const PAGE_BYTES = 256 * 1024;

type Order = "oldest-first" | "newest-first";

/**
 * The line of the entry with this id. The time in the id gives the file; only foreign ids need a
 * search.
 */
export async function findEntry(directory: Directory, id: string): Promise<string | undefined> {
  const time = timeOfId(id);
  for (const listed of await directory.list()) {
    // Days are compared as names: a commit at midnight may have put an entry into the next day's
    // file.
    const near =
      time === undefined || listed.day === dayOf(time) || listed.day === dayOf(time + DAY_MS);
    const head = near ? await directory.head(listed.file) : undefined;
    if (!head || (time === undefined && !head.foreign)) continue;
    const size = await readableBytes(directory, listed.file, head);
    const find = head.foreign ? scanForId : seekId;
    const line = await directory.reading(listed.file, (reader) => find(reader, size, id));
    if (line !== undefined) return line;
  }
  return undefined;
}

/**
 * Entry lines of a time range in the order of time, over all files, with a page of each current
 * file in memory.
 */
export async function* readPages(
  directory: Directory,
  range: TimeRange,
  order: Order,
  onProgress?: OnProgress,
): AsyncGenerator<readonly string[]> {
  const listed = await listInRange(directory, range);
  const meter =
    onProgress && new ReadMeter(await bytesInRange(directory, listed, range), onProgress);
  const days = Map.groupBy(listed, ({ day }) => day);
  const ordered = order === "oldest-first" ? [...days.values()] : [...days.values()].toReversed();
  for (const files of ordered) {
    const sources = files.map((file) => readFilePages(directory, file, range, order, meter));
    for await (const page of mergePages(sources, order)) yield page.map(({ line }) => line);
  }
}

/**
 * Number of calls in a time range, each once; whole closed files give theirs in their last lines.
 */
export async function countEntries(directory: Directory, range: TimeRange): Promise<number> {
  let count = 0;
  const listed = await listInRange(directory, range);
  const tried = await daysWithSecondTries(directory, listed);
  for await (const page of pagesOfDays(directory, listed, tried, range))
    count += page.filter(({ line }) => !recordsCallAgain(line)).length;
  for (const file of listed) {
    if (!tried.has(file.day)) count += await countFile(directory, file, range);
  }
  return count;
}

/**
 * Days on which a commit was written twice: their entries are merged, so that each is counted once.
 */
async function daysWithSecondTries(
  directory: Directory,
  listed: readonly ListedFile[],
): Promise<ReadonlySet<string>> {
  const days = new Set<string>();
  for (const { file, day } of listed)
    if ((await directory.head(file))?.isSecondTry === true) days.add(day);
  return days;
}

async function* pagesOfDays(
  directory: Directory,
  listed: readonly ListedFile[],
  days: ReadonlySet<string>,
  range: TimeRange,
): AsyncGenerator<readonly KeyedLine[]> {
  for (const [day, files] of Map.groupBy(listed, (file) => file.day)) {
    if (!days.has(day)) continue;
    const sources = files.map((file) => readFilePages(directory, file, range, "oldest-first"));
    yield* mergePages(sources, "oldest-first");
  }
}

async function countFile(
  directory: Directory,
  listed: ListedFile,
  range: TimeRange,
): Promise<number> {
  const { from, to } = boundsOfDay(listed.day);
  const whole = (range.from ?? -Infinity) <= from && (range.to ?? Infinity) >= to;
  const closed = whole ? (await directory.tail(listed.file))?.closedCalls : undefined;
  if (closed !== undefined) return closed;
  let count = 0;
  for await (const page of readFilePages(directory, listed, range, "oldest-first"))
    count += page.filter(({ line }) => !recordsCallAgain(line)).length;
  return count;
}

/** Bytes of a file up to and with its last checkpoint; all bytes of a foreign file. */
async function readableBytes(directory: Directory, file: string, head: Head): Promise<number> {
  if (!head.isReadable) return 0;
  if (head.foreign) return (await directory.sizeOf(file)) ?? 0;
  return (await directory.tail(file))?.end ?? 0;
}

/**
 * Files that may hold entries of the range: those of its days, and one more on each side for
 * foreign clocks.
 */
async function listInRange(directory: Directory, { from, to }: TimeRange): Promise<ListedFile[]> {
  const first = from === undefined ? "" : dayOf(from - DAY_MS);
  const last = to === undefined ? "99999999" : dayOf(to + DAY_MS);
  return (await directory.list()).filter(({ day }) => day >= first && day <= last);
}

/**
 * Bytes of the files that a reader of the range will read. A file that cannot be opened counts when
 * it is read.
 */
async function bytesInRange(
  directory: Directory,
  listed: readonly ListedFile[],
  range: TimeRange,
): Promise<number> {
  let bytes = 0;
  for (const { file, day } of listed) {
    const size = (await directory.sizeOf(file)) ?? 0;
    const { from, to } = boundsOfDay(day);
    const isWhole = (range.from ?? -Infinity) <= from && (range.to ?? Infinity) >= to;
    const head = isWhole ? undefined : await directory.head(file);
    const { start, end } = head
      ? await spanInFile(directory, file, size, head, range)
      : { start: 0, end: size };
    bytes += end - start;
  }
  return bytes;
}

/**
 * One file's entry lines of the range. A last line without a line feed counts as not written yet.
 */
async function* readFilePages(
  directory: Directory,
  { file }: ListedFile,
  range: TimeRange,
  order: Order,
  meter?: ReadMeter,
): AsyncGenerator<readonly KeyedLine[]> {
  const head = await directory.head(file);
  if (!head) return;
  const size = await readableBytes(directory, file, head);
  const span = await spanInFile(directory, file, size, head, range);
  const reader = directory.reader(file);
  yield* pagesOfSpan(
    meter ? countingReader(reader, meter) : reader,
    span,
    head.foreign,
    range,
    order,
  );
}

/** As `spanOf`; the file is opened once for the search, and empty when it is gone. */
async function spanInFile(
  directory: Directory,
  file: string,
  size: number,
  { foreign }: Head,
  range: TimeRange,
): Promise<Span> {
  const search = (handle: RandomAccess): Promise<Span> => spanOf(handle, size, foreign, range);
  return (await directory.reading(file, search)) ?? { start: 0, end: 0 };
}

/** Entry lines of the range in the first `size` bytes of a segment, or of a foreign file. */
export async function* readSegmentPages(
  handle: RandomAccess,
  size: number,
  foreign: boolean,
  range: TimeRange,
  order: Order,
): AsyncGenerator<readonly KeyedLine[]> {
  const span = await spanOf(handle, size, foreign, range);
  yield* pagesOfSpan(handle, span, foreign, range, order);
}

async function* pagesOfSpan(
  handle: RandomAccess,
  { start, end }: Span,
  foreign: boolean,
  range: TimeRange,
  order: Order,
): AsyncGenerator<readonly KeyedLine[]> {
  const blocks =
    order === "oldest-first" ? readForward(handle, start, end) : readBackward(handle, start, end);
  for await (const lines of blocks) {
    const page = lines.flatMap((line) => keyedLine(line, foreign, range));
    if (page.length > 0) yield order === "oldest-first" ? page : page.toReversed();
  }
}

/** A part of a file, in bytes. */
interface Span {
  readonly start: number;
  /** The first byte behind it. */
  readonly end: number;
}

/**
 * The part of a file with the lines of the range. A foreign file is in no order: it is read whole.
 */
async function spanOf(
  handle: RandomAccess,
  size: number,
  foreign: boolean,
  { from, to }: TimeRange,
): Promise<Span> {
  const start = foreign || from === undefined ? 0 : await lowerBound(handle, size, idAt(from));
  if (foreign || to === undefined || start === size) return { start, end: size };
  return { start, end: await lowerBound(handle, size, idAt(to + 1), start) };
}

function keyedLine(
  bytes: Buffer,
  foreign: boolean,
  { from = -Infinity, to = Infinity }: TimeRange,
): KeyedLine[] {
  const id = foreign ? undefined : idOfLine(bytes);
  if (id !== undefined) return [{ key: id, line: bytes.toString() }];
  if (!foreign) return []; // a control line
  const line = bytes.toString();
  const entry = foreignEntry(line);
  if (!entry || entry.time < from || entry.time > to) return [];
  // A segment that lost its first line has lines that were written again elsewhere: such a line has
  // its key there, so that it is passed once.
  const isOurs = idOfLine(bytes) !== undefined && timeOfId(entry.id) === entry.time;
  return [{ key: isOurs ? entry.id : `${idAt(entry.time)}-${entry.id}`, line }];
}

/**
 * The sort key of a line of a foreign file; without a readable time it is not an entry, for any
 * reader.
 */
function foreignEntry(line: string): { readonly id: string; readonly time: number } | undefined {
  const entry = lineToEntry(line);
  const time = entry ? Date.parse(entry.timestamp) : Number.NaN;
  return entry && !Number.isNaN(time) ? { id: entry.id, time } : undefined;
}

/** Complete lines from `start` to `end`, blocks of about a page at a time. */
async function* readForward(
  handle: RandomAccess,
  start: number,
  end: number,
): AsyncGenerator<Buffer[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let first: number | undefined;
  for (let at = start, page = FIRST_PAGE_BYTES; at < end; page = Math.min(page * 4, PAGE_BYTES)) {
    const bytes = await readAt(handle, at, Math.min(page, end - at));
    if (bytes.length === 0) return; // removed meanwhile
    at += bytes.length;
    if (restBytes === 0) first = bytes[0];
    // No line is that long, and one with another beginning is not JSON: its bytes are dropped as
    // they come.
    const isDropped = (): boolean => restBytes > MAX_LINE_BYTES || first === 0;
    const last = bytes.lastIndexOf(LF);
    if (last === -1) {
      rest.push(bytes);
      restBytes += bytes.length;
      if (isDropped()) rest = [];
    } else {
      const from = restBytes > 0 && isDropped() ? bytes.indexOf(LF) + 1 : 0;
      yield splitLines(Buffer.concat([...rest, bytes.subarray(from, last + 1)]));
      rest = [bytes.subarray(last + 1)];
      restBytes = bytes.length - (last + 1);
      first = bytes[last + 1];
    }
  }
}

/** The same from `end` to `start`; lines within a block are still in file order. */
async function* readBackward(
  handle: RandomAccess,
  start: number,
  end: number,
): AsyncGenerator<Buffer[]> {
  let rest: Buffer[] = []; // the end of a line whose beginning lies before what was read
  let restBytes = 0;
  let torn = true; // no line is known to be complete until a line feed was seen
  for (let at = end, page = FIRST_PAGE_BYTES; at > start; page = Math.min(page * 4, PAGE_BYTES)) {
    const length = Math.min(page, at - start);
    at -= length;
    const bytes = await readAt(handle, at, length);
    if (bytes.length < length) return; // removed meanwhile
    const first = at === start ? -1 : bytes.indexOf(LF);
    if (at !== start && first === -1) {
      rest.unshift(bytes);
      restBytes += length;
      if (restBytes > MAX_LINE_BYTES) [rest, torn] = [[], true]; // the same as forward
      continue;
    }
    const block = Buffer.concat([bytes.subarray(first + 1), ...rest]);
    const complete = torn ? block.subarray(0, block.lastIndexOf(LF) + 1) : block;
    if (complete.length > 0) yield splitLines(complete);
    rest = [bytes.subarray(0, first + 1)];
    restBytes = first + 1;
    torn = false;
  }
}

/** The line of the entry with this id in the first `size` bytes of a segment. */
export async function seekId(
  handle: RandomAccess,
  size: number,
  id: string,
): Promise<string | undefined> {
  const start = await lowerBound(handle, size, id);
  const line = await readLine(handle, start);
  return line && idOfLine(line) === id ? line.toString() : undefined;
}

/** The complete line that starts at `start`. */
async function readLine(handle: RandomAccess, start: number): Promise<Buffer | undefined> {
  for (let length = 4096; ; length = Math.min(length * 8, MAX_LINE_BYTES + 1)) {
    const bytes = await readAt(handle, start, length);
    const end = bytes.indexOf(LF);
    if (end !== -1) return bytes.subarray(0, end);
    if (bytes.length < length || length > MAX_LINE_BYTES) return undefined;
  }
}

async function scanForId(
  handle: RandomAccess,
  size: number,
  id: string,
): Promise<string | undefined> {
  for await (const lines of readForward(handle, 0, size)) {
    const found = lines.find(
      (line) => line.includes(id) && foreignEntry(line.toString())?.id === id,
    );
    if (found) return found.toString();
  }
  return undefined;
}

function dayOf(time: number): string {
  return segmentDay(new Date(clampTime(time)));
}

/** `Date` holds 8.64e15 ms on either side of the epoch; a range may be asked for up to there. */
function clampTime(time: number): number {
  return Math.min(Math.max(time, 0), Date.UTC(9999, 11, 31));
}

/** First and last millisecond of a `YYYYMMDD`. */
export function boundsOfDay(day: string): { from: number; to: number } {
  const from = Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6)));
  return { from, to: from + DAY_MS - 1 };
}
