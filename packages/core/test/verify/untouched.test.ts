// Logs that nobody touched verify, with or without a remark.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatControlLine } from "../../src/format/control-line.ts";
import { Signer } from "../../src/seal/signer.ts";
import { verifyLog } from "../../src/log/verify-log.ts";
import { entryLine, NOW, writeSegment } from "./log-builder.ts";
import {
  TODAY,
  YESTERDAY,
  signer,
  trusted,
  KEY,
  spell,
  directory,
  states,
  linesOf,
  rewrite,
} from "./judged-log.ts";

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
