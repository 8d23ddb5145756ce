// Why an entry is not there: what the log itself says of files that retention removed.
import { safeLine } from "@ai-audit/core/format";
import { directorySource } from "@ai-audit/core/verify";

/** A `retention.prune` line, as far as it is told. */
interface Removal {
  readonly file: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly policy: string;
  readonly actor: string;
}

/**
 * What a directory's log records of the removal of entries of an id's time: `audit_20240101.jsonl was removed on …`.
 * Undefined where it records none, or the id does not tell its time. A file is read through until one is found, of the
 * days after that time alone. The line is not verified: whoever doubts it asks `verify`.
 */
export async function describeRemoval(directory: string, id: string): Promise<string | undefined> {
  const time = timeOf(id);
  if (time === undefined) return undefined;
  const source = directorySource(directory);
  const files = (await source.files())
    .filter(({ oddity }) => oddity === undefined)
    .map(({ file }) => file);
  const day = time.slice(0, 10).replaceAll("-", "");
  for (const file of files.toSorted()) {
    const recordedOn = dayIn(file);
    if (recordedOn === undefined || recordedOn <= day) continue; // a file of the present day is never removed
    for await (const line of linesStarting(source.read(file), PRUNE_START)) {
      const removal = readRemoval(line);
      if (removal === undefined || !covers(removal, time, day)) continue;
      const on = `${recordedOn.slice(0, 4)}-${recordedOn.slice(4, 6)}-${recordedOn.slice(6)}`;
      const { policy, actor } = removal;
      return safeLine(
        `${removal.file}, of its time, was removed, as the log records on ${on}: ${policy}, by ${actor}`,
      );
    }
  }
  return undefined;
}

/** RFC 3339 time in a UUIDv7 (RFC 9562, section 5.7). */
function timeOf(id: string): string | undefined {
  const [, high = "", low = ""] =
    /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab]/i.exec(id) ?? [];
  const time = new Date(Number.parseInt(high + low, 16));
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

function dayIn(file: string): string | undefined {
  return /^audit_(\d{8})[_.]/.exec(file)?.[1];
}

function covers({ file, from, to }: Removal, time: string, day: string): boolean {
  if (from === null || to === null) return dayIn(file) === day;
  return from <= time && time <= to;
}

const PRUNE_START = Buffer.from('{"type":"retention.prune",');
const LF = 0x0a;

/** Whole lines that begin like this. A file is mostly other lines, so they are looked for, not read one by one. */
async function* linesStarting(
  chunks: AsyncIterable<Buffer>,
  start: Buffer,
): AsyncGenerator<string, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(LF) + 1;
    for (let at = bytes.indexOf(start); at !== -1 && at < end; at = bytes.indexOf(start, at + 1)) {
      if (at === 0 || bytes[at - 1] === LF) yield bytes.toString("utf8", at, bytes.indexOf(LF, at));
    }
    rest = Buffer.from(bytes.subarray(end)); // the chunk is valid until the next one
  }
}

function readRemoval(line: string): Removal | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // a line that was altered is for `verify` to tell
    throw error;
  }
  return isRemoval(value) ? value : undefined;
}

function isRemoval(value: unknown): value is Removal {
  if (typeof value !== "object" || value === null) return false;
  const text = (name: string): boolean => typeof Reflect.get(value, name) === "string";
  const time = (name: string): boolean => text(name) || Reflect.get(value, name) === null;
  return text("file") && text("policy") && text("actor") && time("from") && time("to");
}
