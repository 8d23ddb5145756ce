// New files and directories that only their owner may use, whatever the umask.
import { mkdir, writeFile } from "node:fs/promises";
import { EXIT, Failure, systemFailure } from "../failure.ts";

/** Writes a file of mode 0600. Rejects with `EEXIST` for a name that is taken. */
export async function writeNewFile(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: "wx", mode: 0o600 });
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
