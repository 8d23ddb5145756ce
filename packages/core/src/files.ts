// Small files that outlast a power cut.
import { randomBytes } from "node:crypto";
import { fdatasync, fsync } from "node:fs";
import { type FileHandle, link, mkdir, open, rename, rm, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { hasCode } from "./system-error.ts";

/** Readable by the owner alone: these files hold keys. */
const MODE = 0o600;

/**
 * Makes a file. Resolves to true once it is whole and durable, to false when the name is taken.
 */
export async function createFile(path: string, text: string | Uint8Array): Promise<boolean> {
  const draft = draftOf(path);
  try {
    await writeNewFile(draft, text);
    // A link never replaces a file, unlike a rename: only one of several processes makes it.
    await link(draft, path);
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(dirname(path));
  return true;
}

/** Replaces or makes a file, atomically. Its bytes and its name are durable when it resolves. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = draftOf(path);
  try {
    await writeNewFile(draft, text);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

function draftOf(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.tmp`;
}

/**
 * Writes a file that must not exist yet, and its bytes to disk. Its name is durable after
 * `syncDirectory`.
 */
export async function writeNewFile(path: string, text: string | Uint8Array): Promise<void> {
  const file = await open(path, "wx", MODE);
  try {
    await file.writeFile(text);
    await syncFile(file);
  } finally {
    await file.close();
  }
}

/**
 * Makes a directory with mode 0700, and its name durable. The name is also synced when another
 * process has just made it: that process may lose power before it syncs. A parent that this process
 * may not open belongs to another user and is not synced.
 */
export async function makeDirectory(path: string): Promise<void> {
  const made = await makeMissing(resolve(path));
  const top = dirname(resolve(made ?? path));
  for (let parent = dirname(resolve(path)); ; parent = dirname(parent)) {
    try {
      await syncDirectory(parent);
    } catch (error) {
      if (made !== undefined || !hasCode(error, "EACCES", "EPERM")) throw error;
    }
    if (parent.length <= top.length) return;
  }
}

/** Resolves to the topmost directory made; undefined when all existed. */
export async function makeMissing(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
    // Node reports ENOENT for every reason that keeps it from making a parent. The system names the
    // reason.
    for (let missing = path; dirname(missing) !== missing; missing = dirname(missing)) {
      try {
        await mkdir(missing, { mode: 0o700 });
      } catch (cause) {
        if (!hasCode(cause, "ENOENT")) throw cause;
      }
    }
    throw error;
  }
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return; // cannot open directories; NTFS journals names itself
  const directory = await open(path, "r");
  try {
    await syncFile(directory);
  } finally {
    await directory.close();
  }
}

/** Removes a file. False when it was gone already. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

const fsyncOf = promisify(fsync);
const fdatasyncOf = promisify(fdatasync);

/**
 * Syncs a file's bytes and metadata to disk. Takes the descriptor: the handles of Yarn's
 * Plug'n'Play have no `sync()`.
 */
export async function syncFile({ fd }: FileHandle): Promise<void> {
  await fsyncOf(fd);
}

/** Syncs a file's bytes to disk, and only the size of its metadata. */
export async function syncFileData({ fd }: FileHandle): Promise<void> {
  await fdatasyncOf(fd);
}
