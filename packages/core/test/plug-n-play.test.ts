import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";

const index = join(import.meta.dirname, "../src/index.ts");

/** As Yarn's Plug'n'Play: file handles that have no `sync()` and no `datasync()`. */
const PROGRAM = `
  import { open } from "node:fs/promises";
  import { AuditLogger, EncryptionManager, FileKeyStore, generateKey } from ${JSON.stringify(index)};
  const handle = await open(process.execPath);
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  for (const name of ["sync", "datasync"])
    prototype[name] = () => Promise.reject(new Error("Method not implemented."));

  const [path, subjects] = process.argv.slice(1);
  const encryption = new EncryptionManager(generateKey(), { subjects: new FileKeyStore({ path: subjects }) });
  const logger = new AuditLogger(path, { encryption, storeContent: true });
  await logger.log({ input: "a", output: "b", subject: "anna" });
  await logger.eraseSubject("anna", { actor: "dpo", reason: "request" });
  await logger.close();
  process.stdout.write(String(await logger.count()));
`;

describe("Under Yarn's Plug'n'Play", () => {
  it("an entry is written, and its subject erased", async () => {
    const directory = await temporaryDirectory();
    const file = join(directory, "log");
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--input-type=module",
      "--eval",
      PROGRAM,
      file,
      join(directory, "subjects"),
    ]);
    expect(stdout).toBe("1");
  });
});
