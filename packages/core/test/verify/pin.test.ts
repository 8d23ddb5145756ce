import { rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { SegmentRef } from "../../src/format/control-line.ts";
import { formatControlLine } from "../../src/format/control-line.ts";
import { emptyRoot } from "../../src/seal/merkle.ts";
import { formatPin, parsePin } from "../../src/verify/pin.ts";
import { Signer } from "../../src/seal/signer.ts";
import type { Pin, Verification } from "../../src/verify/verification.ts";
import { verifyLog } from "../../src/log/verify-log.ts";
import { caught } from "@ai-audit/test-support/caught";
import { entryLines, NOW, writeSegment } from "./log-builder.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const YESTERDAY = "audit_20261122.jsonl";
const TODAY = "audit_20261123.jsonl";
const signer = await Signer.generate("bank-prod");

let directory: string;
let first: SegmentRef;
let second: SegmentRef;

beforeEach(async () => {
  directory = await temporaryDirectory();
  first = await writeSegment(directory, { file: YESTERDAY, signer });
  second = await writeSegment(directory, {
    file: TODAY,
    seq: 1,
    signer,
    prev: first,
    end: "unclosed",
  });
});

async function verify(pins: readonly Pin[]): Promise<Verification> {
  return verifyLog(directory, { trustedKeys: [signer.vkey], pins, now: NOW });
}

function pinOf({ file, size, root }: SegmentRef): Pin {
  return { origin: `bank-prod/streamA/${file.replace(".jsonl", "")}`, size, root };
}

describe("a pin", () => {
  it("is what verification gives as a file's head, and anchors the log that it was taken of", async () => {
    const heads = (await verify([])).files.flatMap(({ head }) => head ?? []);
    expect(heads).toMatchObject([pinOf(first), pinOf(second)]);
    const result = await verify(heads.toReversed());
    expect(result).toMatchObject({ exitCode: 0, anchoredTo: pinOf(second) });
    expect(result.verdict).toMatch(
      /; 1 file still open; newest sealed time \S+Z; anchored to bank-prod\/streamA\/audit_20261123 at 4 leaves \(2 of 2 pins confirmed\)$/,
    );
    expect(result.pins).toEqual({ given: 2, confirmed: 2 });
  });

  it("anchors a log that has grown since", async () => {
    const other = await temporaryDirectory();
    const commits = [entryLines(2), entryLines(2)];
    const spec = { file: TODAY, seq: 1, signer, prev: first };
    const early = await writeSegment(other, {
      ...spec,
      commits: commits.slice(0, 1),
      end: "unclosed",
    });
    await rm(join(directory, TODAY));
    await writeSegment(directory, { ...spec, commits });
    expect(await verify([pinOf(early)])).toMatchObject({ exitCode: 0, anchoredTo: pinOf(early) });
  });

  it("shows that the newest end was cut off, which nothing else can", async () => {
    await rm(join(directory, TODAY));
    expect((await verify([])).exitCode).toBe(0);
    const result = await verify([pinOf(second)]);
    expect(result).toMatchObject({ exitCode: 1 });
    expect(
      result.files.map(({ file, state, problems }) => ({
        file,
        state,
        message: problems[0]?.message,
      })),
    ).toEqual([
      { file: YESTERDAY, state: "OK", message: undefined },
      {
        file: TODAY,
        state: "MISSING",
        message: "a pin records 4 leaves; the file is gone, and no retention.prune line says why",
      },
    ]);
  });

  it("shows another history and a shorter one", async () => {
    const fork = { ...pinOf(first), root: Buffer.alloc(32).toString("base64") };
    expect(await verify([fork])).toMatchObject({
      exitCode: 1,
      files: [
        {
          state: "FORK",
          problems: [{ message: "another history: not what a pin records at 5 leaves" }],
        },
        {},
      ],
    });
    expect(await verify([{ ...pinOf(first), size: 6 }])).toMatchObject({
      exitCode: 1,
      files: [
        { state: "ROLLBACK", problems: [{ message: "a pin records 6 leaves; 5 are there" }] },
        {},
      ],
    });
  });

  it("of another stream's file of the same name is contradicted by this one", async () => {
    const other = { ...pinOf(first), origin: "bank-prod/streamB/audit_20261122" };
    expect(await verify([other])).toMatchObject({
      exitCode: 1,
      files: [{ state: "FORK", problems: [{ message: "not the segment that a pin records" }] }, {}],
    });
  });

  it("of a file that retention removed leaves the log UNANCHORED", async () => {
    await rm(join(directory, YESTERDAY));
    await rm(join(directory, TODAY));
    const fields = { from: null, to: null, policy: "p", actor: "a" };
    const line = formatControlLine({
      type: "retention.prune",
      ...fields,
      file: YESTERDAY,
      leaves: first.size,
      root: first.root,
    });
    await writeSegment(directory, { file: TODAY, seq: 1, signer, prev: first, commits: [[line]] });
    const result = await verify([pinOf(first)]);
    expect(result.exitCode).toBe(2);
    expect(result.anchoredTo).toBeUndefined();
    expect(result.verdict).toMatch(
      /^UNANCHORED: 0 entries in 1 file; .*; 1 file removed by a under 'p', as the log itself authorises; .*; not anchored: none of the given pins fits$/,
    );
  });

  it("is written as a note and read back, also with signatures on it", () => {
    const pin = pinOf(first);
    const text = formatPin(pin);
    expect(text).toBe(`bank-prod/streamA/audit_20261122\n5\n${first.root}\n\n`);
    expect(parsePin(text)).toEqual(pin);
    expect(parsePin(text + signer.sign(text.slice(0, -1)))).toEqual(pin);
  });

  it("of an empty tree has its one root, and anchors nothing: every tree begins empty", async () => {
    const { origin } = pinOf(first);
    const empty = { origin, size: 0, root: emptyRoot().toString("base64") };
    const result = await verify([empty]);
    expect(result).toMatchObject({ exitCode: 2, verdict: expect.stringMatching(/^UNANCHORED: /) });
    expect(parsePin(formatPin(empty))).toEqual(empty);
    const other = { origin, size: 0, root: first.root };
    await expect(verify([other])).rejects.toMatchObject({ code: "AUDIT_CONFIG_INVALID" });
    expect(caught(() => parsePin(formatPin(other)))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
    });
  });

  it("of a removed file at a smaller size needs a signed record of the removal", async () => {
    await rm(join(directory, YESTERDAY));
    const fields = { from: null, to: null, policy: "p", actor: "a" };
    const line = formatControlLine({
      type: "retention.prune",
      ...fields,
      file: YESTERDAY,
      leaves: 9,
      root: first.root,
    });
    const planted = { file: "audit_20261123_001.jsonl", stream: "planted", commits: [[line]] };
    await rm(join(directory, TODAY));
    await writeSegment(directory, { file: TODAY, signer, stream: "streamB" });
    await writeSegment(directory, planted);
    expect(await verify([pinOf(first)])).toMatchObject({
      exitCode: 1,
      files: [{ file: YESTERDAY, state: "MISSING" }, {}, {}],
    });
    await rm(join(directory, planted.file));
    await writeSegment(directory, { ...planted, signer });
    expect(await verify([pinOf(first)])).toMatchObject({
      exitCode: 2,
      files: [
        {
          state: "UNANCHORED",
          problems: [
            { message: expect.stringMatching(/^pinned, and removed by the log's operator/) },
          ],
        },
        {},
        {},
      ],
    });
  });

  it.each(["", "text\n", "o\n1\nAAAA\n\n"])("is not %j", (text) => {
    expect(caught(() => parsePin(text))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message:
        "A pin must be a checkpoint: an origin, a tree size and a base64 root hash, a line each",
    });
  });
});
