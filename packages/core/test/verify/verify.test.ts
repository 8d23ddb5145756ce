import { execFileSync } from "node:child_process";
import {
  copyFile,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { formatControlLine } from "../../src/format/control-line.ts";
import { leafHash, rootOf } from "../../src/seal/merkle.ts";
import { formatCheckpoint, formatNote } from "../../src/seal/note.ts";
import { Signer } from "../../src/seal/signer.ts";
import { proveEntry } from "../../src/log/prove-entry.ts";
import { type VerifyOptions, verifyLog } from "../../src/log/verify-log.ts";
import type { Verification } from "../../src/verify/verification.ts";
import { entryLine, entryLines, idOfLine, NOW, writeSegment } from "./log-builder.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const TODAY = "audit_20261123.jsonl";
const TODAY_1 = "audit_20261123_001.jsonl";
const YESTERDAY = "audit_20261122.jsonl";
const EARLIER = "audit_20261121.jsonl";

const signer = await Signer.generate("bank-prod");
const trusted = { trustedKeys: [signer.vkey], now: NOW };
const KEY = signer.vkey.split("+", 2).join("+");

/** The verdict, with a word for the newest sealed time. */
function spell({ verdict }: Verification): string {
  return verdict.replace(/newest sealed time \S+Z/, "newest sealed time TIME");
}

let directory: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
});

function todayAt(time: string): VerifyOptions {
  return { ...trusted, now: new Date(`2026-11-23T${time}Z`) };
}

async function states(options: VerifyOptions = trusted): Promise<Record<string, string>> {
  const { files } = await verifyLog(directory, options);
  return Object.fromEntries(files.map(({ file, state }) => [file, state]));
}

async function linesOf(file: string): Promise<string[]> {
  return (await readFile(join(directory, file), "utf8")).split("\n").slice(0, -1);
}

async function rewrite(file: string, lines: readonly string[]): Promise<void> {
  await writeFile(join(directory, file), lines.map((line) => `${line}\n`).join(""));
}

function problemsOf(
  { files }: Verification,
  file: string,
): Verification["files"][number]["problems"] {
  return files.find((other) => other.file === file)?.problems ?? [];
}

describe("a log that nobody touched", () => {
  it("is OK when every file is closed and signed by a key that was given", async () => {
    const prev = await writeSegment(directory, { file: YESTERDAY, signer });
    await writeSegment(directory, {
      file: TODAY,
      seq: 1,
      signer,
      prev,
      commits: [
        [
          entryLine(),
          formatControlLine({ type: "loss", entries: 1, from: "t", to: "t", reason: "disk full" }),
        ],
      ],
    });
    const result = await verifyLog(directory, trusted);
    expect(result).toMatchObject({ exitCode: 0, entries: 4 });
    expect(spell(result)).toBe(
      `OK: 4 entries in 2 files; sealed by ${KEY}; 1 entry lost on t, disk full; newest sealed time TIME; ` +
        "not anchored: a cut-off newest end would not show",
    );
    expect(result.files[0]).toEqual({
      file: YESTERDAY,
      state: "OK",
      leaves: 5,
      entries: 3,
      problems: [],
      remarks: [],
      signedBy: KEY,
      head: {
        origin: "bank-prod/streamA/audit_20261122",
        size: prev.size,
        root: prev.root,
        note: expect.stringMatching(/^bank-prod\/streamA\/audit_20261122\n5\n[^]*\n— bank-prod /),
      },
    });
  });

  it("is OPEN where a writer's newest file is of this UTC day", async () => {
    await writeSegment(directory, { file: TODAY, signer, end: "unclosed" });
    const result = await verifyLog(directory, trusted);
    expect(result).toMatchObject({ exitCode: 0, files: [{ state: "OPEN", problems: [] }] });
    expect(spell(result)).toBe(
      `OK: 3 entries in 1 file; sealed by ${KEY}; 1 file still open; newest sealed time TIME; ` +
        "not anchored: a cut-off newest end would not show",
    );
  });

  it("is UNSIGNED without a signing key, and its tree is checked all the same", async () => {
    await writeSegment(directory, { file: TODAY });
    const result = await verifyLog(directory, trusted);
    const files = [{ state: "UNSIGNED", leaves: 5, entries: 3 }];
    expect(result).toMatchObject({ exitCode: 2, files });
    expect(spell(result)).toBe(
      "UNSIGNED: 3 entries in 1 file; 1 file not signed: accidents show, an attacker who recomputes the tree does " +
        "not; newest sealed time TIME; not anchored: a cut-off newest end would not show",
    );
    const lines = await linesOf(TODAY);
    await rewrite(TODAY, lines.toSpliced(1, 1));
    expect(await states()).toEqual({ [TODAY]: "TAMPERED" });
  });

  it("is UNKNOWN_KEY when the key was not given: the one that the log names is never trusted", async () => {
    await writeSegment(directory, { file: TODAY, signer });
    const result = await verifyLog(directory, { now: NOW });
    expect(result.exitCode).toBe(2);
    expect(spell(result)).toBe(
      `UNKNOWN_KEY: 3 entries in 1 file; 1 file signed by ${KEY}, a key that was not given; newest sealed time TIME; ` +
        "not anchored: a cut-off newest end would not show",
    );
    const namesake = await Signer.generate("bank-prod");
    expect(await states({ trustedKeys: [namesake.vkey], now: NOW })).toEqual({
      [TODAY]: "UNKNOWN_KEY",
    });
  });

  it("reports its progress in bytes", async () => {
    await writeSegment(directory, { file: TODAY, signer });
    const { length } = await readFile(join(directory, TODAY));
    const seen: unknown[] = [];
    await verifyLog(directory, { ...trusted, onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ file: TODAY, bytesRead: length, totalBytes: length });
  });
});

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

