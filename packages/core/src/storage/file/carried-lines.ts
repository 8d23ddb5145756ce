// Records of removals that stand in files which go, while something that stays still refers to what they are about.
import { AuditError } from "../../errors.ts";
import { formatControlLine, type SegmentRef } from "../../format/control-line.ts";
import type { Directory } from "./directory.ts";
import { checkSegment, isSound } from "../../retention/trust.ts";

/** A file that goes. */
export interface Leaving {
  readonly file: string;
  /** Files that lines in it authorise the removal of. What they prove is another matter. */
  readonly prunedFiles: ReadonlySet<string>;
}

/**
 * Lines in files that go, of removals to which a file that stays refers, or one of the states that are to be recorded:
 * they are written once more. Only a segment that our key sealed is believed, whatever stands in others.
 *
 * @throws `AUDIT_READ_FAILED` when a segment that goes holds such a line and nobody can say that it is true
 */
export async function linesStillNeeded(
  directory: Directory,
  expired: readonly Leaving[],
  states: readonly SegmentRef[],
): Promise<readonly string[]> {
  const { lines, unproven } = await carry(directory, expired, states);
  const [file] = unproven;
  if (file === undefined) return lines;
  throw new AuditError(
    "AUDIT_READ_FAILED",
    `${file} records a removal that is still referred to, and nothing proves it`,
  );
}

/** As `linesStillNeeded`. `unproven`: segments whose lines are needed and are not proven to be ours. */
export async function carry(
  directory: Directory,
  expired: readonly Leaving[],
  states: readonly SegmentRef[],
): Promise<{ readonly lines: readonly string[]; readonly unproven: ReadonlySet<string> }> {
  const needed = new Set([
    ...(await referredTo(directory, expired)),
    ...states.map(({ file }) => file),
  ]);
  const lines: string[] = [];
  const unproven = new Set<string>();
  for (const { file, prunedFiles } of expired) {
    const wanted = new Set([...prunedFiles].filter((about) => needed.has(about)));
    const head = wanted.size > 0 ? await directory.head(file) : undefined;
    if (!head || head.foreign) continue; // no such line of a foreign file was ever proven
    const report = await checkSegment(file, head.vkey, directory.chunks(file));
    if (!isSound(report) || !directory.trusts({ vkey: head.vkey })) unproven.add(file);
    else
      lines.push(
        ...report.prunes.filter((record) => wanted.has(record.file)).map(formatControlLine),
      );
  }
  return { lines: [...new Set(lines)], unproven };
}

/** Files that are referred to by those that stay. */
async function referredTo(
  directory: Directory,
  expired: readonly Leaving[],
): Promise<ReadonlySet<string>> {
  const files = new Set<string>();
  if (expired.every(({ prunedFiles }) => prunedFiles.size === 0)) return files;
  const going = new Set(expired.map(({ file }) => file));
  for (const { file } of await directory.list()) {
    if (going.has(file)) continue;
    for (const ref of (await directory.head(file))?.refs ?? []) files.add(ref.file);
  }
  return files;
}
