// The end of a file: closed, crashed, cut.
import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatControlLine } from "../../src/format/control-line.ts";
import { verifyLog } from "../../src/log/verify-log.ts";
import { entryLine, entryLines, writeSegment } from "./log-builder.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import {
  TODAY,
  TODAY_1,
  YESTERDAY,
  EARLIER,
  signer,
  trusted,
  directory,
  todayAt,
  states,
  linesOf,
  rewrite,
  problemsOf,
} from "./judged-log.ts";

describe("the end of a file", () => {
  it("is UNCLOSED when it has none, is of an earlier day, and nothing confirms it", async () => {
    await writeSegment(directory, { file: YESTERDAY, signer, end: "unclosed" });
    expect(await verifyLog(directory, trusted)).toMatchObject({
      exitCode: 2,
      files: [
        {
          state: "UNCLOSED",
          problems: [
            { line: 0, message: "no end, and nothing later confirms this one: a crash or a cut" },
          ],
        },
      ],
    });
  });

  it.each(["prev", "seen"])(
    "is OK without one when a later segment's %s confirms exactly this size",
    async (link) => {
      const ref = await writeSegment(directory, { file: YESTERDAY, signer, end: "unclosed" });
      const links = link === "prev" ? { prev: ref, seq: 1 } : { seen: [ref], stream: "streamB" };
      await writeSegment(directory, { file: TODAY, signer, ...links });
      expect(await states()).toEqual({ [YESTERDAY]: "OK", [TODAY]: "OK" });
    },
  );

  it("is UNCLOSED when what a later segment confirms is a smaller size", async () => {
    const commits = [entryLines(1), entryLines(1)];
    const other = await temporaryDirectory();
    const early = await writeSegment(other, {
      file: YESTERDAY,
      signer,
      end: "unclosed",
      commits: commits.slice(0, 1),
    });
    await writeSegment(directory, { file: YESTERDAY, signer, end: "unclosed", commits });
    await writeSegment(directory, { file: TODAY, stream: "streamB", signer, seen: [early] });
    expect(await states()).toEqual({ [YESTERDAY]: "UNCLOSED", [TODAY]: "OK" });
  });

  it("is confirmed by what another writer saw only on a later day: on the same day it may have grown since", async () => {
    const ref = await writeSegment(directory, { file: YESTERDAY, signer, end: "unclosed" });
    const witness = { stream: "streamB", signer, seen: [ref] };
    await writeSegment(directory, { file: "audit_20261122_001.jsonl", ...witness });
    expect(await states()).toEqual({ [YESTERDAY]: "UNCLOSED", "audit_20261122_001.jsonl": "OK" });
    await writeSegment(directory, { file: TODAY, ...witness, stream: "streamC" });
    expect(await states()).toMatchObject({ [YESTERDAY]: "OK" });
  });

  it("of an import counts as of the day on which it was begun", async () => {
    const created = "2026-11-23T08:00:00.000Z";
    const ref = await writeSegment(directory, { file: EARLIER, signer, end: "unclosed", created });
    await writeSegment(directory, { file: TODAY, stream: "streamB", signer, seen: [ref] });
    expect(await states()).toEqual({ [EARLIER]: "UNCLOSED", [TODAY]: "OK" });
  });

  it("shows a closed file that was cut to what others saw of it on the same day", async () => {
    const commits = [entryLines(1), entryLines(1)];
    const other = await temporaryDirectory();
    const spec = { file: YESTERDAY, signer };
    const early = await writeSegment(other, {
      ...spec,
      commits: commits.slice(0, 1),
      end: "unclosed",
    });
    const { length } = await readFile(join(other, YESTERDAY));
    await writeSegment(directory, { ...spec, commits });
    const witness = { stream: "streamB", signer, seen: [early] };
    await writeSegment(directory, { file: "audit_20261122_001.jsonl", ...witness });
    await truncate(join(directory, YESTERDAY), length);
    expect(await verifyLog(directory, trusted)).toMatchObject({
      exitCode: 2,
      files: [{ state: "UNCLOSED" }, {}],
    });
  });

  it.each(["size", "order"])(
    "is UNCLOSED when it was ended for %s and nothing follows in its stream",
    async (reason) => {
      const prev = await writeSegment(directory, { file: YESTERDAY, signer, reason });
      await writeSegment(directory, { file: "audit_20261122_001.jsonl", signer, seq: 1, prev });
      expect(await states()).toEqual({ [YESTERDAY]: "OK", "audit_20261122_001.jsonl": "OK" });
      await rm(join(directory, "audit_20261122_001.jsonl"));
      await writeSegment(directory, { file: TODAY, signer, stream: "streamB", seq: 5 });
      const message = `ended for ${reason}, but the segment that followed is not there: a crash or a cut`;
      expect(await verifyLog(directory, trusted)).toMatchObject({
        exitCode: 2,
        verdict: expect.stringContaining(
          "1 file without an end, or without the one after it: a crash or a cut",
        ),
        files: [
          { file: YESTERDAY, state: "UNCLOSED", problems: [{ line: 0, message }] },
          { state: "OK" },
        ],
      });
    },
  );

  it.each(["day", "close"])(
    "announces no other segment when it was ended for %s",
    async (reason) => {
      await writeSegment(directory, { file: YESTERDAY, signer, reason });
      expect(await states()).toEqual({ [YESTERDAY]: "OK" });
    },
  );

  it("is OK when it was ended for size and a file of that day was removed as the log authorises", async () => {
    const next = "audit_20261122_001.jsonl";
    const prev = await writeSegment(directory, { file: YESTERDAY, signer, reason: "size" });
    const gone = await writeSegment(directory, { file: next, signer, seq: 1, prev });
    const fields = { from: null, to: null, policy: "p", actor: "a" };
    const line = formatControlLine({
      type: "retention.prune",
      ...fields,
      file: next,
      leaves: gone.size,
      root: gone.root,
    });
    await writeSegment(directory, { file: TODAY, signer, stream: "streamB", commits: [[line]] });
    await rm(join(directory, next));
    expect(await states()).toEqual({ [YESTERDAY]: "OK", [next]: "PRUNED", [TODAY]: "OK" });
  });

  it("may still be written for five minutes after midnight UTC", async () => {
    await writeSegment(directory, { file: YESTERDAY, signer, end: "unclosed" });
    expect(await states(todayAt("00:00:00.500"))).toEqual({ [YESTERDAY]: "OPEN" });
    expect(await states(todayAt("00:04:59.999"))).toEqual({ [YESTERDAY]: "OPEN" });
    expect(await states(todayAt("00:05:00.000"))).toEqual({ [YESTERDAY]: "UNCLOSED" });
  });

  it("is OK for a segment of today that its writer gave up after a failed write", async () => {
    const prev = await writeSegment(directory, { file: TODAY, signer, end: "unclosed" });
    await writeSegment(directory, { file: TODAY_1, seq: 1, signer, prev });
    expect(await states()).toEqual({ [TODAY]: "OK", [TODAY_1]: "OK" });
  });

  it("is TORN_TAIL at every byte within the last commit but those where a line ends", async () => {
    await writeSegment(directory, { file: TODAY, signer, end: "unclosed" });
    const bytes = await readFile(join(directory, TODAY));
    const lineEnds = [...bytes.entries()]
      .filter(([, byte]) => byte === 0x0a)
      .map(([index]) => index + 1);
    const lastCheckpoint = lineEnds.at(-3) ?? 0;
    for (let size = bytes.length - 1; size > lastCheckpoint; size -= 7) {
      await writeFile(join(directory, TODAY), bytes.subarray(0, size));
      const expected = lineEnds.includes(size) ? "UNSEALED_TAIL" : "TORN_TAIL";
      expect(await states({ ...trusted, now: new Date("2026-11-24T12:00:00Z") })).toEqual({
        [TODAY]: expected,
      });
    }
  });

  it("is TORN_TAIL when it is filled with zero bytes", async () => {
    await writeSegment(directory, { file: YESTERDAY, signer, end: "unclosed" });
    await writeFile(join(directory, YESTERDAY), Buffer.alloc(100), { flag: "a" });
    expect(problemsOf(await verifyLog(directory, trusted), YESTERDAY)).toEqual([
      {
        state: "TORN_TAIL",
        line: 7,
        message: "zero bytes at the end: 100 bytes that were never sealed",
      },
    ]);
  });

  it("is UNSEALED_TAIL with whole lines after the last checkpoint", async () => {
    await writeSegment(directory, { file: YESTERDAY, signer, end: "unclosed" });
    await writeFile(join(directory, YESTERDAY), `${entryLine()}\n${entryLine()}\n`, { flag: "a" });
    const result = await verifyLog(directory, trusted);
    expect(result).toMatchObject({ exitCode: 2, entries: 3 });
    expect(problemsOf(result, YESTERDAY)).toEqual([
      {
        state: "UNSEALED_TAIL",
        line: 7,
        lastLine: 8,
        message: "2 whole lines after the last checkpoint",
      },
    ]);
  });

  it("is UNSEALED_TAIL when the checkpoint after segment.close is missing", async () => {
    await writeSegment(directory, { file: YESTERDAY, signer });
    await rewrite(YESTERDAY, (await linesOf(YESTERDAY)).slice(0, -1));
    expect(await states()).toEqual({ [YESTERDAY]: "UNSEALED_TAIL" });
  });

  it.each([
    ["an empty file", ""],
    ["a torn first line", '{"type":"segment.open","v":1,"fi'],
  ])("is TORN_TAIL for %s", async (_, content) => {
    await writeFile(join(directory, YESTERDAY), content);
    expect(await verifyLog(directory, trusted)).toMatchObject({
      exitCode: 2,
      files: [{ state: "TORN_TAIL" }],
    });
  });

  it.each([
    ["a line", "{}\n"],
    ["a torn line", "{"],
    ["zero bytes", "\0\0\0"],
    ["an empty line", "\n"],
  ])("is TAMPERED when %s follows segment.close and its checkpoint", async (_, more) => {
    await writeSegment(directory, { file: YESTERDAY, signer });
    await writeFile(join(directory, YESTERDAY), more, { flag: "a" });
    expect(await verifyLog(directory, trusted)).toMatchObject({
      exitCode: 1,
      files: [
        { state: "TAMPERED", problems: [{ line: 9, message: expect.stringContaining("follow") }] },
      ],
    });
  });

  it("waits for the rest of a commit that is being written", async () => {
    await writeSegment(directory, { file: TODAY, signer, end: "unclosed" });
    const path = join(directory, TODAY);
    const bytes = await readFile(path);
    await truncate(path, bytes.length - 40);
    const verifying = verifyLog(directory, trusted);
    setTimeout(() => void writeFile(path, bytes), 20);
    expect(await verifying).toMatchObject({ exitCode: 0, files: [{ state: "OPEN" }] });
  });
});