describe("files that this verifier cannot judge", () => {
  it("are FOREIGN when the first line is not segment.open: counted, and nothing is claimed", async () => {
    await writeSegment(directory, { file: TODAY, signer });
    await writeFile(
      join(directory, EARLIER),
      '{"id": "1", "timestamp": "2024-01-01T00:00:00"}\n{"id": "2"}',
    );
    const result = await verifyLog(directory, trusted);
    expect(result).toMatchObject({ exitCode: 2, entries: 3 });
    expect(spell(result)).toBe(
      `FOREIGN: 3 entries in 2 files; sealed by ${KEY}; 1 file not written by this library, which nothing vouches for; ` +
        "newest sealed time TIME; not anchored: a cut-off newest end would not show",
    );
    expect(result.files[0]).toMatchObject({
      file: EARLIER,
      state: "FOREIGN",
      entries: 2,
      leaves: 0,
    });
  });

  it("are what has a segment's name and is no regular file: it is named, not opened, and the rest is verified", async () => {
    await writeSegment(directory, { file: TODAY, signer });
    await mkdir(join(directory, TODAY_1));
    await symlink("nowhere", join(directory, YESTERDAY));
    execFileSync("mkfifo", [join(directory, EARLIER)]);
    const result = await verifyLog(directory, trusted);
    expect(result).toMatchObject({ exitCode: 2, entries: 3 });
    expect(result.verdict).toContain(
      `; ${EARLIER}: no regular file, but a named pipe; ${YESTERDAY}: no regular file`,
    );
    expect(result.files.map(({ state, problems }) => [state, problems[0]?.message])).toEqual([
      ["FOREIGN", "no regular file, but a named pipe"],
      ["FOREIGN", "no regular file, but a symbolic link to no file"],
      ["OK", undefined],
      ["FOREIGN", "no regular file, but a directory"],
    ]);
    const proof = await proveEntry(directory, idOfLine((await linesOf(TODAY))[1]));
    expect(proof).toMatch(/^c2sp.org\/tlog-proof@v1\n/);
  });

  it("are segments behind a symbolic link: they are read, and the link is told", async () => {
    const elsewhere = await temporaryDirectory();
    const prev = await writeSegment(elsewhere, { file: YESTERDAY, signer });
    await writeSegment(directory, { file: TODAY, seq: 1, signer, prev });
    await symlink(join(elsewhere, YESTERDAY), join(directory, YESTERDAY));
    const result = await verifyLog(directory, trusted);
    expect(result).toMatchObject({
      exitCode: 2,
      files: [{ file: YESTERDAY, state: "FOREIGN", leaves: 5 }, { state: "OK" }],
    });
    expect(problemsOf(result, YESTERDAY)).toEqual([
      {
        state: "FOREIGN",
        line: 0,
        message: "no regular file, but a symbolic link, so that what is in it can change elsewhere",
      },
    ]);
    await truncate(join(elsewhere, YESTERDAY), 0);
    expect(await states()).toMatchObject({ [YESTERDAY]: "ROLLBACK" });
  });

  it("does not hide with a directory in its place that a segment is gone", async () => {
    const prev = await writeSegment(directory, { file: YESTERDAY, signer });
    await writeSegment(directory, { file: TODAY, seq: 1, signer, prev });
    await rm(join(directory, YESTERDAY));
    await mkdir(join(directory, YESTERDAY));
    const result = await verifyLog(directory, trusted);
    expect(result).toMatchObject({
      exitCode: 1,
      files: [{ file: YESTERDAY, state: "MISSING", leaves: 5 }, {}],
    });
    expect(problemsOf(result, YESTERDAY).map(({ state }) => state)).toEqual(["FOREIGN", "MISSING"]);
  });

  it("are of a later version, and the tree still says in every version whether lines were altered", async () => {
    const prev = await writeSegment(directory, { file: YESTERDAY, signer });
    await writeSegment(directory, { file: TODAY, seq: 1, signer, prev });
    const lines = (await linesOf(YESTERDAY)).map((line) => line.replace('"v":1', '"v":2'));
    await rewrite(YESTERDAY, lines);
    const result = await verifyLog(directory, trusted);
    expect(result).toMatchObject({ exitCode: 1, files: [{ state: "TAMPERED" }, { state: "OK" }] });
    expect(problemsOf(result, YESTERDAY)).toEqual([
      { state: "UNKNOWN_VERSION", line: 1, message: "format version 2 is not known here" },
      {
        state: "TAMPERED",
        line: 4,
        message: "the lines before it are not those of its checkpoint, in any version",
      },
      {
        state: "FORK",
        line: 0,
        message: `another history: not what ${TODAY} records at 5 leaves`,
      },
    ]);
  });

  it("are of a later version that fits its checkpoints and what others record: nothing is held against them", async () => {
    const prev = await writeSegment(directory, { file: YESTERDAY, signer });
    const lines = (await linesOf(YESTERDAY)).map((line) => line.replace('"v":1', '"v":2'));
    const leaves: Buffer[] = [];
    const origin = "bank-prod/streamA/audit_20261122";
    const resealed = lines.map((line) => {
      if (!line.startsWith('{"type":"checkpoint"')) {
        leaves.push(leafHash(Buffer.from(line)));
        return line;
      }
      const text = formatCheckpoint({
        origin,
        size: leaves.length,
        root: rootOf(leaves).toString("base64"),
      });
      return formatControlLine({ type: "checkpoint", note: formatNote(text, [signer.sign(text)]) });
    });
    await rewrite(YESTERDAY, resealed);
    const seen = [{ ...prev, root: rootOf(leaves).toString("base64") }];
    await writeSegment(directory, { file: TODAY, signer, stream: "streamB", seen });
    expect(await verifyLog(directory, trusted)).toMatchObject({
      exitCode: 2,
      files: [{ state: "UNKNOWN_VERSION", problems: [{ line: 1 }] }, { state: "OK" }],
    });
  });

  it("say nothing with their names, members or keys that could pass for the verifier's words", async () => {
    await writeSegment(directory, { file: TODAY, signer });
    const planted = "a\u001b[2K\r\nOK: all fine\u202e.jsonl";
    await writeFile(join(directory, planted), '{"type":"segment.open","v":1}\n');
    const first = {
      v: 1,
      file: "\u001b[2J\nOK",
      stream: "s",
      seq: 0,
      created: "",
      vkey: null,
      prev: null,
      seen: [],
      sdk: "",
    };
    await writeFile(
      join(directory, "b.jsonl"),
      `${JSON.stringify({ type: "segment.open", ...first })}\n`,
    );
    const result = await verifyLog(directory, trusted);
    expect(result.verdict).toContain(
      String.raw`; a\u001b[2K\r\nOK: all fine\u202e.jsonl line 1: the segment.open line is malformed`,
    );
    expect(problemsOf(result, "b.jsonl")[0]?.message).toBe(
      String.raw`this is \u001b[2J\nOK under another name`,
    );
    expect(problemsOf(result, planted)).toHaveLength(1);
  });

  it("are UNKNOWN_VERSION when the format is a later one", async () => {
    await writeFile(
      join(directory, TODAY),
      '{"type":"segment.open","v":2,"new":true}\n{"type":"checkpoint","note":"?"}\nx',
    );
    expect(await verifyLog(directory, trusted)).toMatchObject({
      exitCode: 2,
      files: [
        {
          state: "UNKNOWN_VERSION",
          problems: [{ line: 1, message: "format version 2 is not known here" }],
        },
      ],
    });
  });
});

