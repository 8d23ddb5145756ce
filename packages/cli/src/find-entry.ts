// One entry by its id.
import type { AuditStorage } from "@ai-audit/core";
import { EXIT, Failure } from "./failure.ts";

/** The line of an entry. @throws {Failure} when the log has none with this id */
export async function findEntryLine(storage: AuditStorage, location: string, id: string): Promise<string> {
  const line = await storage.get(id.toLowerCase());
  if (line !== undefined) return line;
  throw new Failure(EXIT.nothing, `no entry ${id} in ${location}`, "ids are shown by: ai-audit list");
}
