import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { EncryptionManager } from "../../src/keys/encryption.ts";
import { FileKeyStore } from "../../src/keys/file-key-store.ts";
import { generateKey } from "../../src/keys/keys.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const script = fileURLToPath(new URL("use-keys.ts", import.meta.url));

describe("keys in a process that works with them", () => {
  it("are in its heap as no text: neither master keys, nor secrets of subjects kept or erased", async () => {
    const directory = await temporaryDirectory();
    const [key, older, control] = [generateKey(), generateKey(), generateKey()];
    const subjects = new FileKeyStore({ path: join(directory, "subjects") });
    const manager = new EncryptionManager(key, { subjects });
    const secrets = [await manager.subjectKey("kept"), await manager.subjectKey("erased")].map(
      ({ secret }) => secret,
    );
    const ring = { current: "v2", keys: { v1: older, v2: key } };
    await writeFile(join(directory, "ring.json"), JSON.stringify(ring), { mode: 0o600 });

    const args = ["--conditions=ai-audit-source", script, directory, control];
    await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, AUDIT_ENCRYPTION_KEY: key },
    });
    const heap = await readFile(join(directory, "heap"));
    expect(heap.includes(control.slice(0, 43))).toBe(true); // a key that is there as text would be found
    const bytes = [key, older]
      .map((text) => Buffer.from(text, "base64url"))
      .concat(secrets.map((s) => s.export()));
    const texts = bytes.flatMap((b) => [
      b.toString("base64url"),
      b.toString("base64"),
      b.toString("hex"),
    ]);
    expect(texts.filter((text) => heap.includes(text.replace(/=$/, "")))).toEqual([]);
  });
});
