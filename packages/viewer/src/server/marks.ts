// What a verification says of single entries.
import { eachLine, lineToEntry, LineSplitter } from "@ai-audit/core/format";
import type { FileVerification, LogSource, Problem, Verification } from "@ai-audit/core/verify";
import { STATE_EXIT_CODES } from "@ai-audit/core/verify";
import type { ProofMark } from "../data/rows.ts";

/** Further entries are not marked one by one: the file's own state shows them. */
const MAX_MARKS = 1_000_000;

/** The entries that are not known to be as they were sealed. */
export interface Findings {
  /** Findings about entries, by id. */
  readonly marks: ReadonlyMap<string, ProofMark>;
  /** Other entries of files with a finding: nothing is known of them. */
  readonly unknown: ReadonlySet<string>;
  /** False where there are more entries with a finding than are kept. */
  readonly isComplete: boolean;
}

/** Before a verification: nothing is known of any entry. */
export const NO_FINDINGS: Findings = { marks: new Map(), unknown: new Set(), isComplete: false };

/**
 * The findings about entries. Reads only files with a finding. Whole-file findings mark each entry
 * of the file.
 */
export async function findingsOf(
  { files }: Verification,
  sources: readonly LogSource[],
): Promise<Findings> {
  const marks = new Map<string, ProofMark>();
  const unknown = new Set<string>();
  const wanted = new Map(
    files
      .filter(({ state }) => STATE_EXIT_CODES[state] !== 0)
      .map((file): [string, FileVerification] => [file.file, file]),
  );
  const isFull = (): boolean => marks.size + unknown.size >= MAX_MARKS;
  for (const source of wanted.size === 0 ? [] : sources) {
    for (const { file } of await source.files()) {
      const found = wanted.get(source.place?.labelOf(file) ?? file) ?? wanted.get(file);
      if (found === undefined) continue;
      for await (const { id, line } of entriesIn(source, file)) {
        if (isFull()) return { marks, unknown, isComplete: false };
        const problem = found.problems.find((each) => covers(each, line));
        if (problem === undefined) unknown.add(id);
        else marks.set(id, { state: problem.state, file, message: problem.message });
      }
    }
  }
  return { marks, unknown, isComplete: true };
}

/** Ids of the entries in a file, with the number of their line. */
async function* entriesIn(
  source: LogSource,
  file: string,
): AsyncGenerator<{ readonly id: string; readonly line: number }> {
  const splitter = new LineSplitter();
  let line = 0;
  for await (const chunk of source.read(file)) {
    for (const block of splitter.push(chunk)) {
      const found: { readonly id: string; readonly line: number }[] = [];
      eachLine(block, (bytes, start, end) => {
        line += 1;
        const id = lineToEntry(bytes.toString("utf8", start, end))?.id;
        if (id !== undefined) found.push({ id, line });
      });
      yield* found;
    }
  }
}

/** A finding without a line is about the whole file. */
function covers({ line: first, lastLine }: Problem, line: number): boolean {
  return first === 0 || (line >= first && line <= (lastLine ?? first));
}
