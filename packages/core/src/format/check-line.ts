// What may be appended to a storage: a line that breaks the log's form is refused alone, before it meets its neighbours.
import { AuditInputError } from "../errors.ts";
import { timeOfId } from "./id.ts";
import { CHECKPOINT_PREFIX, CONTROL_PREFIX } from "./control-line.ts";

/**
 * Checks one line for `append`. With an `id` it must be that entry's line and begin with the id, a UUIDv7: lookups
 * rely on it. Without one it must be a control line, and none of those that seal the log.
 *
 * @throws `AUDIT_INPUT_INVALID`
 */
export function checkLine(line: string, id: string | undefined): void {
  if (line.includes("\n"))
    throw new AuditInputError("append(): a line must not contain a line feed");
  if (id === undefined) {
    const isSeal = line.startsWith(CHECKPOINT_PREFIX) || line.startsWith('{"type":"segment.');
    if (isSeal || !line.startsWith(`${CONTROL_PREFIX}"`)) {
      throw new AuditInputError(
        "append(): a line without an entry id must be a control line that does not seal",
      );
    }
  } else if (timeOfId(id) === undefined || !line.startsWith(`{"id":"${id}"`)) {
    throw new AuditInputError("append(): an entry's line must begin with its id, a UUIDv7");
  }
}
