// Lines that a storage accepts. A malformed line is refused alone, before it shares a commit with
// others.
import { AuditInputError } from "../errors.ts";
import { timeOfId } from "./id.ts";
import { CHECKPOINT_PREFIX, CONTROL_PREFIX } from "./control-line.ts";
import { isTooLong } from "./lines.ts";

/**
 * Checks a line for `append`. With an `id` it must be the line of that entry and begin with the id,
 * a UUIDv7: lookups rely on it. Without one it must be a control line, and not one that only a
 * storage writes.
 *
 * @throws `AUDIT_INPUT_INVALID`
 */
export function checkLine(line: string, id: string | undefined): void {
  if (line.includes("\n"))
    throw new AuditInputError("append(): a line must not contain a line feed");
  if (isTooLong(line))
    throw new AuditInputError("append(): a line has at most 64 MiB: keep less of the content");
  if (id === undefined) {
    const isOfStorage = STORAGE_PREFIXES.some((prefix) => line.startsWith(prefix));
    if (isOfStorage || !line.startsWith(`${CONTROL_PREFIX}"`)) {
      throw new AuditInputError(
        "append(): a line without an entry id must be a control line, and not one that only a storage writes",
      );
    }
  } else if (timeOfId(id) === undefined || !line.startsWith(`{"id":"${id}"`)) {
    throw new AuditInputError("append(): an entry's line must begin with its id, a UUIDv7");
  }
}

/** Checkpoints, lines about segments, and the mark of lines that are written a second time. */
const STORAGE_PREFIXES = [CHECKPOINT_PREFIX, '{"type":"segment.', '{"type":"again"'];
