import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { formatControlLine } from "../../src/format/control-line.ts";
import { Signer } from "../../src/seal/signer.ts";
import { entryLine, entryLines, idOfLine, writeSegment } from "../verify/log-builder.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const script = fileURLToPath(new URL("read_log.py", import.meta.url));

async function writeLog(): Promise<{ directory: string; vkey: string }> {
  const directory = await temporaryDirectory();
  const signer = await Signer.generate("example.com/audit");
  const first = entryLines(1); // ids ascend
  const lossLine = formatControlLine({
    type: "loss",
    entries: 2,
    from: "f",
    to: "t",
    reason: "disk full",
  });
  const texts = [
    "é 日本 😀",
    "line\u2028separator",
    '{"type":"checkpoint","note":"x"}',
    "\u0000\u0085",
  ].map((text) => entryLine(text));
  const commits = [first, [...texts, lossLine], entryLines(33)];
  const second = entryLines(1);
  const again = entryLines(2);
  const prev = await writeSegment(directory, { file: "audit_20261123.jsonl", signer, commits });
  const other = await writeSegment(directory, {
    file: "audit_20261123_001.jsonl",
    stream: "streamB",
    signer,
    seen: [prev],
    commits: [second, again.slice(0, 1)],
    end: "unclosed",
  });
  await writeSegment(directory, {
    file: "audit_20261123_002.jsonl",
    seq: 1,
    signer,
    prev,
    seen: [other],
    commits: [
      [
        formatControlLine({
          type: "again",
          file: "audit_20261123_001.jsonl",
          leaf: 2,
          first: idOfLine(again[0]),
          last: idOfLine(again[1]),
          count: 2,
          reason: "EIO",
        }),
        ...again,
      ],
    ],
  });
  return { directory, vkey: signer.vkey };
}

describe.skipIf(isLeftOut("cryptography"))("a Python program that knows only the format", () => {
  it("finds every tree head, signature, count and link right", async () => {
    const { directory, vkey } = await writeLog();
    const { status, stdout, stderr } = spawnSync("python3", [script, directory, vkey], {
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { file: "audit_20261123.jsonl", checkpoints: 4, leaves: 41, entries: 38, closed: true },
      { file: "audit_20261123_001.jsonl", checkpoints: 2, leaves: 3, entries: 2, closed: false },
      { file: "audit_20261123_002.jsonl", checkpoints: 2, leaves: 5, entries: 2, closed: true },
    ]);
  });

  it("refuses a log with one changed byte", async () => {
    const { directory, vkey } = await writeLog();
    const path = join(directory, "audit_20261123.jsonl");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("France", "Frence"));
    const { status, stderr } = spawnSync("python3", [script, directory, vkey], {
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toContain("AssertionError");
  });
});
