// Files that a directory moved to an archive: read there, and judged as if they were still in the
// directory.
import { hasCode } from "../system-error.ts";
import { CallIds } from "./call-ids.ts";
import { examineSegment } from "./examine-segment.ts";
import type { LogSource } from "./log-source.ts";
import type { ReadSettings } from "./read-segments.ts";
import { recordsOf, referenceOfPin } from "./references.ts";
import { recordsIn } from "./removals.ts";
import type { SegmentReport } from "./segment-report.ts";

/** Copies found in an archive. */
export interface ArchivedCopies {
  readonly reports: readonly SegmentReport[];
  readonly files: ReadonlySet<string>;
}

interface ArchiveSettings extends ReadSettings {
  readonly archive: (() => Promise<readonly LogSource[]>) | undefined;
}

/**
 * Looks for every file that a sealed `retention.archived` line names and that is not in the
 * directory. A copy counts when it has the root that the line names.
 */
export async function readArchivedCopies(
  reports: readonly SegmentReport[],
  settings: ArchiveSettings,
): Promise<ArchivedCopies> {
  const there = new Set(reports.map(({ file }) => file));
  const moved = reports
    .flatMap(recordsIn)
    .flatMap(({ prune }) =>
      prune.type === "retention.archived" && !there.has(prune.file) ? [prune] : [],
    );
  if (settings.archive === undefined || moved.length === 0)
    return { reports: [], files: new Set() };
  const archives = (await settings.archive()).filter(({ place }) => place?.isArchive === true);
  const places = await Promise.all(
    archives.map(async (source) => ({
      source,
      names: new Set((await source.files()).map(({ file }) => file)),
    })),
  );
  const refs = [...reports.flatMap(recordsOf), ...settings.pins.map(referenceOfPin)];
  const found = new Map<string, SegmentReport>();
  for (const { file, leaves, root } of moved) {
    const sizesWanted = new Set(refs.filter((ref) => ref.file === file).map(({ size }) => size));
    for (const { source, names } of places) {
      if (found.has(file) || !names.has(file)) continue;
      const report = await examineSegment(file, source.read(file), {
        keyring: settings.keyring,
        signatures: settings.signatures,
        sizesWanted,
        calls: new CallIds(),
        isOfFile: (error) => source.isOfFile?.(error) !== false && !hasCode(error, "ENOENT"),
      });
      const isUnreadable = report.problems.some(({ state }) => state === "UNREADABLE");
      const isIt = report.sealed.size === leaves && report.sealed.root === root;
      const problems = [...(source.place?.problemsOf(report) ?? []), ...report.problems];
      if (isIt || isUnreadable) found.set(file, { ...report, problems });
    }
  }
  return { reports: [...found.values()], files: new Set(found.keys()) };
}
