import { describe, expect, it } from "vitest";
import { leafHash, rootOf } from "../../src/seal/merkle.ts";
import { parseCheckpoint, parseNote } from "../../src/seal/note.ts";
import { Segment, type SegmentOptions } from "../../src/storage/segment.ts";
import { Signer } from "../../src/seal/signer.ts";
import { caught } from "@ai-audit/test-support/caught";

const options: SegmentOptions = {
  file: "audit_20261123.jsonl",
  stream: "c3RyZWFt",
  seq: 0,
  created: "2026-11-23T00:00:00.000Z",
  prev: null,
  seen: [],
  sdk: "@ai-audit/core 0.1.0",
};

/** The lines of some bytes, each of which must end in LF. */
function linesOf(bytes: Buffer): string[] {
  const lines = bytes.toString().split("\n");
  expect(lines.pop()).toBe("");
  return lines;
}

function checkpointOf(
  line: string | undefined,
): { origin: string; size: number; root: string } | undefined {
  const { note } = JSON.parse(line ?? "{}") as { note: string };
  return parseCheckpoint(parseNote(note)?.text ?? "");
}

function rootOver(lines: readonly string[]): string {
  return rootOf(lines.map((line) => leafHash(Buffer.from(line)))).toString("base64");
}

describe("a segment", () => {
  it("begins with its segment.open line and ends every commit with a checkpoint over all leaves so far", () => {
    const segment = new Segment(options);
    const first = linesOf(segment.seal(['{"id":"1"}', '{"id":"2"}'], 2));
    expect(first).toHaveLength(4);
    expect(JSON.parse(first[0] ?? "")).toMatchObject({
      type: "segment.open",
      v: 1,
      vkey: null,
      seq: 0,
    });
    const origin = "ai-audit/c3RyZWFt/audit_20261123";
    expect(checkpointOf(first[3])).toEqual({ origin, size: 3, root: rootOver(first.slice(0, 3)) });
    const second = linesOf(segment.seal(['{"id":"3"}'], 1));
    expect(second).toHaveLength(2);
    const leaves = [...first.slice(0, 3), '{"id":"3"}'];
    expect(checkpointOf(second[1])).toEqual({ origin, size: 4, root: rootOver(leaves) });
    expect(segment.ref()).toEqual({ file: options.file, size: 4, root: rootOver(leaves) });
  });

  it("ends with a segment.close line that counts itself among the leaves, and a checkpoint", () => {
    const segment = new Segment(options);
    segment.seal(['{"id":"1"}', '{"type":"loss","entries":1}'], 1);
    const [close, checkpoint] = linesOf(segment.close("day"));
    expect(close).toBe('{"type":"segment.close","reason":"day","leaves":4,"entries":1}');
    expect(checkpointOf(checkpoint)?.size).toBe(4);
    expect(caught(() => segment.close("day"))).toMatchObject({
      code: "AUDIT_CLOSED",
      message: "Segment audit_20261123.jsonl is closed",
    });
    expect(caught(() => segment.seal(["{}"], 1))).toMatchObject({ code: "AUDIT_CLOSED" });
  });

  it("may be closed without ever holding a line", () => {
    const lines = linesOf(new Segment(options).close("close"));
    expect(lines[1]).toBe('{"type":"segment.close","reason":"close","leaves":2,"entries":0}');
    expect(checkpointOf(lines[2])).toMatchObject({ size: 2, root: rootOver(lines.slice(0, 2)) });
  });

  it("signs under the key's name, which its first line names as the key to ask for", async () => {
    const signer = await Signer.generate("example.com/ключ");
    const [open, , checkpoint] = linesOf(new Segment({ ...options, signer }).seal(["{}"], 1));
    expect(JSON.parse(open ?? "")).toMatchObject({ vkey: signer.vkey });
    const { note } = JSON.parse(checkpoint ?? "") as { note: string };
    const parsed = parseNote(note);
    expect(parsed?.text.split("\n")[0]).toBe("example.com/ключ/c3RyZWFt/audit_20261123");
    expect(note).toBe(`${parsed?.text}\n${signer.sign(parsed?.text ?? "")}`);
  });

  it("hashes text of any script as the bytes it writes", () => {
    const lines = ['{"a":"é"}', '{"a":"日本"}', '{"a":"😀\u2028"}', '{"a":"\uD800"}', "{}"];
    const written = linesOf(new Segment(options).seal(lines, 5));
    expect(checkpointOf(written.at(-1))?.root).toBe(rootOver(written.slice(0, -1)));
    expect(written.slice(1, 4)).toEqual(lines.slice(0, 3));
  });

  it("seals a line of 50 MB", () => {
    const line = `{"a":"${"x".repeat(50_000_000)}"}`;
    const bytes = new Segment(options).seal([line], 1);
    const end = bytes.lastIndexOf("\n", -2);
    expect(checkpointOf(bytes.toString("utf8", end + 1))?.size).toBe(2);
  });

  it.each([
    [
      '{"type":"checkpoint","note":"x"}',
      "Checkpoints and segment lines are written by the segment alone",
    ],
    [
      '{"type":"segment.close","reason":"x"}',
      "Checkpoints and segment lines are written by the segment alone",
    ],
    ['{"type":"segment.open"}', "Checkpoints and segment lines are written by the segment alone"],
    ["", "A line must be a JSON object"],
    ["text", "A line must be a JSON object"],
  ])("refuses the line %j, and is unchanged by it", (line, message) => {
    const segment = new Segment(options);
    expect(caught(() => segment.seal(["{}", line], 2))).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message,
    });
    expect(segment.size).toBe(0);
    expect(segment.seal(["{}"], 1)).toEqual(new Segment(options).seal(["{}"], 1));
  });

  it("refuses a commit of nothing", () => {
    expect(caught(() => new Segment(options).seal([], 0))).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: "A commit needs at least one line",
    });
  });
});
