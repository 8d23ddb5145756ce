import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { formatControlLine } from "../../src/format/control-line.ts";
import { Signer } from "../../src/seal/signer.ts";
import { entryLine, entryLines, writeSegment } from "../verify/log-builder.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const script = fileURLToPath(new URL("read_log.py", import.meta.url));

async function writeLog(): Promise<{ directory: string; vkey: string }> {
  const directory = await temporaryDirectory();
  const signer = await Signer.generate("example.com/audit");
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
  const commits = [entryLines(1), [...texts, lossLine], entryLines(33)];
  const prev = await writeSegment(directory, { file: "audit_20261122.jsonl", signer, commits });
  const other = await writeSegment(directory, {
    file: "audit_20261122_001.jsonl",
    stream: "streamB",
    signer,
    seen: [prev],
    end: "unclosed",
  });
  await writeSegment(directory, {
    file: "audit_20261123.jsonl",
    seq: 1,
    signer,
    prev,
    seen: [other],
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
      { file: "audit_20261122.jsonl", checkpoints: 4, leaves: 41, entries: 38, closed: true },
      { file: "audit_20261122_001.jsonl", checkpoints: 2, leaves: 4, entries: 3, closed: false },
      { file: "audit_20261123.jsonl", checkpoints: 3, leaves: 5, entries: 3, closed: true },
    ]);
  });

  it("refuses a log with one changed byte", async () => {
    const { directory, vkey } = await writeLog();
    const path = join(directory, "audit_20261122.jsonl");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("France", "Frence"));
    const { status, stderr } = spawnSync("python3", [script, directory, vkey], {
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toContain("AssertionError");
  });
});
