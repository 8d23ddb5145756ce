// Writes logs for these tests: real files, made by the code that makes them everywhere.
import { hash } from "node:crypto";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { v7 } from "uuid";
import type { SegmentRef, SettledFiles } from "../../src/format/control-line.ts";
import { Segment } from "../../src/storage/segment.ts";
import type { Signer } from "../../src/seal/signer.ts";

/** The present of these tests. */
export const NOW: Date = new Date("2026-11-23T12:00:00.000Z");

export interface SegmentSpec {
  readonly file: string;
  /** @default "streamA" */
  readonly stream?: string;
  /** @default 0 */
  readonly seq?: number;
  readonly signer?: Signer;
  readonly prev?: SegmentRef;
  readonly seen?: readonly SegmentRef[];
  readonly settled?: readonly SettledFiles[];
  /** Lines of each commit. @default two commits, of two entries and of one */
  readonly commits?: readonly (readonly string[])[];
  /** @default "closed" */
  readonly end?: "closed" | "unclosed";
  /** Why it is closed. @default "test" */
  readonly reason?: string;
  /** @default eight in the morning of the file's day */
  readonly created?: string;
  /** Whether entries keep their ids where they are of another day than the file. @default false */
  readonly isOfAnyDay?: boolean;
}

/** Writes one segment, a commit a write, and tells its last state. */
export async function writeSegment(directory: string, spec: SegmentSpec): Promise<SegmentRef> {
  const {
    file,
    stream = "streamA",
    seq = 0,
    signer,
    prev = null,
    seen = [],
    end = "closed",
  } = spec;
  const commits = spec.commits ?? [entryLines(2), entryLines(1)];
  const [, year, month, day] = /^audit_(\d{4})(\d\d)(\d\d)/.exec(file) ?? [];
  const created = spec.created ?? `${year}-${month}-${day}T08:00:00.000Z`;
  const segment = new Segment({
    file,
    stream,
    seq,
    created,
    prev,
    seen,
    sdk: "test",
    ...(signer && { signer }),
    ...(spec.settled && { settled: spec.settled }),
  });
  const path = join(directory, file);
  await writeFile(path, "", { flag: "wx" });
  for (const given of commits) {
    const lines =
      spec.isOfAnyDay === true
        ? given
        : given.map((line) => onDay(line, `${year}-${month}-${day}`));
    await appendFile(
      path,
      segment.seal(lines, lines.filter((line) => !line.startsWith('{"type":')).length),
    );
  }
  if (end === "closed") await appendFile(path, segment.close(spec.reason ?? "test"));
  return segment.ref();
}

/**
 * An entry's line as one of another UTC day, at the same time of day: entries lie in the file of
 * their day.
 */
function onDay(line: string, day: string): string {
  const [, high = "", low = ""] = /^\{"id":"([0-9a-f]{8})-([0-9a-f]{4})-7/.exec(line) ?? [];
  if (high === "") return line;
  const time = Number.parseInt(high + low, 16);
  const moved = Date.parse(`${day}T00:00:00.000Z`) + (time % DAY_MS);
  if (moved === time || Number.isNaN(moved)) return line;
  const hex = moved.toString(16).padStart(12, "0");
  return line
    .replace(`${high}-${low}`, `${hex.slice(0, 8)}-${hex.slice(8)}`)
    .replaceAll(new Date(time).toISOString(), new Date(moved).toISOString());
}

const DAY_MS = 86_400_000;

let clock = Date.parse("2026-11-23T08:00:00.000Z");

/** An entry's line, later than all before it, with its text and the text's hash. */
export function entryLine(text = "What is the capital of France?"): string {
  clock += 1;
  const id = v7({ msecs: clock });
  const timestamp = new Date(clock).toISOString();
  const fields = {
    id,
    timestamp,
    input_hash: hash("sha256", text),
    output_hash: hash("sha256", "Paris."),
  };
  return JSON.stringify({
    ...fields,
    input_content: text,
    output_content: "Paris.",
    metadata: { type: "x" },
  });
}

export function entryLines(count: number): string[] {
  return Array.from({ length: count }, () => entryLine());
}

/** The id of an entry's line. */
export function idOfLine(line: string | undefined): string {
  return (line ?? "").slice('{"id":"'.length, '{"id":"'.length + 36);
}
