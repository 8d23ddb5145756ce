// What a log says of files that are not there any more: which removals count, and what they rest on.
import type { RemovalRecord } from "../format/control-line.ts";
import { dayOfSegment, startOfDay } from "../format/segment-name.ts";
import type { SegmentReport } from "./segment-report.ts";

/** A line that authorises a removal, and whether a trusted key vouches for it. */
export interface PruneRecord {
  readonly prune: RemovalRecord;
  readonly isProven: boolean;
}

/** What the files alone do not say of removals. */
export interface RemovalContext {
  readonly now: Date;
  /** Removals that another log of the same place records. @default none */
  readonly prunes?: readonly PruneRecord[];
  /** Whether these files are an archive: what was moved to it must be here. @default false */
  readonly isArchive?: boolean;
  /** Whether the place has a rule of its own that removes what is old: a bucket may, a directory has none. @default false */
  readonly mayExpire?: boolean;
}

const DAY_MS = 86_400_000;

/** The removals that a log records. */
export class Removals {
  /** Those that count. */
  readonly byFile: ReadonlyMap<string, readonly PruneRecord[]>;
  /** Leaves by file of lines that authorise nothing: they name times that the file cannot have held. */
  readonly misdated: ReadonlyMap<string, number>;
  /** Whether a trusted key vouches for anything in the log. */
  readonly hasProven: boolean;
  readonly #reports: readonly SegmentReport[];
  readonly #context: RemovalContext;

  constructor(reports: readonly SegmentReport[], context: RemovalContext) {
    this.#reports = reports;
    this.#context = context;
    this.hasProven = reports.some(({ isProven }) => isProven);
    const own = reports.flatMap(({ prunes, isProven }) =>
      prunes.map((prune) => ({ prune, isProven })),
    );
    const counting = context.isArchive === true ? this.#ofNeverShipped(own) : own;
    const records = [...counting, ...(context.prunes ?? [])];
    const misdated = records.filter(({ prune }) => !isOfItsDay(prune));
    this.byFile = Map.groupBy(
      records.filter(({ prune }) => isOfItsDay(prune)),
      ({ prune }) => prune.file,
    );
    this.misdated = new Map(misdated.map(({ prune }) => [prune.file, prune.leaves]));
  }

  get all(): readonly PruneRecord[] {
    return [...this.byFile.values()].flat();
  }

  /** Whether the log says that a file was to be removed, or is of a time when everything is by now. */
  mayBeGone(file: string): boolean {
    const isPruned = this.byFile.get(file)?.some((record) => this.#counts(record)) ?? false;
    return isPruned || this.isExpired(file, undefined);
  }

  /**
   * Whether the place itself has removed everything of the file's day by now, as `by` says that it does; without one, as
   * any segment does that is proven.
   */
  isExpired(file: string, by: SegmentReport | undefined): boolean {
    if (this.#context.mayExpire !== true) return false;
    const start = startOfDay(dayOfSegment(file) ?? "");
    const witnesses = by ? [by] : this.#reports.filter((report) => this.#counts(report));
    return witnesses.some(({ open }) => {
      const days = open?.expires;
      return days !== undefined && start + days * DAY_MS <= this.#context.now.getTime();
    });
  }

  /** Whether somebody trusted says it; where nothing at all is proven, whether anybody does. */
  #counts({ isProven }: { readonly isProven: boolean }): boolean {
    return isProven || !this.hasProven;
  }

  /**
   * What a directory removed after it was shipped must be in the archive, whatever the directory's own retention says:
   * there only the archive's own does. What was removed before it could be shipped is nowhere.
   */
  #ofNeverShipped(records: readonly PruneRecord[]): PruneRecord[] {
    const moved = records.filter(
      (record) => record.prune.type === "retention.archived" && this.#counts(record),
    );
    const shipped = new Set(moved.map(({ prune }) => prune.file));
    return records.filter(
      ({ prune }) => prune.type === "retention.prune" && !shipped.has(prune.file),
    );
  }
}

/**
 * Whether a removal's times lie within the day of the file: entries lie in the file of their day, so any other line is
 * one that somebody was tricked into.
 */
function isOfItsDay(record: RemovalRecord): boolean {
  const day = dayOfSegment(record.file.slice(record.file.lastIndexOf("/") + 1));
  if (record.type !== "retention.prune" || day === undefined) return true;
  const start = startOfDay(day);
  return [record.from, record.to].every((time) => {
    const at = time === null ? start : Date.parse(time);
    return at >= start && at < start + DAY_MS;
  });
}
