// Why an entry is absent: the log's own record of files that retention removed.
import { controlLines, timeOf } from "@ai-audit/core/reading";
import { dayOfSegment, safeLine, segmentDay, timeOfId } from "@ai-audit/core/format";
import { directorySource } from "@ai-audit/core/verify";

/**
 * The removal that a directory's log records for the time of an id: `audit_20240101.jsonl was
 * removed on …`. Undefined where it records none, or the id holds no time. Only files of later days
 * can record it; they are read until one does. The line is not verified: that is for `verify`.
 */
export async function describeRemoval(directory: string, id: string): Promise<string | undefined> {
  const milliseconds = timeOfId(id.toLowerCase());
  if (milliseconds === undefined) return undefined;
  const time = new Date(milliseconds).toISOString();
  const day = segmentDay(new Date(milliseconds));
  const removals = controlLines(directorySource(directory), ["retention.prune"], { fromDay: day });
  for await (const { file: recordedIn, line } of removals) {
    const { file, from, to, policy, actor } = line;
    const covers =
      from === null || to === null ? dayOfSegment(file) === day : from <= time && time <= to;
    if (!covers) continue;
    const recorded = dayOfSegment(recordedIn) ?? "";
    const on =
      timeOf(line)?.slice(0, 10) ??
      `${recorded.slice(0, 4)}-${recorded.slice(4, 6)}-${recorded.slice(6)}`;
    return safeLine(`${file}, of its time, was removed on ${on} by ${actor}: ${policy}`);
  }
  return undefined;
}
