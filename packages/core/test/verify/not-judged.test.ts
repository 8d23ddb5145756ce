// Files and logs that the verifier cannot judge.
import { execFileSync } from "node:child_process";
import { mkdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatControlLine } from "../../src/format/control-line.ts";
import { leafHash, rootOf } from "../../src/seal/merkle.ts";
import { formatCheckpoint, formatNote } from "../../src/seal/note.ts";
import { proveEntry } from "../../src/log/prove-entry.ts";
import { verifyLog } from "../../src/log/verify-log.ts";
import { idOfLine, writeSegment } from "./log-builder.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import {
  TODAY,
  TODAY_1,
  YESTERDAY,
  EARLIER,
  signer,
  trusted,
  KEY,
  spell,
  directory,
  states,
  linesOf,
  rewrite,
  problemsOf,
} from "./judged-log.ts";

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
