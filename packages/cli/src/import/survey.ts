// What of a source can be imported, line by line, before anything is: readers pass over what is no entry.
import type { OnProgress } from "@ai-audit/core";
import { lineToEntry } from "@ai-audit/core/format";
import { directorySource } from "@ai-audit/core/verify";

/** A line that cannot be imported. */
export interface BadLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

/** What is there. */
export interface Survey {
  /** Lines that are entries. */
  readonly entries: number;
  /** Lines that are none, empty ones aside. */
  readonly unreadable: number;
  /** The first of them. */
  readonly firstUnreadable: readonly BadLine[];
  /** Last lines that break off: the writer died over them. */
  readonly torn: readonly BadLine[];
  /** `.jsonl` files that are not named as files of a log are. */
  readonly otherFiles: readonly string[];
}

/** So many are named. */
const MAX_NAMED = 5;
const LF = 0x0a;
/** As the original names its files, and we ours. */
const LOG_FILE = /^audit_\d{8}(?:_\d{3,6})?\.jsonl$/;

/** Reads every line of a directory's files. @throws the system's error for what cannot be read */
export async function surveySource(
  path: string,
  onProgress: OnProgress = () => undefined,
): Promise<Survey> {
  const source = directorySource(path);
  const files = (await source.files()).toSorted((a, b) => (a.file < b.file ? -1 : 1));
  const read = files.filter(({ file, oddity }) => LOG_FILE.test(file) && oddity === undefined);
  const totalBytes = read.reduce((sum, { bytes }) => sum + bytes, 0);
  const found = {
    entries: 0,
    unreadable: 0,
    firstUnreadable: new Array<BadLine>(),
    torn: new Array<BadLine>(),
  };
  let bytesRead = 0;
  for (const { file } of read) {
    for await (const { text, line, isComplete, bytes } of linesOf(source.read(file))) {
      bytesRead += bytes;
      onProgress(Math.min(1, bytesRead / totalBytes));
      if (text.trim() === "") continue;
      // Readers wait for a line feed behind what looks whole, too.
      const reason =
        whyNot(text) ?? (isComplete ? undefined : "an entry without a line feed behind it");
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

/** Why a line is no entry; undefined for one. No word of what it says: that may be a prompt. */
function whyNot(text: string): string | undefined {
  const entry = lineToEntry(text);
  if (entry !== undefined)
    return Number.isNaN(Date.parse(entry.timestamp)) ? "its timestamp is no time" : undefined;
  return isJson(text) ? "no entry: it lacks an id or a timestamp, or has a type" : "not JSON";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // that is the answer
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
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<SourceLine, void, undefined> {
  let rest: Buffer[] = []; // the beginning of a line that goes on in the next chunk
  let line = 0;
  const take = (end: Buffer, isComplete: boolean): SourceLine => {
    const bytes = rest.length === 0 ? end : Buffer.concat([...rest, end]);
    rest = [];
    line += 1;
    return { text: bytes.toString(), line, isComplete, bytes: bytes.length + (isComplete ? 1 : 0) };
  };
  for await (const chunk of chunks) {
    let at = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, at)) {
      yield take(chunk.subarray(at, end), true);
      at = end + 1;
    }
    if (at < chunk.length) rest.push(Buffer.from(chunk.subarray(at))); // the chunk is valid until the next one
  }
  if (rest.length > 0) yield take(Buffer.alloc(0), false);
}
