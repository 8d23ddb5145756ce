// The findings of a verification, by entry.
import { eachLine, lineToEntry, LineSplitter } from "@ai-audit/core/format";
import type { FileVerification, LogSource, Problem, Verification } from "@ai-audit/core/verify";
import { STATE_EXIT_CODES } from "@ai-audit/core/verify";
import type { ProofMark } from "../data/rows.ts";

/** Further entries are not marked one by one: the file's own state shows them. */
const MAX_MARKS = 1_000_000;

/**
 * The finding about each entry that is not as it was sealed. Reads only files with a finding.
 * Whole-file findings mark each entry of the file.
 */
export async function marksOf(
  { files }: Verification,
  sources: readonly LogSource[],
): Promise<Map<string, ProofMark>> {
  const marks = new Map<string, ProofMark>();
  const wanted = new Map(
    files
      .filter(({ state }) => STATE_EXIT_CODES[state] !== 0)
      .map((file): [string, FileVerification] => [file.file, file]),
  );
  if (wanted.size === 0) return marks;
  for (const source of sources) {
    for (const { file } of await source.files()) {
      const found = wanted.get(source.place?.labelOf(file) ?? file) ?? wanted.get(file);
      if (found !== undefined) await markFile(source, file, found, marks);
    }
  }
  return marks;
}

async function markFile(
  source: LogSource,
  file: string,
  { problems }: FileVerification,
  marks: Map<string, ProofMark>,
): Promise<void> {
  const splitter = new LineSplitter();
  let line = 0;
  for await (const chunk of source.read(file)) {
    for (const block of splitter.push(chunk)) {
      eachLine(block, (bytes, start, end) => {
        line += 1;
        if (marks.size >= MAX_MARKS) return;
        const problem = problems.find((each) => covers(each, line));
        if (problem === undefined) return;
        const id = lineToEntry(bytes.toString("utf8", start, end))?.id;
        if (id === undefined) return;
        marks.set(id, { state: problem.state, file, message: problem.message });
      });
    }
  }
}

/** A finding without a line is about the whole file. */
function covers({ line: first, lastLine }: Problem, line: number): boolean {
  return first === 0 || (line >= first && line <= (lastLine ?? first));
}