describe("the verifier could not do its work, which is exit code 3 and never 0,", () => {
  it("when the directory is not there", async () => {
    const result = await verifyLog(join(directory, "nowhere"), trusted);
    expect(result).toMatchObject({ exitCode: 3, files: [], entries: 0, failure: "ENOENT" });
    expect(result.verdict).toMatch(/^NOT VERIFIED: ENOENT/);
  });

  it("when the directory holds no log, or no longer", async () => {
    await writeFile(join(directory, "notes.txt"), "x");
    await mkdir(join(directory, "directory.jsonl"));
    expect(await verifyLog(directory, trusted)).toMatchObject({
      exitCode: 3,
      verdict: "NOT VERIFIED: there is no log here: not one .jsonl file",
      entries: 0,
      files: [],
    });
  });

  it("when what is there is no directory", async () => {
    await writeSegment(directory, { file: TODAY, signer });
    const result = await verifyLog(join(directory, TODAY), trusted);
    expect(result.exitCode).toBe(3);
    expect(result.verdict).toMatch(/^NOT VERIFIED: ENOTDIR/);
  });

  it("and malformed keys and pins are thrown", async () => {
    await expect(verifyLog(directory, { trustedKeys: ["nonsense"] })).rejects.toMatchObject({
      code: "AUDIT_KEY_INVALID",
    });
    await expect(
      verifyLog(directory, { pins: [{ origin: "o", size: 1, root: "AAAA" }] }),
    ).rejects.toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message:
        "A pin must be a checkpoint: an origin, a tree size and a base64 root hash, a line each",
    });
  });
});

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

