// The mark of a writer outside of the log: what is cut while nobody writes shows at the next start.
import { mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { beforeEach, describe, expect, it } from "vitest";
import { FileStorage, Signer, verifyLog } from "../../../src/index.ts";
import { testEntry } from "../../../src/testing.ts";
import type { Verification } from "../../../src/verify/verification.ts";
import { finish, start } from "./children/run.ts";

let path: string;
let mark: string;
let signer: Signer;

beforeEach(async () => {
  path = join(await temporaryDirectory(), "log");
  mark = join(await temporaryDirectory(), "marks");
  signer = await Signer.generate("acme");
});

/** A writer that is killed once its mark is there. Resolves to its file, and the size of it at each commit. */
async function killedWriter(): Promise<{ readonly file: string; readonly sizes: number[] }> {
  await finish(start("log-and-mark.ts", path, mark, signer.toPem()));
  const [name = ""] = await readdir(path);
  const file = join(path, name);
  const lines = (await readFile(file, "utf8")).split("\n").slice(0, -1);
  const sizes: number[] = [];
  let at = 0;
  for (const line of lines) {
    at += Buffer.byteLength(line) + 1;
    if (line.startsWith('{"type":"checkpoint"')) sizes.push(at);
  }
  return { file, sizes };
}

async function restart(): Promise<void> {
  const storage = new FileStorage({ path, mark, signer });
  const { line, id } = testEntry(Date.now());
  await storage.append(line, id);
  // What is found is written by itself: soon after the first entry, or not at all.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await storage.close();
}

async function verify(options: object = {}): Promise<Verification> {
  return verifyLog(path, { trustedKeys: [signer.vkey], ...options });
}

const GAP =
  /2 leaves that its writer remembered are gone: a crash or a cut, as audit_\d+_001\.jsonl records/;

describe("a mark outside of the log", () => {
  it("tells of a segment that was cut after its writer was killed: 0, and 2 where the auditor is strict", async () => {
    const { file, sizes } = await killedWriter();
    const whole = await readFile(file);
    await truncate(file, sizes.at(-3));
    await restart();
    const { exitCode, files } = await verify();
    expect(exitCode).toBe(0);
    expect(files[0]?.remarks.join()).toMatch(GAP);
    const strict = await verify({ strict: true });
    expect({ exitCode: strict.exitCode, state: strict.files[0]?.state }).toEqual({
      exitCode: 2,
      state: "UNCLOSED",
    });
    await restart();
    expect(JSON.stringify(await verify()).match(/its writer remembered/g)).toHaveLength(1);
    await writeFile(file, whole); // from a backup
    const restored = await verify({ strict: true });
    expect({ exitCode: restored.exitCode, problems: restored.files[0]?.problems }).toEqual({
      exitCode: 0,
      problems: [],
    });
  });

  it("tells of a segment that is gone: the name of the next one does not hide it", async () => {
    const { file } = await killedWriter();
    await rm(file);
    await restart();
    const { exitCode, verdict } = await verify();
    expect(exitCode).toBe(1);
    expect(verdict).toContain("remembered at 6 leaves is gone, and another one has its name");
  });

  it("tells of a segment that is gone while others are there", async () => {
    const other = new FileStorage({ path, signer });
    const { line, id } = testEntry(Date.now());
    await other.append(line, id);
    await other.close();
    const { file } = await killedWriter();
    await rm(file.replace(".jsonl", "_001.jsonl"));
    await restart();
    const { exitCode, verdict } = await verify();
    expect(exitCode).toBe(1);
    expect(verdict).toMatch(/remembered at 6 leaves is gone|the file is gone, and no retention/);
  });

  it("says nothing of a killed writer whose log is whole, nor of one that ended in order", async () => {
    await killedWriter();
    await restart();
    await restart();
    const { exitCode, files } = await verify();
    expect(exitCode).toBe(0);
    expect(JSON.stringify(files)).not.toContain("remembered");
    expect((await readdir(mark)).filter((name) => name.endsWith(".json"))).toHaveLength(1);
  });

  it("takes no harm from files that are no marks", async () => {
    await mkdir(mark);
    await writeFile(join(mark, "x.mark.json"), '{"log":');
    await writeFile(join(mark, "y.mark.json"), "{}");
    await writeFile(join(mark, "notes.txt"), "x");
    await restart();
    expect(await verify()).toMatchObject({ exitCode: 0 });
  });

  it("costs no entry where it cannot be written", async () => {
    await writeFile(mark, "");
    await restart();
    expect(await verify()).toMatchObject({ exitCode: 0, entries: 1 });
  });

  it.each(["", "inside"])("is refused within the log: %j", (name) => {
    expect(() => new FileStorage({ path, mark: join(path, name) })).toThrow(
      expect.objectContaining({
        code: "AUDIT_CONFIG_INVALID",
        message: "mark must name a directory outside of path",
      }),
    );
  });
});
