// Records of removals that go with their day while something that stays still refers to what they are about.
import { formatControlLine, type RetentionPrune } from "../../format/control-line.ts";
import type { DayOptions, ExpiredSegment } from "./expired-day.ts";
import { parseSegmentFileName } from "./keys.ts";

/** What may refer to a removed segment. */
interface Referrers {
  /** Keys that this run has removed. */
  readonly gone: ReadonlySet<string>;
  /** The remover's own stream, whose next segment names its last one. */
  readonly ownStream: string;
}

/**
 * The lines to write once more before their segments go. `unproven`: segments with such a line that no key sealed
 * which is trusted here: they stay.
 *
 * A shipped segment's first line says what it refers to. A direct one refers to the one before it of its stream, at
 * whatever distance, which its end shows in a listing; to others only within a day, but for what clean-up kept on record.
 */
export async function linesToCarry(
  { survey, earlier, trusts }: DayOptions,
  segments: readonly ExpiredSegment[],
  { gone, ownStream }: Referrers,
): Promise<{ readonly lines: readonly string[]; readonly unproven: readonly ExpiredSegment[] }> {
  const holders = segments.filter(({ prunes }) => prunes.length > 0);
  if (holders.length === 0) return { lines: [], unproven: [] };
  const going = new Set(segments.flatMap(({ keys }) => keys));
  const stays = ({ key }: { readonly key: string }): boolean => !gone.has(key) && !going.has(key);
  const referred = new Set(
    (await survey.beginnings())
      .filter(stays)
      .flatMap(({ directory, refs }) => refs.map(({ file }) => `${directory}/${file}`)),
  );
  for (const { ref, by } of await earlier.states()) if (stays({ key: by })) referred.add(ref.file);
  const newest = new Map<string, number>([[ownStream, Infinity]]);
  for (const { stream, seq } of (await survey.control()).filter(stays)) {
    newest.set(stream, Math.max(seq, newest.get(stream) ?? 0));
  }
  const isNeeded = ({ file }: RetentionPrune): boolean => {
    const segment = parseSegmentFileName(file);
    return (
      referred.has(file) ||
      (segment !== undefined && (newest.get(segment.stream) ?? 0) > segment.seq)
    );
  };
  const lines: string[] = [];
  const unproven: ExpiredSegment[] = [];
  for (const segment of holders) {
    const needed = recordsOf(segment).filter(isNeeded);
    if (needed.length > 0 && !trusts(segment.vkey)) unproven.push(segment);
    else lines.push(...needed.map((record) => formatControlLine(record)));
  }
  return { lines: [...new Set(lines)], unproven };
}

/**
 * What a segment records as removed from this place, under names of this place: of a directory's segment that is what
 * the directory removed before it could ship it.
 */
function recordsOf({ file, prunes }: ExpiredSegment): RetentionPrune[] {
  const directory = file.slice(0, file.lastIndexOf("/") + 1);
  const shipped = new Set(
    prunes.filter(({ type }) => type === "retention.archived").map((record) => record.file),
  );
  return prunes.flatMap((record) =>
    record.type === "retention.prune" && !shipped.has(record.file)
      ? [{ ...record, file: directory + record.file }]
      : [],
  );
}
