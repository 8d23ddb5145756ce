// Lines and files of extreme size: what is acknowledged is read by every reader, and a file that
// shrinks under its writer swallows nothing.
import { readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { AuditLogger, FileStorage, Signer, verifyLog } from "../../../src/index.ts";
import { testEntry } from "../../../src/testing.ts";
import { TODAY } from "./written-log.ts";

const MIB = 2 ** 20;

describe("An entry of extreme size", { timeout: 120_000 }, () => {
  it("is found by every reader where it was acknowledged", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    await using logger = new AuditLogger(new FileStorage({ path, signer }), { storeContent: true });
    const input = "x".repeat(63 * MIB);
    const id = await logger.log({ input, output: "" });
    expect((await logger.getEntry(id))?.inputContent?.length).toBe(input.length);
    expect(await Array.fromAsync(logger.entries(), (entry) => entry.id)).toEqual([id]);
    expect(await logger.count()).toBe(1);
    const { exitCode, entries } = await verifyLog(path, { trustedKeys: [signer.vkey] });
    expect([exitCode, entries]).toEqual([0, 1]);
  });

  it("is refused by the storage where no reader would find it", async () => {
    const storage = new FileStorage({ path: await temporaryDirectory() });
    const { line, id } = testEntry(Date.now());
    const long = line.replace(/}$/, `,"padding":"${"x".repeat(65 * MIB)}"}`);
    const error = await rejected(storage.append(long, id));
    expect(error).toMatchObject({ code: "AUDIT_INPUT_INVALID" });
    expect(error).toMatchObject({ message: expect.stringMatching(/64 MiB|67108864/) as string });
    expect(await storage.count({})).toBe(0);
    await storage.close();
  });
});

describe(
  "A log of the Python original with a first line beyond 16 MiB",
  { timeout: 60_000 },
  () => {
    it("is read whole by every reader and by the verifier, for whom nothing vouches for it", async () => {
      const path = await temporaryDirectory();
      const ids = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`);
      const lines = ids.map((id, n) =>
        JSON.stringify({
          id,
          timestamp: `2026-11-29T10:00:0${n}.000000`,
          input_hash: "h",
          output_hash: "h",
          input_content: n === 0 ? "x".repeat(17 * MIB) : "a",
          output_content: null,
          provider: "openai",
          model: "m",
        }),
      );
      await writeFile(join(path, "audit_20261129.jsonl"), `${lines.join("\n")}\n`);
      await using logger = new AuditLogger(path);
      expect(await Array.fromAsync(logger.entries(), (entry) => entry.id)).toEqual(ids);
      expect(await logger.count()).toBe(3);
      for (const id of ids) expect((await logger.getEntry(id))?.id).toBe(id);
      const { exitCode, files } = await verifyLog(path, {});
      expect(exitCode).toBe(2);
      expect(files).toMatchObject([{ state: "FOREIGN", entries: 3 }]);
    });
  },
);

describe("A file that shrinks under its writer", () => {
  it("gets nothing more: the commit goes to the next segment, and is acknowledged there", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    await using logger = new AuditLogger(new FileStorage({ path, signer }));
    for (let count = 0; count < 3; count += 1) await logger.log({ input: `${count}`, output: "" });
    const [file = ""] = (await readdir(path)).filter((name) => name.endsWith(".jsonl"));
    await truncate(join(path, file), 0);
    const id = await logger.log({ input: "after", output: "" });
    const next = await logger.log({ input: "and on", output: "" });
    expect(await Array.fromAsync(logger.entries(), (entry) => entry.id)).toEqual([id, next]);
    expect(await logger.count()).toBe(2);
    const { files } = await verifyLog(path, { trustedKeys: [signer.vkey] });
    const second = files.find(({ file: name }) => name === `audit_${TODAY}_001.jsonl`);
    expect(second).toMatchObject({ state: "OPEN", entries: 2 });
  });
});
