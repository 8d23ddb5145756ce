// Whether a directory can be written to, without writing.
import { constants } from "node:fs";
import { access, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { AuditWriteError } from "../../errors.ts";
import { hasCode } from "../../system-error.ts";

/** Room for a segment's first and last lines and a few entries. */
const LEAST_FREE_BYTES = 64 * 1024;

/**
 * Rejects with `AUDIT_WRITE_FAILED` when nothing could be written to a log in `path`, which need
 * not exist yet.
 */
export async function probeDirectory(path: string): Promise<void> {
  try {
    const there = await nearest(resolve(path));
    await access(there, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(there);
    if (bavail * bsize < LEAST_FREE_BYTES)
      throw new Error(
        `ENOSPC: no space left on device, ${bavail * bsize} bytes are free in ${there}`,
      );
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AuditWriteError("AUDIT_WRITE_FAILED", `cannot write to ${path}: ${reason}`, {
      cause,
    });
  }
}

/** The directory, or the parent of it that exists. */
async function nearest(path: string): Promise<string> {
  try {
    await access(path);
    return path;
  } catch (error) {
    if (!hasCode(error, "ENOENT") || dirname(path) === path) throw error;
    return nearest(dirname(path));
  }
}
