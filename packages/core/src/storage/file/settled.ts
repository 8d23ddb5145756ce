// Settled files: those that no writer needs to look at again, as a sealed first line lists them.
import type { SegmentRef, SettledFiles } from "../../format/control-line.ts";
import { formatSegmentName } from "../../format/segment-name.ts";
import { orUnreadable } from "../read-failure.ts";
import type { Directory, ListedFile, Look } from "./directory.ts";

/** A larger file ties no list to its directory: each start reads it. */
const MAX_STATE_BYTES = 256 * 1024;
/** Number of files tried, to find one that is small enough. */
const STATE_TRIES = 4;

/** Looks at a file; undefined when it cannot be read, or has no complete first line. */
export type LookAtFile = (file: string) => Promise<Look | undefined>;

/** Ascending numbers, first and last of each range. */
type Ranges = readonly (readonly [number, number])[];

/** The settled files of some days. */
export class Settled {
  readonly #days: Map<string, Ranges>;
  readonly #added = new Map<string, number[]>();

  private constructor(days: Map<string, Ranges>) {
    this.#days = days;
  }

  /**
   * The newest list of this directory that a proven segment among these files seals. The files are
   * in the order of their names.
   */
  static async read(
    directory: Directory,
    newest: readonly ListedFile[],
    lookAt: LookAtFile,
  ): Promise<Settled> {
    for (const { file } of newest.toReversed()) {
      const look = await lookAt(file);
      if (look?.isTrusted !== true || !look.head.settled) continue;
      const days = new Map<string, Ranges>();
      for (const { day, numbers, state } of look.head.settled)
        if (await isLastState(directory, state)) days.set(day, rangesIn(numbers));
      if (days.size > 0) return new Settled(days);
    }
    return new Settled(new Map());
  }

  /** Whether a file needs no look. */
  has({ day, number }: ListedFile): boolean {
    const ranges = this.#days.get(day) ?? [];
    let [low, high] = [0, ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ranges[middle]?.[1] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return (
      (ranges[low]?.[0] ?? Infinity) <= number || this.#added.get(day)?.includes(number) === true
    );
  }

  add({ day, number }: ListedFile): void {
    const added = this.#added.get(day);
    if (added) added.push(number);
    else this.#added.set(day, [number]);
  }

  /** The lists to seal: one for each day from `since` on. */
  async toSeal(directory: Directory, since: string): Promise<readonly SettledFiles[]> {
    const lists: SettledFiles[] = [];
    for (const day of new Set([...this.#days.keys(), ...this.#added.keys()])) {
      if (day < since) continue;
      const ranges = withNumbers(this.#days.get(day) ?? [], this.#added.get(day) ?? []);
      const list = await tied(directory, day, ranges);
      if (list) lists.push(list);
    }
    return lists;
  }
}

/**
 * Ties a list to its directory by the state of its first file. Segments of another directory under
 * the same key name other states. An attacker cannot plant the file for them either: its number is
 * taken, or no file here has a higher one.
 */
async function tied(
  directory: Directory,
  day: string,
  ranges: Ranges,
): Promise<SettledFiles | undefined> {
  for (const number of firstNumbers(ranges)) {
    const look = await lookOrSkip(directory, formatSegmentName({ day, number }), MAX_STATE_BYTES);
    if (look?.wholeBytes === undefined || !look.isEnded || !look.ref) continue;
    const numbers = ranges
      .filter(([, to]) => to >= number)
      .map(([from, to]) => spell(Math.max(from, number), to))
      .join(",");
    return { day, numbers, state: look.ref };
  }
  return undefined;
}

function firstNumbers(ranges: Ranges): readonly number[] {
  const numbers: number[] = [];
  for (const [from, to] of ranges)
    for (let number = from; number <= to && numbers.length < STATE_TRIES; number += 1)
      numbers.push(number);
  return numbers;
}

async function isLastState(directory: Directory, state: SegmentRef): Promise<boolean> {
  const look = await lookOrSkip(directory, state.file, MAX_STATE_BYTES);
  return (
    look?.wholeBytes !== undefined &&
    look.isEnded &&
    look.ref?.size === state.size &&
    look.ref.root === state.root
  );
}

function rangesIn(numbers: string): Ranges {
  return numbers.split(",").map((range) => {
    const [from = "", to = from] = range.split("-");
    return [Number(from), Number(to)];
  });
}

function withNumbers(ranges: Ranges, numbers: readonly number[]): Ranges {
  const joined: [number, number][] = [];
  const all = [...ranges, ...numbers.map((number) => [number, number] as const)];
  for (const [from, to] of all.toSorted(([a], [b]) => a - b)) {
    const last = joined.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

function spell(from: number, to: number): string {
  return from === to ? `${from}` : `${from}-${to}`;
}

/** Looks at a file; undefined when it cannot be read. */
export function lookOrSkip(
  directory: Directory,
  file: string,
  wholeBytes?: number,
): Promise<Look | undefined> {
  return orUnreadable(directory.look(file, wholeBytes));
}
