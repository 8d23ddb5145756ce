// A verdict on the newer files of a log. All were verified: what is missing or forked shows by the older ones too.
import {
  type Evidence,
  type FileVerification,
  judge,
  type Verification,
} from "@ai-audit/core/verify";
import { plural } from "../output/format.ts";

/** A verification, and what its verdict does not speak of. */
export interface JudgedVerification extends Verification {
  readonly notJudged?: {
    /** UTC day of the first files judged: `2026-11-23`. */
    readonly before: string;
    readonly files: number;
    /** Those among them whose state would have counted against the log. */
    readonly notOk: number;
  };
}

export interface SinceOptions extends Pick<Evidence, "pins" | "signatures"> {
  /** Milliseconds since the epoch: files of this UTC day and of later ones are judged. */
  readonly since: number;
}

/**
 * The verdict over the files of a day and of later ones. A file without a day in its name is judged too. The days of older
 * files are as their names say: a newer file that is called otherwise is missing under its own name where anything
 * refers to it, and counts among the older ones that are not OK.
 */
export function judgeSince(
  result: Verification,
  { since, pins, signatures }: SinceOptions,
): JudgedVerification {
  if (result.exitCode === 3) return result;
  const before = new Date(since).toISOString().slice(0, 10);
  const older = result.files.filter(({ file }) => (dayOf(file) ?? before) < before);
  if (older.length === 0) return result;
  const isNotOk = (file: FileVerification): boolean =>
    judge({ files: [file], pins: [], confirmedPins: [], signatures }).exitCode !== 0;
  const notJudged = { before, files: older.length, notOk: older.filter(isNotOk).length };
  const files = result.files.filter((file) => !older.includes(file));
  const state = notJudged.notOk === 0 ? "all of them OK" : `${notJudged.notOk} of them not OK`;
  const rest = `not judged: ${plural(older.length, "file")} of earlier days, ${state}`;
  if (files.length === 0) {
    return {
      exitCode: 3,
      verdict: `NOT VERIFIED: no file of ${before} or later; ${rest}`,
      entries: 0,
      files,
      notJudged,
    };
  }
  const { anchoredTo } = result;
  const judged = judge({ files, pins, confirmedPins: anchoredTo ? [anchoredTo] : [], signatures });
  return {
    ...judged,
    verdict: `${judged.verdict.replace(":", ` since ${before}:`)}; ${rest}`,
    notJudged,
  };
}

/** The UTC day in a file's name, or in its key in a bucket: `2026-11-23`. */
function dayOf(file: string): string | undefined {
  const [, year, month, day] = /(?:^|\/)audit_(\d{4})(\d\d)(\d\d)[_.][^/]*$/.exec(file) ?? [];
  if (year !== undefined) return `${year}-${month ?? ""}-${day ?? ""}`;
  return /(?:^|\/)(\d{4}-\d\d-\d\d)\//.exec(file)?.[1];
}