describe("removed files", () => {
  const prune = { from: null, to: null, policy: "retention 1 day", actor: "test" };

  it("are MISSING when another file records them", async () => {
    const first = await writeSegment(directory, { file: EARLIER, signer });
    const prev = await writeSegment(directory, { file: YESTERDAY, seq: 1, signer, prev: first });
    await writeSegment(directory, { file: TODAY, seq: 2, signer, prev });
    await rm(join(directory, YESTERDAY));
    const result = await verifyLog(directory, trusted);
    expect(result.exitCode).toBe(1);
    expect(result.files[1]).toEqual({
      file: YESTERDAY,
      state: "MISSING",
      leaves: 5,
      entries: 0,
      problems: [
        {
          state: "MISSING",
          line: 0,
          message: `${TODAY} records 5 leaves; the file is gone, and no retention.prune line says why`,
        },
      ],
      remarks: ["more may be gone: losses that only this file recorded cannot be noticed"],
    });
  });

  it("are PRUNED when a sealed line of the log authorises it", async () => {
    const prev = await writeSegment(directory, { file: YESTERDAY, signer });
    const line = formatControlLine({
      type: "retention.prune",
      ...prune,
      file: YESTERDAY,
      leaves: prev.size,
      root: prev.root,
    });
    await writeSegment(directory, {
      file: TODAY,
      seq: 1,
      signer,
      prev,
      commits: [[line], entryLines(1)],
    });
    expect(await states()).toEqual({ [YESTERDAY]: "OK", [TODAY]: "OK" });
    await rm(join(directory, YESTERDAY));
    const result = await verifyLog(directory, trusted);
    expect(result).toMatchObject({
      exitCode: 0,
      files: [{ file: YESTERDAY, state: "PRUNED", leaves: 5, problems: [] }, { state: "OK" }],
    });
    expect(spell(result)).toBe(
      `OK: 1 entry in 1 file; sealed by ${KEY}; 1 file removed by test under 'retention 1 day', as the log itself ` +
        "authorises; newest sealed time TIME; not anchored: a cut-off newest end would not show",
    );
  });

  it("are PRUNED when the file had grown since it was recorded", async () => {
    const [a, b] = [entryLines(1), entryLines(1)];
    const other = await temporaryDirectory();
    const seen = await writeSegment(other, {
      file: YESTERDAY,
      signer,
      commits: [a],
      end: "unclosed",
    });
    const whole = await writeSegment(directory, { file: YESTERDAY, signer, commits: [a, b] });
    const line = formatControlLine({
      type: "retention.prune",
      ...prune,
      file: YESTERDAY,
      leaves: whole.size,
      root: whole.root,
    });
    await writeSegment(directory, {
      file: TODAY,
      stream: "streamB",
      signer,
      seen: [seen],
      commits: [[line]],
    });
    await rm(join(directory, YESTERDAY));
    expect(await states()).toEqual({ [YESTERDAY]: "PRUNED", [TODAY]: "OK" });
  });

  it("are MISSING when what authorises it is of a larger size and not proven: no root can be compared then", async () => {
    const prev = await writeSegment(directory, { file: YESTERDAY, signer });
    const unknown = { file: TODAY, stream: "unknown", seen: [{ ...prev, size: 4 }] };
    await writeSegment(directory, { ...unknown, signer: await Signer.generate("bank-prod") });
    const line = formatControlLine({
      type: "retention.prune",
      ...prune,
      file: YESTERDAY,
      leaves: 9,
      root: Buffer.alloc(32).toString("base64"),
    });
    await writeSegment(directory, { file: TODAY_1, stream: "planted", commits: [[line]] });
    await writeSegment(directory, { file: EARLIER, stream: "streamB", signer });
    await rm(join(directory, YESTERDAY));
    expect(await states()).toMatchObject({ [YESTERDAY]: "MISSING" });
  });

  it("are PRUNED in a log of which nothing is proven, whose verdict says so", async () => {
    const seen = { ...(await writeSegment(directory, { file: YESTERDAY })), size: 4 };
    const line = formatControlLine({
      type: "retention.prune",
      ...prune,
      file: YESTERDAY,
      leaves: 5,
      root: seen.root,
    });
    await writeSegment(directory, {
      file: TODAY,
      stream: "streamB",
      seen: [seen],
      commits: [[line]],
    });
    await rm(join(directory, YESTERDAY));
    expect(await verifyLog(directory, trusted)).toMatchObject({
      exitCode: 2,
      files: [{ state: "PRUNED" }, {}],
    });
  });

  it.each([
    ["of another root", { root: Buffer.alloc(32).toString("base64") }],
    ["of fewer leaves", { leaves: 4 }],
  ])("are MISSING when the line that authorises it is %s", async (_, change) => {
    const prev = await writeSegment(directory, { file: YESTERDAY, signer });
    const line = formatControlLine({
      type: "retention.prune",
      ...prune,
      file: YESTERDAY,
      leaves: prev.size,
      root: prev.root,
      ...change,
    });
    await writeSegment(directory, { file: TODAY, seq: 1, signer, prev, commits: [[line]] });
    await rm(join(directory, YESTERDAY));
    expect(await states()).toEqual({ [YESTERDAY]: "MISSING", [TODAY]: "OK" });
  });

  it("are MISSING when a line in an unsigned file claims to authorise the removal of a signed one", async () => {
    const prev = await writeSegment(directory, { file: YESTERDAY, signer });
    await writeSegment(directory, { file: TODAY, seq: 1, signer, prev });
    const line = formatControlLine({
      type: "retention.prune",
      ...prune,
      file: YESTERDAY,
      leaves: prev.size,
      root: prev.root,
    });
    await writeSegment(directory, { file: TODAY_1, stream: "planted", commits: [[line]] });
    await rm(join(directory, YESTERDAY));
    expect(await states()).toEqual({
      [YESTERDAY]: "MISSING",
      [TODAY]: "OK",
      [TODAY_1]: "UNSIGNED",
    });
  });

  it("are MISSING when the file that authorises it is itself altered", async () => {
    const prev = await writeSegment(directory, { file: YESTERDAY, signer });
    const line = formatControlLine({
      type: "retention.prune",
      ...prune,
      file: YESTERDAY,
      leaves: prev.size,
      root: prev.root,
    });
    await writeSegment(directory, {
      file: TODAY,
      seq: 1,
      signer,
      prev,
      commits: [[line], entryLines(1)],
    });
    await rm(join(directory, YESTERDAY));
    const lines = await linesOf(TODAY);
    await rewrite(TODAY, lines.toSpliced(3, 1));
    expect(await states()).toEqual({ [YESTERDAY]: "MISSING", [TODAY]: "TAMPERED" });
  });

  it("of a whole stream are MISSING, because another stream has seen them", async () => {
    const seen = [
      await writeSegment(directory, { file: EARLIER, stream: "streamB", signer }),
      await writeSegment(directory, {
        file: YESTERDAY,
        stream: "streamC",
        signer,
        end: "unclosed",
      }),
    ];
    await writeSegment(directory, { file: TODAY, signer, seen });
    await rm(join(directory, EARLIER));
    await rm(join(directory, YESTERDAY));
    expect(await states()).toEqual({ [EARLIER]: "MISSING", [YESTERDAY]: "MISSING", [TODAY]: "OK" });
  });
});
