// An altered line is located.
import { copyFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { verifyLog } from "../../src/log/verify-log.ts";
import type { Verification } from "../../src/verify/verification.ts";
import { entryLine, entryLines, idOfLine, writeSegment } from "./log-builder.ts";
import {
  TODAY,
  TODAY_1,
  signer,
  trusted,
  KEY,
  directory,
  states,
  linesOf,
  rewrite,
  problemsOf,
} from "./judged-log.ts";

/** Changes one line, counted from 0, of today's file. */
async function edit(index: number, change: (line: string) => string): Promise<void> {
  const lines = await linesOf(TODAY);
  await rewrite(TODAY, lines.with(index, change(lines[index] ?? "")));
}

async function findings(): Promise<Verification["files"][number]["problems"]> {
  const result = await verifyLog(directory, trusted);
  expect(result.exitCode).toBe(1);
  expect(result.files[0]?.state).toBe("TAMPERED");
  return problemsOf(result, TODAY);
}

describe("what was altered is located", () => {
  beforeEach(async () => {
    await writeSegment(directory, {
      file: TODAY,
      signer,
      commits: [entryLines(3), entryLines(3), entryLines(3)],
    });
  });

  it("by the entry whose text no longer has its hash", async () => {
    const lines = await linesOf(TODAY);
    const id = idOfLine(lines[6]);
    await edit(6, (line) => line.replace("France", "Frence"));
    const result = await verifyLog(directory, trusted);
    expect(problemsOf(result, TODAY)).toEqual([
      {
        state: "TAMPERED",
        line: 7,
        entryId: id,
        message:
          "the entry's input does not have its hash; the lines are not those that were sealed; " +
          "nothing after it can be checked",
      },
    ]);
    expect(result.verdict).toContain(
      `TAMPERED: 3 entries in 1 file; ${TODAY} line 7, entry ${id}: the entry's input`,
    );
  });

  it("by the line that is no JSON any more", async () => {
    await edit(7, (line) => line.slice(0, 100));
    expect(await findings()).toMatchObject([
      { line: 8, message: expect.stringMatching(/^the line is not a JSON object/) },
    ]);
  });

  it("by the id that repeats", async () => {
    const lines = await linesOf(TODAY);
    await rewrite(TODAY, lines.toSpliced(6, 0, lines[6] ?? ""));
    expect(await findings()).toEqual([
      {
        state: "TAMPERED",
        line: 8,
        entryId: idOfLine(lines[6]),
        message:
          "the entry id repeats the one before; 1 line was added; nothing after it can be checked",
      },
    ]);
  });

  it("by the id that is out of order", async () => {
    const lines = await linesOf(TODAY);
    await rewrite(TODAY, lines.with(5, lines[6] ?? "").with(6, lines[5] ?? ""));
    expect(await findings()).toMatchObject([
      {
        line: 7,
        entryId: idOfLine(lines[5]),
        message: expect.stringMatching(/^the entry id is lower/),
      },
    ]);
  });

  it("by the time that does not belong to the id", async () => {
    await edit(5, (line) =>
      line.replace('"timestamp":"2026-11-23T08', '"timestamp":"2026-11-23T09'),
    );
    expect(await findings()).toMatchObject([
      {
        line: 6,
        message: expect.stringMatching(/^the entry's id and timestamp do not belong together/),
      },
    ]);
  });

  it("by no trace that every entry of the range shows: that is how their writer works", async () => {
    const spec = entryLines(3).map((line) =>
      line.replace('"timestamp":"2026', '"timestamp":"2027'),
    );
    await rm(join(directory, TODAY));
    await writeSegment(directory, { file: TODAY, signer, commits: [spec] });
    await edit(2, (line) => line.replace('"metadata":{"type":"x"}', '"metadata":{"type":"y"}'));
    expect(await findings()).toEqual([
      {
        state: "TAMPERED",
        line: 1,
        lastLine: 5,
        message: "the lines are not those that were sealed; nothing after it can be checked",
      },
    ]);
  });

  it("by no hash that encrypted content cannot have", async () => {
    await rm(join(directory, TODAY));
    const lines = [entryLine("eyJhbGciOiJkaXIifQ..AAAA.BBBB.CCCC"), ...entryLines(2)];
    const [first = ""] = lines;
    const encrypted = first.replace(/"input_hash":"[^"]*"/, `"input_hash":"${"0".repeat(64)}"`);
    await writeSegment(directory, { file: TODAY, signer, commits: [lines.with(0, encrypted)] });
    await edit(2, (line) => line.replace("France", "Frence"));
    expect(await findings()).toMatchObject([{ line: 3, entryId: idOfLine(lines[1]) }]);
  });

  it("by the range of one commit where nothing else shows, and how many lines are gone", async () => {
    const lines = await linesOf(TODAY);
    await rewrite(TODAY, lines.toSpliced(5, 2));
    expect(await findings()).toEqual([
      {
        state: "TAMPERED",
        line: 6,
        lastLine: 7,
        message: "2 lines were removed; nothing after it can be checked",
      },
    ]);
  });

  it("in a checkpoint alone, when later ones show that the lines are as they were", async () => {
    await edit(8, (line) => line.replace(/\\n\d+\\n/, "\\n1\\n"));
    expect(await findings()).toEqual([
      {
        state: "TAMPERED",
        line: 9,
        message: "the checkpoint was altered; the lines around it are as they were sealed",
      },
    ]);
  });

  it("in the last checkpoint, when its signature shows that the lines are as they were", async () => {
    const last = (await linesOf(TODAY)).length - 1;
    await edit(last, (line) => line.replace(/\\n\d+\\n/, "\\n7\\n"));
    expect(await findings()).toEqual([
      {
        state: "TAMPERED",
        line: last + 1,
        message: "the checkpoint was altered; the lines before it are as they were sealed",
      },
    ]);
  });

  it("in a signature, also of an older checkpoint where all are asked for", async () => {
    const lines = await linesOf(TODAY);
    const signature = /— bank-prod (.*)\\n"}$/.exec(lines[4] ?? "")?.[1] ?? "";
    const swapped = (signature[20] === "A" ? "B" : "A") + signature.slice(21);
    await edit(4, (line) => line.replace(signature.slice(20), swapped));
    expect(await verifyLog(directory, trusted)).toMatchObject({ exitCode: 0 });
    const result = await verifyLog(directory, { ...trusted, signatures: "all" });
    expect(problemsOf(result, TODAY)).toEqual([
      { state: "TAMPERED", line: 5, message: `the signature by ${KEY} does not verify` },
    ]);
  });

  it("in a checkpoint that was doubled", async () => {
    const lines = await linesOf(TODAY);
    await rewrite(TODAY, lines.toSpliced(8, 0, lines[8] ?? ""));
    expect(await findings()).toEqual([
      { state: "TAMPERED", line: 10, message: "a checkpoint that covers no new line" },
    ]);
  });

  it("in the name of the file", async () => {
    await rename(join(directory, TODAY), join(directory, TODAY_1));
    expect(problemsOf(await verifyLog(directory, trusted), TODAY_1)).toEqual([
      { state: "TAMPERED", line: 1, message: `this is ${TODAY} under another name` },
    ]);
  });

  it("in a copy of the file under another name, and only there", async () => {
    await copyFile(join(directory, TODAY), join(directory, "audit_20261123 (copy).jsonl"));
    expect(await states()).toEqual({ [TODAY]: "OK", "audit_20261123 (copy).jsonl": "TAMPERED" });
  });

  it("in a first line that is no segment.open any more", async () => {
    await edit(0, (line) => line.replace("segment.open", "segment.opem"));
    expect(await findings()).toEqual([
      {
        state: "TAMPERED",
        line: 1,
        message: "checkpoints follow a first line that is not segment.open",
      },
    ]);
  });
});
