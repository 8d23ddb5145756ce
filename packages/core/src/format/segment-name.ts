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
 * A larger number is a planted name: counting on from it must not lead to names that cannot be
 * read.
 */
export const MAX_SEGMENT_NUMBER: number = 999_999;

const NAME = /^audit_(\d{4})(\d{2})(\d{2})(?:_(\d{3}|[1-9]\d{3,5}))?\.jsonl$/;

/**
 * Reads a file name; undefined when no segment has it. A name has one spelling, and its day exists.
 */
export function parseSegmentName(file: string): SegmentName | undefined {
  const [, year = "", month = "", dayOfMonth = "", digits] = NAME.exec(file) ?? [];
  const date = new Date(`${year}-${month}-${dayOfMonth}T00:00:00Z`);
  const day = year + month + dayOfMonth;
  if (Number.isNaN(date.getTime()) || segmentDay(date) !== day || digits === "000")
    return undefined;
  return { day, number: Number(digits ?? 0) };
}

/**
 * The UTC day in the name of a segment, `YYYYMMDD`, also of one that lies in a bucket as several
 * objects.
 */
export function dayOfSegment(file: string): string | undefined {
  return /^audit_(\d{8})[_.]/.exec(file)?.[1];
}

/**
 * The file name of a segment.
 * @throws {RangeError} for a number that `parseSegmentName` would not read.
 */
export function formatSegmentName({ day, number }: SegmentName): string {
  if (!Number.isInteger(number) || number < 0 || number > MAX_SEGMENT_NUMBER) {
    throw new RangeError(`A day has no segment number ${number}`);
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
