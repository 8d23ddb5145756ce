// A key store in a directory.
import { type KeyObject, randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AuditConfigError, AuditError } from "../errors.ts";
import { newStream } from "../format/id.ts";
import { decodeBase64url } from "./base64url.ts";
import { createFile, makeDirectory, syncDirectory, syncFile, writeNewFile } from "../files.ts";
import type { KeyStore, SubjectState } from "./key-store.ts";
import { KEY_BYTES, secretKey, type SubjectKey } from "./keys.ts";
import { RecentMap } from "../bounded-map.ts";
import { hasCode } from "../system-error.ts";

/** The place of a `FileKeyStore`. */
export interface FileKeyStoreOptions {
  /**
   * Directory; made with mode 0700 when it is missing. Keep it apart from the log, and out of the
   * log's backups.
   */
  readonly path: string;
}

interface Cached {
  readonly key: SubjectKey;
  readonly modified: number;
  readonly size: number;
}

const CACHED_SUBJECTS = 1024;
const [SECRET_HEAD, SECRET_TAIL] = ['{"secret":"', '"}\n'];
const TOMBSTONE = '{"erased":true}\n';

/**
 * Keeps the secrets of data subjects in a directory on a local file system, for any number of
 * processes:
 *
 *     subjects/<id>               {"secret":"<32 bytes, base64url>"}, or {"erased":true}
 *     names/<keyed hash>/<id>     empty: the subject of that name
 *
 * Without locks. A name's directory is made beside its place with its one file and renamed there,
 * which succeeds only where no directory, or an empty one, exists. So a name has one key: the first
 * writer's. An erasure removes exactly the file of the id it destroyed, so it can never take a
 * newer key's name away.
 *
 * A secret is destroyed by overwriting its bytes in place. A file system or disk that writes
 * elsewhere (copy-on-write, snapshots, flash) keeps old blocks for a while, which a program cannot
 * reach.
 *
 * Rejects with `AuditError` (`AUDIT_SUBJECT_INVALID`) when the directory cannot be used.
 */
export class FileKeyStore implements KeyStore {
  readonly #root: string;
  readonly #names: string;
  readonly #subjects: string;
  #prepared: Promise<unknown> | undefined;
  readonly #cache = new RecentMap<string, Cached>(CACHED_SUBJECTS);

  /** Throws `AuditConfigError` (`AUDIT_CONFIG_INVALID`) without a path. */
  constructor({ path }: FileKeyStoreOptions) {
    if (typeof path !== "string" || path === "")
      throw new AuditConfigError("FileKeyStore: path must name a directory");
    this.#root = resolve(path);
    this.#names = join(this.#root, "names");
    this.#subjects = join(this.#root, "subjects");
  }

