// Any change of any file of a log is found, and found where it was made; no log that nobody changed
// is accused.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Signer } from "../../src/seal/signer.ts";
import {
  type FileState,
  STATE_EXIT_CODES,
  type Verification,
} from "../../src/verify/verification.ts";
import { verifyLog } from "../../src/log/verify-log.ts";
import { entryLine, entryLines, writeSegment } from "./log-builder.ts";
import { sharedDirectory, temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const LF = 0x0a;
/** All files are of earlier days, so that no end of one is waited for. */
const TOMORROW = new Date("2026-11-24T12:00:00.000Z");
const FILES = ["audit_20261122.jsonl", "audit_20261122_001.jsonl", "audit_20261123.jsonl"];

const TODAY = new Date("2026-11-23T12:00:00.000Z");

interface Log {
  readonly directory: string;
  readonly trustedKeys: string[];
  /** Original bytes by file. */
  readonly originals: ReadonlyMap<string, Buffer>;
}

/**
 * Two streams over two days: one file closed, one left unclosed and confirmed later, one of today.
 */
async function makeLog(signer: Signer | undefined): Promise<Log> {
  const directory = await sharedDirectory();
  const signing = signer && { signer };
  const [first = "", second = "", third = ""] = FILES;
  const prev = await writeSegment(directory, {
    file: first,
    ...signing,
    commits: [entryLines(3), entryLines(2)],
  });
  const crashed = await writeSegment(directory, {
    file: second,
    stream: "streamB",
    ...signing,
    seen: [prev],
    end: "unclosed",
  });
  await writeSegment(directory, {
    file: third,
    seq: 1,
    ...signing,
    prev,
    seen: [crashed],
    commits: [entryLines(1), entryLines(4)],
  });
  const originals = new Map<string, Buffer>();
  for (const file of FILES) originals.set(file, await readFile(join(directory, file)));
  return { directory, trustedKeys: signer === undefined ? [] : [signer.vkey], originals };
}

/** The first and last line (from 1) of the commit that a line belongs to. */
function commitOf(lines: readonly string[], line: number): { first: number; last: number } {
  const ends = lines.flatMap((text, index) =>
    text.startsWith('{"type":"checkpoint",') ? [index + 1] : [],
  );
  const last = ends.find((end) => end >= line) ?? lines.length;
  return { first: (ends.findLast((end) => end < line) ?? 0) + 1, last };
}

async function verifyChanged(
  { directory, trustedKeys, originals }: Log,
  file: string,
  bytes: Buffer,
): Promise<Verification> {
  await writeFile(join(directory, file), bytes);
  try {
    return await verifyLog(directory, { trustedKeys, now: TOMORROW, signatures: "all" });
  } finally {
    await writeFile(join(directory, file), originals.get(file) ?? "");
  }
}

function isFinding(state: FileState): boolean {
  return STATE_EXIT_CODES[state] > 0 && state !== "UNSIGNED" && state !== "UNCLOSED";
}

/**
 * Whether findings beyond "unsigned" name the file, and the first of them a line of a changed
 * commit.
 */
function locate(
  result: Verification,
  file: string,
  spans: readonly { first: number; last: number }[],
): object {
  const problems = result.files.find((other) => other.file === file)?.problems ?? [];
  const [found] = problems.filter(({ state }) => isFinding(state));
  const { line = -1, lastLine = line } = found ?? {};
  // One line more: what was removed or merged shows at the next line.
  const isThere = spans.some(({ first, last }) => lastLine >= first && line <= last + 1);
  return { isFound: result.exitCode > 0 && found !== undefined, isThere, line, lastLine, spans };
}

const FOUND = { isFound: true, isThere: true };

const signed = await makeLog(await Signer.generate("bank-prod"));
const unsigned = await makeLog(undefined);

describe.each([
  { kind: "a signed log", log: signed },
  { kind: "an unsigned log", log: unsigned },
])("in $kind", ({ log }) => {
  const place = fc.constantFrom(...FILES).chain((file) => {
    const bytes = log.originals.get(file) ?? Buffer.alloc(0);
    return fc.record({
      file: fc.constant(file),
      offset: fc.nat(bytes.byteLength - 1),
      mask: fc.integer({ min: 1, max: 255 }),
    });
  });

  it("any changed byte is found, in the commit it belongs to", async () => {
    await fc.assert(
      fc.asyncProperty(place, async ({ file, offset, mask }) => {
        const original = log.originals.get(file) ?? Buffer.alloc(0);
        const lines = original.toString().split("\n").slice(0, -1);
        const line = original.subarray(0, offset).filter((byte) => byte === LF).length + 1;
        const bytes = Buffer.from(original);
        bytes[offset] = (bytes[offset] ?? 0) ^ mask;
        const result = await verifyChanged(log, file, bytes);
        expect(
          locate(result, file, [commitOf(lines, line), commitOf(lines, line + 1)]),
        ).toMatchObject(FOUND);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  const change = fc.constantFrom(...FILES).chain((file) => {
    const count = (log.originals.get(file)?.toString().split("\n").length ?? 1) - 1;
    return fc.record({
      file: fc.constant(file),
      kind: fc.constantFrom("delete", "double", "swap", "insert"),
      at: fc.nat(count - 1),
      other: fc.nat(count - 1),
    });
  });

  it("any deleted, doubled, swapped or inserted line is found, in the commit it belongs to", async () => {
    await fc.assert(
      fc.asyncProperty(change, async ({ file, kind, at, other }) => {
        const lines = (log.originals.get(file) ?? "").toString().split("\n").slice(0, -1);
        const line = lines[at] ?? "";
        // A checkpoint that a later one supersedes is no leaf and seals nothing any more: without
        // it nothing is lost.
        const isLastCheckpoint =
          lines.findLastIndex((text) => text.startsWith('{"type":"checkpoint",')) === at;
        fc.pre(kind !== "delete" || isLastCheckpoint || !line.startsWith('{"type":"checkpoint",'));
        fc.pre(kind !== "swap" || at !== other);
        const changed = {
          delete: () => lines.toSpliced(at, 1),
          double: () => lines.toSpliced(at, 0, line),
          insert: () => lines.toSpliced(at, 0, entryLine()),
          swap: () => lines.with(at, lines[other] ?? "").with(other, line),
        }[kind]?.();
        const bytes = Buffer.from((changed ?? []).map((text) => `${text}\n`).join(""));
        const result = await verifyChanged(log, file, bytes);
        const spans = [
          commitOf(lines, at + 1),
          ...(kind === "swap" ? [commitOf(lines, other + 1)] : []),
        ];
        // The tree alone cannot tell a removed last commit from one that was never written: links
        // do.
        const isCut = kind === "delete" && at === lines.length - 1;
        expect(
          locate(result, file, isCut ? [{ first: 0, last: lines.length }] : spans),
        ).toMatchObject(FOUND);
      }),
      { numRuns: 120 },
    );
  }, 60_000);

  it("any cut short of a file that another file records is found", async () => {
    const cut = fc.constantFrom(...FILES.slice(0, 2)).chain((file) =>
      fc.record({
        file: fc.constant(file),
        size: fc.nat((log.originals.get(file)?.byteLength ?? 1) - 1),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cut, async ({ file, size }) => {
        const result = await verifyChanged(
          log,
          file,
          (log.originals.get(file) ?? Buffer.alloc(0)).subarray(0, size),
        );
        const found = result.files.find((other) => other.file === file);
        const leaves = endOfLeaves(log, file);
        const expected =
          size < leaves ? "ROLLBACK" : size === leaves ? "UNSEALED_TAIL" : "TORN_TAIL";
        expect(found?.problems.map(({ state }) => state)).toContain(expected);
      }),
      { numRuns: 60, examples: [[{ file: FILES[0] ?? "", size: 0 }]] },
    );
  }, 60_000);
});

/**
 * Where the last leaf of a file ends: from there on all leaves are there, if not all that seals
 * them.
 */
function endOfLeaves(log: Log, file: string): number {
  const bytes = log.originals.get(file) ?? Buffer.alloc(0);
  return bytes.lastIndexOf("\n", -2) + 1;
}

it("a log of any content and any commits is accused of nothing", async () => {
  const signer = await Signer.generate("bank-prod");
  const texts = fc.array(fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(texts, fc.boolean(), async (commits, isClosed) => {
      const directory = await temporaryDirectory();
      const end = isClosed ? "closed" : "unclosed";
      const lines = commits.map((commit) => commit.map(entryLine));
      await writeSegment(directory, { file: "audit_20261123.jsonl", signer, end, commits: lines });
      const { exitCode, entries, files } = await verifyLog(directory, {
        trustedKeys: [signer.vkey],
        now: TODAY,
      });
      expect({ exitCode, entries, state: files[0]?.state }).toEqual({
        exitCode: 0,
        entries: commits.flat().length,
        state: isClosed ? "OK" : "OPEN",
      });
    }),
    { numRuns: 30 },
  );
}, 60_000);
