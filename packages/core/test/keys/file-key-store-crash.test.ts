// A process killed before each single step on files, in turn.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { FileKeyStore } from "../../src/keys/file-key-store.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { textOf } from "./vectors.ts";

const script = fileURLToPath(new URL("die-at.ts", import.meta.url));
const NAMES = ["under-v2", "under-v1"];

/** Whether the process was killed; false when it ended first. */
async function dies(path: string, action: "obtain" | "destroy", at: number): Promise<boolean> {
  const child = spawn(process.execPath, [script, path, action, `${at}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code, signal]: unknown[] = await once(child, "exit");
  if (code !== 0 && signal !== "SIGKILL")
    throw new Error(`the process ended with ${String(code ?? signal)}`);
  return signal === "SIGKILL";
}

/** The directory as a restore or a move leaves it: every file is a file of its own. */
async function copyOf(path: string): Promise<string> {
  const copy = await temporaryDirectory();
  await cp(path, copy, { recursive: true });
  return copy;
}

async function textUnder(path: string): Promise<string> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return (await Promise.all(files.map(async (file) => readFile(file, "latin1")))).join("\n");
}

describe("a FileKeyStore whose process was killed", () => {
  it("between any two steps of making a key has one key for the name, which can be destroyed", async () => {
    let at = 1;
    for (; ; at += 1) {
      const path = await temporaryDirectory();
      const killed = await dies(path, "obtain", at);
      const store = new FileKeyStore({ path: await copyOf(path) });
      const { id } = await store.obtain(NAMES);
      expect(await store.find(NAMES), `step ${at}`).toEqual([id]);
      await store.destroy(NAMES);
      expect(store.lookUp(id)).toBe("erased");
      if (!killed) break;
    }
    expect(at).toBeGreaterThan(10);
  });

  it("between any two steps of destroying a key has it whole or has it erased, and ends that when asked again", async () => {
    const states = new Set<string>();
    let at = 1;
    for (; ; at += 1) {
      const path = await temporaryDirectory();
      const before = await new FileKeyStore({ path }).obtain(["under-v1"]);
      const other = await new FileKeyStore({ path }).obtain(["name-b"]);
      const killed = await dies(path, "destroy", at);
      const copy = await copyOf(path);
      const store = new FileKeyStore({ path: copy });
      const isErased = store.lookUp(before.id) === "erased";
      states.add(isErased ? "erased" : "whole");
      expect(await store.find(NAMES), `step ${at}`).toEqual(isErased ? [] : [before.id]);
      expect((await textUnder(copy)).includes(textOf(before.secret)), `step ${at}`).toBe(!isErased);

      await store.destroy(NAMES);
      expect(store.lookUp(before.id)).toBe("erased");
      expect(await textUnder(copy)).not.toContain(textOf(before.secret));
      expect((await store.obtain(NAMES)).id).not.toBe(before.id);
      expect((await store.obtain(["name-b"])).id).toBe(other.id);
      if (!killed) break;
    }
    expect(at).toBeGreaterThan(5);
    expect([...states]).toEqual(["whole", "erased"]);
  });
});
