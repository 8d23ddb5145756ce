import { execFile, spawn } from "node:child_process";
import { KeyObject } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { queryObjects } from "node:v8";
import { describe, expect, it, onTestFinished } from "vitest";
import { FileKeyStore } from "../../src/keys/file-key-store.ts";
import { generateKey } from "../../src/keys/keys.ts";
import { AuditError } from "../../src/errors.ts";
import { caught } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { textOf } from "./vectors.ts";

const script = fileURLToPath(new URL("obtain-subjects.ts", import.meta.url));

const endless = fileURLToPath(new URL("obtain-endlessly.ts", import.meta.url));

async function bytesUnder(path: string): Promise<string> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return (
    await Promise.all(files.map(async (file) => `${file}\n${await readFile(file, "latin1")}`))
  ).join("\n");
}

describe("FileKeyStore", () => {
  it("makes a random id and secret once, and finds them again from another process's point of view", async () => {
    const path = join(await temporaryDirectory(), "a", "b", "keys");
    const store = new FileKeyStore({ path });
    const key = await store.obtain(["name-a"]);
    expect(key.id).toMatch(/^[\w-]{16}$/);
    expect(key.secret.symmetricKeySize).toBe(32);
    const other = new FileKeyStore({ path });
    const again = await other.obtain(["name-a"]);
    expect([again.id, textOf(again.secret)]).toEqual([key.id, textOf(key.secret)]);
    expect(await other.find(["name-a"])).toEqual([key.id]);
    expect(other.lookUp(key.id)).toMatchObject({ id: key.id });
    expect((await store.obtain(["name-b"])).id).not.toBe(key.id);
  });

  it("keeps everything to its owner", async () => {
    const path = join(await temporaryDirectory(), "keys");
    const { id } = await new FileKeyStore({ path }).obtain(["name-a"]);
    for (const directory of ["", "names", "subjects", "names/name-a"]) {
      expect((await stat(join(path, directory))).mode & 0o777).toBe(0o700);
    }
    expect((await stat(join(path, "subjects", id))).mode & 0o777).toBe(0o600);
    expect(await readdir(path)).toEqual(["names", "subjects"]);
    expect(await readdir(join(path, "subjects"))).toEqual([id]);
  });

  it("knows nothing before anything was made", async () => {
    const store = new FileKeyStore({ path: join(await temporaryDirectory(), "keys") });
    expect(await store.find(["name-a"])).toEqual([]);
    expect(await store.destroy(["name-a"])).toEqual([]);
    expect(store.lookUp("c3ViamVjdA")).toBeUndefined();
  });

  it("never takes an id for a path", async () => {
    const path = await temporaryDirectory();
    await writeFile(
      join(path, "outside"),
      `{"secret":"${Buffer.alloc(32).toString("base64url")}"}\n`,
    );
    const store = new FileKeyStore({ path: join(path, "keys") });
    await store.obtain(["name-a"]);
    expect(store.lookUp("../../outside")).toBeUndefined();
    expect(store.lookUp("")).toBeUndefined();
  });

  it("gives one key to calls at once, in this process", async () => {
    const path = await temporaryDirectory();
    const stores = Array.from({ length: 4 }, () => new FileKeyStore({ path }));
    const keys = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => stores[n % 4]?.obtain(["under-v2", "under-v1"])),
    );
    expect(new Set(keys.map((key) => key?.id)).size).toBe(1);
    expect(await readdir(join(path, "subjects"))).toHaveLength(1);
  });

  it("gives one key for each subject to processes at once", async () => {
    const path = join(await temporaryDirectory(), "keys");
    const key = generateKey();
    const runs = await Promise.all(
      Array.from({ length: 4 }, async () =>
        promisify(execFile)(process.execPath, [script, path, key, "25"]),
      ),
    );
    const ids = runs.map(({ stdout }) => (JSON.parse(stdout) as { ids: string[] }).ids);
    for (const other of ids) expect(other).toEqual(ids[0]);
    expect(new Set(ids[0]).size).toBe(25);
    expect((await readdir(join(path, "subjects"))).toSorted()).toEqual(ids[0]?.toSorted());
    expect((await readdir(path)).toSorted()).toEqual(["names", "subjects"]);
  });

  it("has every key it gave, and works on, after processes were killed in the middle of their work", async () => {
    const path = join(await temporaryDirectory(), "keys");
    const given = new Map<string, string>();
    for (let kill = 0; kill < 5; kill += 1) {
      const child = spawn(process.execPath, [endless, path, `run-${kill}`], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exit = once(child, "exit");
      for await (const line of createInterface({ input: child.stdout })) {
        const [name = "", id = ""] = line.split(" ");
        given.set(name, id);
        if (given.size % 7 === 6) child.kill("SIGKILL");
      }
      expect(await exit).toEqual([null, "SIGKILL"]);
    }
    const store = new FileKeyStore({ path });
    expect(given.size).toBeGreaterThan(20);
    for (const [name, id] of given) expect((await store.obtain([name])).id).toBe(id);
  });

  it("knows a subject of an older name under the newest one too, so that the older can be dropped", async () => {
    const store = new FileKeyStore({ path: await temporaryDirectory() });
    const { id } = await store.obtain(["under-v1"]);
    expect((await store.obtain(["under-v2", "under-v1"])).id).toBe(id);
    expect(await store.find(["under-v2"])).toEqual([id]);
  });

  it("destroys the secret and every name of it, and remembers the id alone", async () => {
    const path = await temporaryDirectory();
    const store = new FileKeyStore({ path });
    const kept = await store.obtain(["name-b"]);
    const { id, secret } = await store.obtain(["under-v1"]);
    await store.obtain(["under-v2", "under-v1"]);
    expect(await bytesUnder(path)).toContain(textOf(secret));

    expect(await store.destroy(["under-v2"])).toEqual([id]);
    expect(store.lookUp(id)).toBe("erased");
    expect(new FileKeyStore({ path }).lookUp(id)).toBe("erased");
    expect(await store.find(["under-v2", "under-v1"])).toEqual([]);
    expect(await readdir(join(path, "names"))).toEqual(["name-b"]);
    expect(await readFile(join(path, "subjects", id), "utf8")).toBe('{"erased":true}\n');
    const left = await bytesUnder(path);
    expect(left).not.toContain(textOf(secret));
    expect(left).toContain(textOf(kept.secret));
    expect(await store.destroy(["under-v2"])).toEqual([]);
  });

  it("forgets what it destroyed, also where it knew the key by an older name", async () => {
    const store = new FileKeyStore({ path: await temporaryDirectory() });
    const before = queryObjects(KeyObject, { format: "count" });
    await store.obtain(["under-v1"]);
    expect(queryObjects(KeyObject, { format: "count" })).toBe(before + 1);
    await store.destroy(["under-v2", "under-v1"]);
    expect(queryObjects(KeyObject, { format: "count" })).toBe(before);
  });

  it("begins anew under a name whose subject was erased", async () => {
    const store = new FileKeyStore({ path: await temporaryDirectory() });
    const before = await store.obtain(["name-a"]);
    await store.destroy(["name-a"]);
    const after = await store.obtain(["name-a"]);
    expect(after.id).not.toBe(before.id);
    expect(textOf(after.secret)).not.toBe(textOf(before.secret));
  });

  it("does not go on with a key that another process destroyed", async () => {
    const path = await temporaryDirectory();
    const [store, other] = [new FileKeyStore({ path }), new FileKeyStore({ path })];
    const before = await store.obtain(["name-a"]);
    await store.obtain(["name-a"]);
    await other.destroy(["name-a"]);
    expect((await store.obtain(["name-a"])).id).not.toBe(before.id);
    expect(store.lookUp(before.id)).toBe("erased");
  });

  it("has one live key for a name after processes made and destroyed it all at once", async () => {
    const path = await temporaryDirectory();
    const stores = Array.from({ length: 5 }, () => new FileKeyStore({ path }));
    await Promise.all(
      stores.map(async (store, n) => {
        for (let round = 0; round < 10; round += 1) {
          await (n < 2 ? store.destroy(["name-a"]) : store.obtain(["name-a"]));
        }
      }),
    );
    const { id } = await new FileKeyStore({ path }).obtain(["name-a"]);
    expect(await readdir(join(path, "names", "name-a"))).toEqual([id]);
    const subjects = await readdir(join(path, "subjects"));
    const live = subjects.filter((other) => stores[0]?.lookUp(other) !== "erased");
    expect(live).toEqual([id]);
  });

  it("ends an erasure that was cut off before the name was gone", async () => {
    const path = await temporaryDirectory();
    const { id } = await new FileKeyStore({ path }).obtain(["name-a"]);
    await writeFile(join(path, "subjects", id), '{"erased":true}\n');
    const after = await new FileKeyStore({ path }).obtain(["name-a"]);
    expect(after.id).not.toBe(id);
    expect(await readdir(join(path, "names", "name-a"))).toEqual([after.id]);
  });

  it("says so when a secret that it names is gone or damaged, and makes no other in its place", async () => {
    const path = await temporaryDirectory();
    const { id } = await new FileKeyStore({ path }).obtain(["name-a"]);
    const file = join(path, "subjects", id);
    await writeFile(file, '{"secret":"c2hvcnQ"}\n');
    const store = new FileKeyStore({ path });
    const damaged = {
      code: "AUDIT_SUBJECT_INVALID",
      message: `The key store's file for the subject "${id}" is damaged`,
    };
    await expect(store.obtain(["name-a"])).rejects.toMatchObject(damaged);
    expect(() => store.lookUp(id)).toThrow(expect.objectContaining(damaged));
    await rm(file);
    await expect(store.obtain(["name-a"])).rejects.toMatchObject({
      code: "AUDIT_SUBJECT_INVALID",
      message: `The key store names a subject "${id}" and has no file for it`,
    });
  });

  it("says so when its directory cannot be used, and works once it can", async () => {
    const path = join(await temporaryDirectory(), "keys");
    await writeFile(path, "a file in its place");
    const store = new FileKeyStore({ path });
    const error: unknown = await store.obtain(["name-a"]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AuditError);
    expect(error).toMatchObject({
      code: "AUDIT_SUBJECT_INVALID",
      message: "The key store cannot be used",
    });
    await rm(path);
    expect(await store.obtain(["name-a"])).toMatchObject({ id: expect.any(String) });
  });

  it("stays where it was made when the process changes its directory", async () => {
    const before = process.cwd();
    onTestFinished(() => process.chdir(before));
    process.chdir(await temporaryDirectory());
    const store = new FileKeyStore({ path: "keys" });
    const { id } = await store.obtain(["name-a"]);
    process.chdir(await temporaryDirectory());
    expect(store.lookUp(id)).toMatchObject({ id });
    expect((await store.obtain(["name-a"])).id).toBe(id);
  });

  it.each([[""], [undefined]])("is not made without a path: %j", (path: unknown) => {
    expect(caught(() => new FileKeyStore({ path: path as string }))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: "FileKeyStore: path must name a directory",
    });
  });

  it("can be moved and copied like any directory", async () => {
    const path = await temporaryDirectory();
    const { id, secret } = await new FileKeyStore({ path: join(path, "a") }).obtain(["name-a"]);
    await mkdir(join(path, "b"));
    await cp(join(path, "a"), join(path, "b"), { recursive: true });
    const copy = await new FileKeyStore({ path: join(path, "b") }).obtain(["name-a"]);
    expect([copy.id, textOf(copy.secret)]).toEqual([id, textOf(secret)]);
  });
});
