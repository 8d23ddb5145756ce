// Personal data in every place of a payload where a provider may write text.

/** Nobody's name and address. */
export const PLANTED = "Jane Doe of 12 Elm Street, jane.doe@example.com";

/** Words by which it is found in the bytes of a log. */
export const PLANTED_WORDS: readonly string[] = ["Elm Street", "Jane Doe", "jane.doe"];

/** A payload with the planted text in place of one string. */
export interface Planting {
  /** The members on the way to the string; items of lists are `*`. */
  readonly place: string;
  readonly payload: unknown;
}

/** A copy of a payload for each of its strings. Items of a list count as one place. */
export function* plantings(payload: unknown): Generator<Planting, void, undefined> {
  const places = new Set<string>();
  for (const path of stringsIn(payload, [])) {
    const place = path.map((step) => (/^\d+$/.test(step) ? "*" : step)).join(".");
    if (places.has(place)) continue;
    places.add(place);
    yield { place, payload: withPlanted(payload, path) };
  }
}

type Path = readonly string[];

function* stringsIn(value: unknown, path: Path): Generator<Path, void, undefined> {
  if (typeof value === "string") yield path;
  else if (typeof value === "object" && value !== null)
    for (const [name, member] of Object.entries(value)) yield* stringsIn(member, [...path, name]);
}

function withPlanted(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined || typeof value !== "object" || value === null) return PLANTED;
  const members = Object.entries(value).map(([name, member]): [string, unknown] => [
    name,
    name === step ? withPlanted(member, rest) : member,
  ]);
  return Array.isArray(value) ? members.map(([, item]) => item) : Object.fromEntries(members);
}

/** The lines of a log in which the planted text stands, without hashes. */
export function linesWithPlanted(bytes: string): readonly string[] {
  return bytes
    .split("\n")
    .filter((line) =>
      PLANTED_WORDS.some((word) => line.toLowerCase().includes(word.toLowerCase())),
    );
}
