// Several sorted sources of pages as one.

/** An entry's line and its sort key: its id, or for a foreign entry its time and id. */
export interface KeyedLine {
  readonly key: string;
  readonly line: string;
}

interface Source {
  readonly pages: AsyncIterator<readonly KeyedLine[]>;
  page: readonly KeyedLine[];
  at: number;
}

/**
 * Merges sources that are each in `order` of their keys. Pages of one source pass whole where no
 * other source overlaps. A line in two sources is passed once: a failed commit is written again
 * into the next segment.
 */
export async function* mergePages(
  sources: readonly AsyncIterable<readonly KeyedLine[]>[],
  order: "oldest-first" | "newest-first",
): AsyncGenerator<readonly KeyedLine[]> {
  const before = order === "oldest-first" ? isLess : isGreater;
  const open: Source[] = [];
  let newest: KeyedLine | undefined;
  try {
    for (const source of sources) {
      const opened: Source = { pages: source[Symbol.asyncIterator](), page: [], at: 0 };
      if (await advance(opened)) open.push(opened);
    }
    while (open.length > 0) {
      const [first, second] = firstTwo(open, before);
      if (!first) return;
      const end = second ? runEnd(first, keyOf(second), before) : first.page.length;
      const next = first.page[first.at];
      const isTwin = next !== undefined && next.key === newest?.key && next.line === newest.line;
      const run = first.page.slice(isTwin ? first.at + 1 : first.at, end);
      newest = run.at(-1) ?? newest;
      if (run.length > 0) yield run;
      first.at = end;
      if (first.at === first.page.length && !(await advance(first)))
        open.splice(open.indexOf(first), 1);
    }
  } finally {
    for (const { pages } of open) await pages.return?.();
  }
}

async function advance(source: Source): Promise<boolean> {
  const { done, value } = await source.pages.next();
  source.page = done ? [] : value;
  source.at = 0;
  return !done;
}

type Before = (a: string, b: string) => boolean;
const isLess: Before = (a, b) => a < b;
const isGreater: Before = (a, b) => a > b;

function keyOf({ page, at }: Source): string {
  return page[at]?.key ?? "";
}

/**
 * The end of the lines of a source's page that come no later than `limit`; its first line always
 * does.
 */
function runEnd({ page, at }: Source, limit: string, before: Before): number {
  const end = page.findIndex(({ key }, index) => index > at && before(limit, key));
  return end === -1 ? page.length : end;
}

/** The next source, and the one after it. */
function firstTwo(
  open: readonly Source[],
  before: Before,
): [Source | undefined, Source | undefined] {
  let first: Source | undefined;
  let second: Source | undefined;
  for (const source of open) {
    if (!first || before(keyOf(source), keyOf(first))) [first, second] = [source, first];
    else if (!second || before(keyOf(source), keyOf(second))) second = source;
  }
  return [first, second];
}
