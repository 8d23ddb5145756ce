// Removed files: whose removal counts.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatControlLine } from "../../src/format/control-line.ts";
import { Signer } from "../../src/seal/signer.ts";
import { verifyLog } from "../../src/log/verify-log.ts";
import { entryLines, writeSegment } from "./log-builder.ts";
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
} from "./judged-log.ts";

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
