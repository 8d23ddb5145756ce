// The layout of a log in a bucket (docs/format.md, section 7): which key holds what.
import { idAt, timeOfId } from "../../format/id.ts";
import { parseSegmentName } from "../../format/segment-name.ts";
import { DAY_MS } from "../../time.ts";

/**
 * Entry ids of one object lie at most this far apart, in milliseconds. Readers find an entry by it:
 * the key of its object is at most this much older than its id.
 */
export const MAX_SPAN_MS = 1000;

/** The kinds of keys below the prefix. */
export type LogKey =
  /**
   * A commit written directly: `<day>/<id>.json` or `<day>/<first id>.jsonl`, after a fork `<first
   * id>-<stream>.jsonl`.
   */
  | {
      readonly kind: "direct";
      readonly day: string;
      readonly id: string;
      readonly isSingle: boolean;
    }
  /** One entry under an id that holds no time: written by the Python original. */
  | { readonly kind: "foreign"; readonly day: string; readonly id: string }
  /** A commit of control lines alone: `<day>/<stream>/control_<seq>_<first leaf>.jsonl`. */
  | {
      readonly kind: "control";
      readonly day: string;
      readonly stream: string;
      readonly seq: number;
    }
  /** A closed segment from a directory: `<day>/<stream>/<file>`. */
  | {
      readonly kind: "shipped";
      readonly day: string;
      readonly stream: string;
      readonly file: string;
    };

const KEY = /^(\d{4}-\d\d-\d\d)\/(?:([^/]+)\/)?([^/]+)$/;
const DIRECT =
  /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:-[\w-]{16})?\.json(l?)$/;

/** Reads a key without its prefix; undefined for a key that is not part of a log. */
export function parseKey(key: string): LogKey | undefined {
  const [, day = "", folder, name = ""] = KEY.exec(key) ?? [];
  if (!isDay(day)) return undefined;
  if (folder !== undefined) {
    if (parseSegmentName(name)) return { kind: "shipped", day, stream: folder, file: name };
    const [, seq] = /^control_(\d+)_\d+\.jsonl$/.exec(name) ?? [];
    return seq === undefined
      ? undefined
      : { kind: "control", day, stream: folder, seq: Number(seq) };
  }
  const [, id, lines] = DIRECT.exec(name) ?? [];
  if (id !== undefined && timeOfId(id) !== undefined)
    return { kind: "direct", day, id, isSingle: lines === "" };
  return name.endsWith(".json")
    ? { kind: "foreign", day, id: name.slice(0, -".json".length) }
    : undefined;
}

/** Whether a string is a UTC day that exists: `2028-02-29`. */
export function isDay(text: string): boolean {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && dayOf(time) === text;
}

/** The UTC day of a time in milliseconds, as keys spell it. */
export function dayOf(time: number): string {
  return new Date(Math.min(Math.max(time, 0), MAX_TIME))
    .toISOString()
    .slice(0, "YYYY-MM-DD".length);
}

/** The last time whose year has four digits. */
const MAX_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** First and last millisecond of a day. */
export function boundsOf(day: string): { readonly from: number; readonly to: number } {
  const from = Date.parse(`${day}T00:00:00Z`);
  return { from, to: from + DAY_MS - 1 };
}

/**
 * The start of the direct objects of a time, for `StartAfter`: sorts before every key of that time.
 */
export function keyAt(day: string, time: number): string {
  return `${day}/${idAt(time)}`;
}

/**
 * The key of a commit of entries. `fork` is the stream, when another writer's bytes have the plain
 * key.
 */
export function entriesKey(
  firstId: string,
  time: number,
  isSingle: boolean,
  fork?: string,
): string {
  if (fork !== undefined) return `${dayOf(time)}/${firstId}-${fork}.jsonl`;
  return `${dayOf(time)}/${firstId}.json${isSingle ? "" : "l"}`;
}

/** The key of a commit of control lines alone. */
export function controlKey(day: string, stream: string, seq: number, firstLeaf: number): string {
  return `${day}/${stream}/control_${seq}_${firstLeaf}.jsonl`;
}

/** The key of a segment shipped from a directory. `day` is the segment's own: `YYYYMMDD`. */
export function shippedKey(day: string, stream: string, file: string): string {
  return `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}/${stream}/${file}`;
}

/**
 * The name under which a stream's objects of one day are verified as one segment. It is in
 * checkpoints' origins and in `segment.open`; no file on disk has this name.
 */
export function segmentFileName(day: string, stream: string, seq: number): string {
  return `audit_${day.replaceAll("-", "")}_${stream}_${seq}.jsonl`;
}

/** Reads such a name; undefined for any other. `day` as keys spell it. */
export function parseSegmentFileName(
  file: string,
): { readonly day: string; readonly stream: string; readonly seq: number } | undefined {
  const [, year, month, day, stream, seq] =
    /^audit_(\d{4})(\d\d)(\d\d)_([\w-]+)_(\d+)\.jsonl$/.exec(file) ?? [];
  return stream === undefined
    ? undefined
    : { day: `${year}-${month}-${day}`, stream, seq: Number(seq) };
}
