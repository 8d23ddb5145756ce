// New files and directories that only their owner may use, whatever the umask.
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { EXIT, Failure, systemFailure } from "../failure.ts";

/** Writes a file of mode 0600. Rejects with `EEXIST` for a name that is taken. */
export async function writeNewFile(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: "wx", mode: 0o600 });
}

/** Replaces or makes a file of mode 0600, atomically and durably: its bytes and its name. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeFile(draft, text, { flag: "wx", mode: 0o600, flush: true });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  if (process.platform === "win32") return; // cannot open directories; NTFS journals names itself
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Makes a directory of mode 0700.
 *
 * @throws {Failure} when it exists or cannot be made
 */
export async function makeNewDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (cause) {
    const failure = systemFailure(cause);
    throw new Failure(
      EXIT.cannotCreate,
      failure?.message ?? `cannot be made: ${path}`,
      failure?.hint,
      { cause },
    );
  }
}