  async obtain(names: readonly string[]): Promise<SubjectKey> {
    return guard(async () => {
      const [newest = ""] = names;
      const cached = this.#cache.get(newest);
      if (cached !== undefined && this.#isUnchanged(cached)) return cached.key;
      await this.#prepare();
      const key = await this.#findOrMake(names);
      this.#remember(newest, key);
      return key;
    });
  }

  async find(names: readonly string[]): Promise<readonly string[]> {
    return guard(async () => {
      const ids = await this.#idsOf(names);
      return ids.filter((id) => isLive(this.lookUp(id)));
    });
  }

  lookUp(id: string): SubjectState {
    if (!/^[\w-]{1,128}$/.test(id)) return undefined; // ids come out of logs: never a path
    let text: string;
    try {
      text = readFileSync(this.#fileOf(id), "latin1");
    } catch (cause) {
      if (hasCode(cause, "ENOENT")) return undefined;
      throw unusable(`The key store cannot read the subject "${id}"`, cause);
    }
    if (text.startsWith(TOMBSTONE)) return "erased";
    const secret = secretIn(text);
    if (secret === undefined)
      throw unusable(`The key store's file for the subject "${id}" is damaged`);
    return { id, secret };
  }

  async destroy(names: readonly string[]): Promise<readonly string[]> {
    return guard(async () => {
      const ids = await this.#idsOf(names);
      for (const id of ids) await this.#overwrite(id);
      for (const [name, { key }] of this.#cache.entries())
        if (ids.includes(key.id)) this.#cache.delete(name);
      await this.#forgetNames(ids);
      return ids;
    });
  }

  async #findOrMake(names: readonly string[]): Promise<SubjectKey> {
    // In each round some process makes or removes a name; without contention the first round ends
    // it.
    for (let round = 0; round < 100; round += 1) {
      const key = (await this.#firstLive(names)) ?? (await this.#make(names));
      if (key !== undefined) return key;
    }
    throw unusable("The key store's names keep changing: a subject's key cannot be made");
  }

  async #firstLive(names: readonly string[]): Promise<SubjectKey | undefined> {
    const [newest = ""] = names;
    for (const name of names) {
      for (const id of await this.#idsOf([name])) {
        const state = this.lookUp(id);
        if (state === undefined)
          throw unusable(`The key store names a subject "${id}" and has no file for it`);
        if (state === "erased") await this.#forgetNames([id]); // an interrupted erasure: complete it
        // Known under an older master key: put it under the newest. The first writer to do that
        // wins.
        else if (name === newest || (await this.#putName(newest, id))) return state;
        else return undefined;
      }
    }
    return undefined;
  }

  async #make([newest = ""]: readonly string[]): Promise<SubjectKey | undefined> {
    const id = newStream();
    const secret = randomBytes(KEY_BYTES);
    const file = this.#fileOf(id);
    // The secret first, so that a name never points to a missing file. The id is still unknown to
    // others.
    await createFile(file, `${SECRET_HEAD}${secret.toString("base64url")}${SECRET_TAIL}`);
    const key = { id, secret: secretKey(secret) };
    if (await this.#putName(newest, id)) return key;
    await rm(file);
    return undefined;
  }

  /** True when `name` now means `id`; false when it already means something. */
  async #putName(name: string, id: string): Promise<boolean> {
    const draft = await mkdtemp(join(this.#root, "name-"));
    const place = join(this.#names, name);
    try {
      await writeNewFile(join(draft, id), "");
      await syncDirectory(draft);
      await rename(draft, place);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      if (!hasCode(error, "ENOTEMPTY", "EEXIST", "EPERM")) throw error;
      if (process.platform === "win32") await removeIfEmpty(place); // it replaces no empty directory either
      return false;
    }
    await syncDirectory(this.#names);
    return true;
  }

  async #overwrite(id: string): Promise<void> {
    const file = await open(this.#fileOf(id), "r+");
    try {
      const { size } = await file.stat();
      await file.write(TOMBSTONE.padEnd(size), 0, "latin1");
      await syncFile(file); // the secret's bytes are gone from here on
      await file.truncate(TOMBSTONE.length); // another size tells caches, whatever the clock says
      await syncFile(file);
    } finally {
      await file.close();
    }
  }

  /**
   * Removes ids from all names: also from names under master keys that are not known here any more.
   */
  async #forgetNames(ids: readonly string[]): Promise<void> {
    for (const name of ids.length > 0 ? await readdir(this.#names) : []) {
      const directory = join(this.#names, name);
      const mine = ids.filter((id) => existsSync(join(directory, id))); // 2 µs a name, against 60 for listing it
      for (const id of mine) await rm(join(directory, id), { force: true });
      if (mine.length > 0) await removeIfEmpty(directory);
    }
    if (ids.length > 0) await syncDirectory(this.#names);
  }

  async #idsOf(names: readonly string[]): Promise<readonly string[]> {
    const lists = await Promise.all(names.map(async (name) => list(join(this.#names, name))));
    return [...new Set(lists.flat())];
  }

  async #prepare(): Promise<void> {
    this.#prepared ??= Promise.all([makeDirectory(this.#names), makeDirectory(this.#subjects)]);
    try {
      await this.#prepared;
    } catch (error) {
      this.#prepared = undefined; // a full disk, a missing mount: the next call tries again
      throw error;
    }
  }

  #remember(name: string, key: SubjectKey): void {
    // Reads the file first, then checks that it still exists: an erasure in between is noticed
    // either way.
    const { mtimeMs, size } = statSync(this.#fileOf(key.id));
    if (isLive(this.lookUp(key.id))) this.#cache.set(name, { key, modified: mtimeMs, size });
  }

  #isUnchanged({ key, modified, size }: Cached): boolean {
    const now = statSync(this.#fileOf(key.id), { throwIfNoEntry: false });
    return now?.mtimeMs === modified && now.size === size;
  }

  #fileOf(id: string): string {
    return join(this.#subjects, id);
  }
}

/**
 * By no regular expression: the engine keeps the text that one matched last, for any code to read
 * (`RegExp.$1`).
 */
function secretIn(text: string): KeyObject | undefined {
  if (!text.startsWith(SECRET_HEAD) || !text.endsWith(SECRET_TAIL)) return undefined;
  const bytes = decodeBase64url(text.slice(SECRET_HEAD.length, -SECRET_TAIL.length));
  if (bytes?.byteLength === KEY_BYTES) return secretKey(bytes);
  bytes?.fill(0);
  return undefined;
}

function isLive(state: SubjectState): state is SubjectKey {
  return state !== undefined && state !== "erased";
}

async function list(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    if (!hasCode(error, "ENOTEMPTY", "EEXIST", "ENOENT")) throw error; // another process put a newer key there
  }
}

async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof AuditError) throw cause;
    throw unusable("The key store cannot be used", cause);
  }
}

function unusable(message: string, cause?: unknown): AuditError {
  return new AuditError("AUDIT_SUBJECT_INVALID", message, { cause });
}
