// New files and directories that only their owner may use, whatever the umask.
import { randomBytes } from "node:crypto";
import { fsync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { EXIT, Failure, systemFailure } from "../failure.ts";

const fsyncOf = promisify(fsync);

/**
 * Makes a file's bytes, or a directory's names, durable. Takes the descriptor: the handles of
 * Yarn's Plug'n'Play have no `sync()`.
 */
export async function syncFile({ fd }: FileHandle): Promise<void> {
  await fsyncOf(fd);
}

/** Writes a file of mode 0600. Rejects with `EEXIST` for a name that is taken. */
export async function writeNewFile(path: string, text: string | Uint8Array): Promise<void> {
  await writeFile(path, text, { flag: "wx", mode: 0o600 });
}

/** Replaces or makes a file of mode 0600, atomically and durably: its bytes and its name. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeDurably(draft, text);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  if (process.platform === "win32") return; // cannot open directories; NTFS journals names itself
  const directory = await open(dirname(path), "r");
  try {
    await syncFile(directory);
  } finally {
    await directory.close();
  }
}

/** Writes a file of mode 0600, and its bytes to disk. Rejects with `EEXIST` for a name that is taken. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await syncFile(file);
  } finally {
    await file.close();
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
