// A survey of a source before its import: the lines that can be imported, and those that cannot.
// Readers skip the latter.
import { AuditError, type OnProgress } from "@ai-audit/core";
import { eachLine, LineSplitter, lineToEntry, parseSegmentName } from "@ai-audit/core/format";
import { directorySource } from "@ai-audit/core/verify";

/** A line that cannot be imported. */
export interface BadLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

/** The lines and files of a source. */
export interface Survey {
  /** Lines that are entries. */
  readonly entries: number;
  /** Lines that are not entries, without empty ones. */
  readonly unreadable: number;
  /** The first of them. */
  readonly firstUnreadable: readonly BadLine[];
  /** Incomplete last lines: their writer was stopped. */
  readonly torn: readonly BadLine[];
  /** `.jsonl` files without the name of a log file. */
  readonly otherFiles: readonly string[];
}

/** Number of unreadable lines that are named. */
const MAX_NAMED = 5;

/** Reads every line of a directory's files. @throws the system's error for an unreadable file */
export async function surveySource(
  path: string,
  onProgress: OnProgress = () => undefined,
): Promise<Survey> {
  const source = directorySource(path);
  const files = (await source.files()).toSorted((a, b) => (a.file < b.file ? -1 : 1));
  const read = files.filter(
    ({ file, oddity }) => parseSegmentName(file) !== undefined && oddity === undefined,
  );
  const totalBytes = read.reduce((sum, { bytes }) => sum + bytes, 0);
  const found = {
    entries: 0,
    unreadable: 0,
    firstUnreadable: new Array<BadLine>(),
    torn: new Array<BadLine>(),
  };
  let bytesRead = 0;
  for (const { file } of read) {
    for await (const { text, line, isComplete, bytes } of linesOf(file, source.read(file))) {
      bytesRead += bytes;
      onProgress(Math.min(1, bytesRead / totalBytes));
      if (text.trim() === "") continue;
      // Readers do not take a last line without its line feed, even if it looks whole.
      const reason = whyNot(text) ?? (isComplete ? undefined : "an entry without its line feed");
      if (reason === undefined) {
        found.entries += 1;
      } else if (!isComplete && !isJson(text)) {
        found.torn.push({ file, line, reason: "its writer did not finish it" });
      } else {
        found.unreadable += 1;
        if (found.firstUnreadable.length < MAX_NAMED)
          found.firstUnreadable.push({ file, line, reason });
      }
    }
  }
  return {
    ...found,
    otherFiles: files.filter((file) => !read.includes(file)).map(({ file }) => file),
  };
}

/**
 * Why a line is not an entry; undefined for an entry. The reason quotes nothing of the line, which
 * may be a prompt.
 */
function whyNot(text: string): string | undefined {
  const entry = lineToEntry(text);
  if (entry !== undefined)
    return Number.isNaN(Date.parse(entry.timestamp)) ? "its timestamp is not a time" : undefined;
  return isJson(text) ? "not an entry: it has no id or timestamp, or has a type" : "not JSON";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface SourceLine {
  readonly text: string;
  /** From 1. */
  readonly line: number;
  /** Whether it ends in a line feed. */
  readonly isComplete: boolean;
  readonly bytes: number;
}

async function* linesOf(
  file: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<SourceLine, void, undefined> {
  const splitter = new LineSplitter();
  let line = 0;
  const take = (text: string, bytes: number, isComplete: boolean): SourceLine => {
    line += 1;
    return { text, line, isComplete, bytes };
  };
  for await (const chunk of chunks) {
    const lines: SourceLine[] = [];
    for (const block of splitter.push(chunk)) {
      eachLine(block, (bytes, start, end) =>
        lines.push(take(bytes.toString("utf8", start, end), end - start + 1, true)),
      );
    }
    yield* lines;
  }
  if (splitter.isCut)
    throw new AuditError("AUDIT_READ_FAILED", `${file}: a line is longer than 64 MiB`);
  const rest = splitter.rest();
  if (rest.length > 0) yield take(rest.toString(), rest.length, false);
}
