// One entry by its id.
import type { AuditStorage } from "@ai-audit/core";
import { EXIT, Failure } from "../failure.ts";
import { describeRemoval } from "./find-removal.ts";
import { isBucket } from "./location.ts";

/**
 * The line of an entry.
 * @throws {Failure} when the log has none with this id: with the reason, if a directory's log
 * records one
 */
export async function findEntryLine(
  storage: AuditStorage,
  location: string,
  id: string,
): Promise<string> {
  const line = await storage.get(id.toLowerCase());
  if (line !== undefined) return line;
  // A bucket would have to be downloaded as a whole for that.
  const removal = isBucket(location) ? undefined : await describeRemoval(location, id);
  throw new Failure(
    EXIT.nothing,
    `no entry ${id} in ${location}`,
    removal ?? "to see ids: ai-audit list",
  );
}
