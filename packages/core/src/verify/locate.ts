// Finds what was altered within a range of lines that no longer has the root it was sealed under. A
// root shows that bytes changed, not which bytes; these are the traces that most changes leave.
import { hash } from "node:crypto";
import { timeOfId } from "../format/id.ts";
import { CONTROL_PREFIX } from "../format/control-line.ts";
import { eachLine, LineSplitter } from "../format/lines.ts";
import { parseObject } from "../format/read-control-line.ts";
import type { Problem } from "./verification.ts";

/** Lines of a file to search, from 1, both inclusive, and what is known about them. */
export interface BrokenRange {
  readonly fromLine: number;
  readonly toLine: number;
  /** Lines are gone: the altered entry is not among those that remain. */
  readonly isRemoval: boolean;
  readonly message: string;
}

/** Further traces in one range are not reported one by one. */
const MAX_PROBLEMS = 8;

/**
 * The altered lines of a range: each line with a trace of alteration, or else the range as a whole.
 * Reads the file once more, and only up to the range's end.
 */
export async function locate(
  chunks: AsyncIterable<Buffer>,
  range: BrokenRange,
): Promise<Problem[]> {
  const splitter = new LineSplitter();
  const search = new RangeSearch(range);
  for await (const chunk of chunks) {
    for (const block of splitter.push(chunk)) {
      eachLine(block, (bytes, start, end) => {
        search.line(bytes, start, end);
      });
    }
    if (search.isDone) break;
  }
  return search.problems();
}

class RangeSearch {
  readonly #range: BrokenRange;
  readonly #found: Problem[] = [];
  /** Inconsistencies within an entry, which some writers may always produce. */
  readonly #foundWithin: Problem[] = [];
  #entries = 0;
  #inconsistent = 0;
  #line = 0;
  #previousId = "";
  /** Ids in the range, until there are two. */
  readonly #ids: string[] = [];

  constructor(range: BrokenRange) {
    this.#range = range;
  }

  get isDone(): boolean {
    return this.#line >= this.#range.toLine;
  }

  line(bytes: Buffer, start: number, end: number): void {
    if (this.isDone) return;
    this.#line += 1;
    if (this.#line < this.#range.fromLine) {
      this.#previousId = idOf(bytes.toString("latin1", start, start + ID_END)) ?? this.#previousId;
      return;
    }
    const text = bytes.toString("utf8", start, end);
    const id = idOf(text);
    if (id !== undefined && this.#ids.length < 2) this.#ids.push(id);
    const line = parseObject(text);
    const outer = this.#traceOfPlace(text, line, id);
    const inner =
      outer === undefined && line !== undefined && id !== undefined
        ? traceWithin(line, id)
        : undefined;
    if (id !== undefined) this.#entries += 1;
    if (id !== undefined && id > this.#previousId) this.#previousId = id;
    if (outer !== undefined) this.#add(this.#found, outer, id);
    if (inner === undefined) return;
    this.#inconsistent += 1;
    this.#add(this.#foundWithin, inner, id);
  }

  problems(): Problem[] {
    // An inconsistency of every entry comes from the writer and is no trace of a change.
    const isHabit = this.#entries > 1 && this.#inconsistent === this.#entries;
    const found = [...this.#found, ...(isHabit ? [] : this.#foundWithin)];
    if (found.length > 0) return found.toSorted((a, b) => a.line - b.line);
    const { fromLine, toLine, isRemoval, message } = this.#range;
    const [id] = this.#ids;
    const entryId = this.#ids.length === 1 && id !== undefined && !isRemoval ? { entryId: id } : {};
    const lastLine = toLine > fromLine ? { lastLine: toLine } : {};
    return [{ state: "TAMPERED", line: fromLine, ...lastLine, ...entryId, message }];
  }

  #add(found: Problem[], trace: string, id: string | undefined): void {
    if (found.length >= MAX_PROBLEMS) return;
    const message = `${trace}; ${this.#range.message}`;
    found.push({
      state: "TAMPERED",
      line: this.#line,
      ...(id !== undefined && { entryId: id }),
      message,
    });
  }

  /** The flaw of a line at its place. */
  #traceOfPlace(
    text: string,
    line: object | undefined,
    id: string | undefined,
  ): string | undefined {
    if (line === undefined) return "the line is not a JSON object";
    if (text.startsWith(CONTROL_PREFIX)) return undefined;
    if (id === undefined) return "the line does not begin with an entry id";
    if (id === this.#previousId) return "the entry id repeats the one before";
    return id < this.#previousId ? "the entry id is lower than one before it" : undefined;
  }
}

/** Contradictions within an entry. */
function traceWithin(line: Readonly<Record<string, unknown>>, id: string): string | undefined {
  const time = timeOfId(id);
  if (time !== undefined && line["timestamp"] !== new Date(time).toISOString()) {
    return "the entry's id and timestamp do not belong together";
  }
  for (const field of ["input", "output"]) {
    const content = line[`${field}_content`];
    const digest = line[`${field}_hash`];
    if (typeof content !== "string" || typeof digest !== "string") continue;
    // Keyed hashes and those of encrypted content cannot be checked without the key; plain ones of
    // kept text can.
    const isPlain = /^[0-9a-f]{64}$/.test(digest) && !JWE.test(content);
    if (isPlain && hash("sha256", content) !== digest)
      return `the entry's ${field} does not have its hash`;
  }
  return undefined;
}

/** Compact JWE with a direct key: five parts, the second one empty. RFC 7516, 7.1. */
const JWE = /^eyJ[\w-]+\.\.[\w-]+\.[\w-]*\.[\w-]+$/;
const ID_START = '{"id":"'.length;
const ID_END = ID_START + 36 + 1;

/** The id at the fixed place where an entry line has it. */
export function idOf(text: string): string | undefined {
  return /^\{"id":"([0-9a-f-]{36})"/.exec(text.slice(0, ID_END))?.[1];
}
