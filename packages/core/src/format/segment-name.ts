// Names of segments: audit_YYYYMMDD.jsonl, audit_YYYYMMDD_001.jsonl … audit_YYYYMMDD_1000.jsonl.

/** The parts of a segment's file name. */
export interface SegmentName {
  /** The UTC day the segment was created on: `YYYYMMDD`. */
  readonly day: string;
  /**
   * 0 for the first file of the day, which has no number in its name; at most `MAX_SEGMENT_NUMBER`.
   */
  readonly number: number;
}

/**
 * A larger number is a planted name: counting from it must not lead to unreadable names.
 */
export const MAX_SEGMENT_NUMBER: number = 999_999;

const NAME = /^audit_\d{8}(?:_(?:\d{3}|[1-9]\d{3,5}))?\.jsonl$/;
/** Where a name has its day and its number. */
const [DAY_AT, NUMBER_AT] = ["audit_".length, "audit_YYYYMMDD_".length];
const END = ".jsonl";
const DAY_IN_NAME = /^audit_\d{8}[_.]/;

/**
 * Reads a file name; undefined when no segment has it. A name has one spelling, and its day exists.
 */
export function parseSegmentName(file: string): SegmentName | undefined {
  if (!NAME.test(file)) return undefined;
  const day = file.slice(DAY_AT, NUMBER_AT - 1);
  if (!isDay(day)) return undefined;
  const digits = file.slice(NUMBER_AT, -END.length);
  return digits === "000" ? undefined : { day, number: Number(digits) };
}

/** Whether a date exists. In numbers alone: a directory may have ten thousand names. */
function isDay(day: string): boolean {
  const date = Number(day);
  const [year, month] = [Math.trunc(date / 10_000), Math.trunc(date / 100) % 100];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return month >= 1 && month <= 12 && date % 100 >= 1 && date % 100 <= last;
}

/**
 * The UTC day in the name of a segment, `YYYYMMDD`, also of one that lies in a bucket as several
 * objects.
 */
export function dayOfSegment(file: string): string | undefined {
  return DAY_IN_NAME.test(file) ? file.slice(DAY_AT, NUMBER_AT - 1) : undefined;
}

/**
 * The file name of a segment.
 * @throws {RangeError} for a number that `parseSegmentName` would not read.
 */
export function formatSegmentName({ day, number }: SegmentName): string {
  if (!Number.isInteger(number) || number < 0 || number > MAX_SEGMENT_NUMBER) {
    throw new RangeError(`${number} is not a segment number of a day`);
  }
  return number === 0
    ? `audit_${day}.jsonl`
    : `audit_${day}_${String(number).padStart(3, "0")}.jsonl`;
}

/** Orders segments by day, then number. For `toSorted`. */
export function compareSegmentNames(a: SegmentName, b: SegmentName): number {
  if (a.day !== b.day) return a.day < b.day ? -1 : 1;
  return a.number - b.number;
}

/** The UTC day of a time, as file names spell it: `YYYYMMDD`. */
export function segmentDay(date: Date): string {
  return date.toISOString().slice(0, 10).replaceAll("-", "");
}

/** The first millisecond of a UTC day as file names spell it; NaN for anything else. */
export function startOfDay(day: string): number {
  return Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`);
}

/** A file name without `.jsonl`: the last part of its checkpoints' origin. */
export function segmentStem(file: string): string {
  return file.endsWith(".jsonl") ? file.slice(0, -".jsonl".length) : file;
}
