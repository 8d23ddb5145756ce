// Entries that were not written, until a durable `loss` line records them. Each entry is counted
// once: a line that was tried keeps its bytes, so a copy of it that a failed write left behind is
// the same loss.
import { formatControlLine } from "../format/control-line.ts";
import { timeOfId } from "../format/id.ts";

/** Entries in a row with one reason. */
interface Run {
  readonly first: string;
  last: string;
  entries: number;
  readonly reason: string;
  /** False where a write failed without reporting its length. */
  readonly isCertain: boolean;
  /** Fixed by the first commit that tries to write it. */
  line: string | undefined;
}

export class Losses {
  #runs: Run[] = [];
  #total = 0;

  /** Entries lost since the storage was made. */
  get total(): number {
    return this.#total;
  }

  /** Counts an entry that is not written. */
  add(id: string, reason: string, isCertain = true): void {
    this.#total += 1;
    const run = this.#runs.at(-1);
    if (run && run.line === undefined && run.isCertain === isCertain) {
      run.entries += 1;
      run.last = id;
    } else {
      this.#runs.push({ first: id, last: id, entries: 1, reason, isCertain, line: undefined });
    }
  }

  /** Takes an uncertain loss back: its write succeeded after all. */
  withdraw(firstId: string): void {
    const run = this.#runs.find(({ first, isCertain }) => first === firstId && !isCertain);
    if (!run || run.line !== undefined) return;
    this.#total -= run.entries;
    this.#runs = this.#runs.filter((other) => other !== run);
  }

  /** The `loss` lines to write now; none when every loss is on record. */
  lines(): readonly string[] {
    return this.#runs.map((run) => (run.line ??= lineOf(run)));
  }

  /** These lines are durable. */
  noteWritten(lines: readonly string[]): void {
    const written = new Set(lines);
    this.#runs = this.#runs.filter(({ line }) => line === undefined || !written.has(line));
  }

  /** These lines were not written to any file: later losses may still join them. */
  release(lines: readonly string[]): void {
    const untried = new Set(lines);
    for (const run of this.#runs)
      if (run.line !== undefined && untried.has(run.line)) run.line = undefined;
  }
}

function lineOf({ first, last, entries, reason, isCertain }: Run): string {
  const at = new Date().toISOString();
  return formatControlLine({
    type: "loss",
    entries,
    from: timeIn(first, at),
    to: timeIn(last, at),
    reason,
    at,
    first,
    last,
    certain: isCertain ? undefined : false,
  });
}

function timeIn(id: string, otherwise: string): string {
  const time = timeOfId(id);
  return time === undefined ? otherwise : new Date(time).toISOString();
}
