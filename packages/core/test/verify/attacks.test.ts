// Attacks on a log in a directory, and the honest logs that resemble them: what was done, under
// which pin, hold or rule, and the exit code and sentence that the verdict owes. The rules stand in
// docs/verification.md.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { appendFile, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type ControlLine,
  formatControlLine,
  type SegmentRef,
} from "../../src/format/control-line.ts";
import { type VerifyOptions, verifyLog } from "../../src/log/verify-log.ts";
import { consistencyProof } from "../../src/seal/consistency.ts";
import { leafHash } from "../../src/seal/merkle.ts";
import { Signer } from "../../src/seal/signer.ts";
import type { Pin, Verification } from "../../src/verify/verification.ts";
import { entryLine, entryLines, NOW, type SegmentSpec, writeSegment } from "./log-builder.ts";

const OLD = "audit_20261120.jsonl";
const NEXT = "audit_20261121.jsonl";
const TODAY = "audit_20261123.jsonl";
const CLEANER = "audit_20261123_050.jsonl";
const signer = await Signer.generate("acme");
/** The key after a rotation. */
const newer = await Signer.generate("acme");

/**
 * A log of three days: two segments of one writer, and one of today by another that has seen both.
 */
interface Bench {
  readonly directory: string;
  readonly old: SegmentRef;
  readonly next: SegmentRef;
}

let bench: Bench;

beforeEach(async () => {
  const directory = await temporaryDirectory();
  const old = await writeSegment(directory, { file: OLD, signer });
  const next = await writeSegment(directory, { file: NEXT, seq: 1, signer, prev: old });
  await writeSegment(directory, { file: TODAY, stream: "streamB", signer, seen: [old, next] });
  bench = { directory, old, next };
});

function pinOf({ file, size, root }: SegmentRef, stream = "streamA"): Pin {
  return { origin: `acme/${stream}/${file.replace(".jsonl", "")}`, size, root };
}

function pathOf(file: string): string {
  return join(bench.directory, file);
}

/** Seals control lines into a segment of today, as the holder of the key can at any time. */
async function record(
  lines: readonly ControlLine[],
  spec: Partial<SegmentSpec> = {},
): Promise<void> {
  const commits = [lines.map((line) => formatControlLine(line))];
  await writeSegment(bench.directory, {
    file: CLEANER,
    stream: "cleaner",
    signer,
    commits,
    ...spec,
  });
}

function prune(ref: SegmentRef, more: object = {}): ControlLine {
  const { file, size, root } = ref;
  const day = `${file.slice(6, 10)}-${file.slice(10, 12)}-${file.slice(12, 14)}`;
  return {
    type: "retention.prune",
    file,
    leaves: size,
    root,
    from: `${day}T08:00:00.000Z`,
    to: `${day}T09:00:00.000Z`,
    policy: "retention 1 day",
    actor: "cron",
    at: "2026-11-23T10:00:00.000Z",
    ...more,
  };
}

function hold(placed: string): ControlLine {
  const span = { from: "2026-11-20T00:00:00.000Z", to: "2026-11-20T23:00:00.000Z" };
  return {
    type: "retention.hold",
    hold: "H1",
    ...span,
    reason: "lawsuit 12",
    actor: "legal",
    placed,
  };
}

async function leavesOf(file: string): Promise<Buffer[]> {
  const lines = (await readFile(pathOf(file), "utf8")).split("\n").slice(0, -1);
  return lines
    .filter((line) => !line.startsWith('{"type":"checkpoint"'))
    .map((line) => leafHash(Buffer.from(line)));
}

async function verify(options: VerifyOptions = {}): Promise<Verification> {
  return verifyLog(bench.directory, { trustedKeys: [signer.vkey], now: NOW, ...options });
}

/** Everything that a verification says. */
function textOf({ verdict, files }: Verification): string {
  const found = files.flatMap(({ file, problems, remarks }) => [
    ...problems.map(({ state, message }) => `${state} ${file}: ${message}`),
    ...remarks.map((remark) => `${file}: ${remark}`),
  ]);
  return [verdict, ...found].join("\n");
}

interface Row {
  readonly what: string;
  readonly act: () => Promise<VerifyOptions | void>;
  readonly exitCode: number;
  readonly says: string;
}

const YEAR = { retention: [{ days: 365 }] };
const DAY = { retention: [{ days: 1 }] };

const REMOVALS: readonly Row[] = [
  {
    what: "a removal that the log authorises, of a file that nobody pinned, is told and believed",
    act: async () => {
      await rm(pathOf(OLD));
      await record([prune(bench.old)]);
    },
    exitCode: 0,
    says: "1 file removed by cron under 'retention 1 day', as the log itself authorises",
  },
  {
    what: "of a pinned file it ends with 2 without a rule",
    act: async () => {
      await rm(pathOf(OLD));
      await record([prune(bench.old)]);
      return { pins: [pinOf(bench.old), pinOf(bench.next)] };
    },
    exitCode: 2,
    says: "pinned, and removed by the log's operator",
  },
  {
    what: "with a doctored twin beside it too",
    act: async () => {
      await rm(pathOf(OLD));
      await writeSegment(bench.directory, {
        file: "audit_20261120_001.jsonl",
        stream: "twin",
        signer,
      });
      await record([prune(bench.old)]);
      return { pins: [pinOf(bench.old), pinOf(bench.next)] };
    },
    exitCode: 2,
    says: "(1 of 2 pins confirmed)",
  },
  {
    what: "against the auditor's rule it is MISSING",
    act: async () => {
      await rm(pathOf(OLD));
      await record([prune(bench.old)]);
      return YEAR;
    },
    exitCode: 1,
    says: "cron removed it after 3 days, and your rule keeps files 365 days",
  },
  {
    what: "within the auditor's rule it is PRUNED, pinned or not",
    act: async () => {
      await rm(pathOf(OLD));
      await record([prune(bench.old)]);
      return { ...DAY, pins: [pinOf(bench.old), pinOf(bench.next)] };
    },
    exitCode: 0,
    says: "1 file removed by cron under 'retention 1 day', within your rule",
  },
  {
    what: "a rule binds files of its day and of later ones",
    act: async () => {
      await rm(pathOf(OLD));
      await record([prune(bench.old)]);
      return { retention: [{ days: 365, since: "2026-11-22" }] };
    },
    exitCode: 0,
    says: "1 file removed by cron",
  },
  {
    what: "while a hold was in force it is MISSING",
    act: async () => {
      await record([hold("2026-11-22T08:00:00.000Z")], {
        file: "audit_20261122.jsonl",
        stream: "legal",
      });
      await rm(pathOf(OLD));
      await record([prune(bench.old)]);
    },
    exitCode: 1,
    says: "hold H1 by legal was in force: lawsuit 12",
  },
  {
    what: "a hold of the same day counts against a removal that does not name its time",
    act: async () => {
      await record([hold("2026-11-23T08:30:00.000Z")], {
        file: "audit_20261123_040.jsonl",
        stream: "legal",
      });
      await rm(pathOf(OLD));
      await record([prune(bench.old, { at: undefined })]);
    },
    exitCode: 1,
    says: "hold H1 by legal was in force: lawsuit 12",
  },
  {
    what: "a hold that was placed later does not make an earlier removal wrong",
    act: async () => {
      await record([hold("2026-11-23T11:00:00.000Z")], {
        file: "audit_20261123_040.jsonl",
        stream: "legal",
      });
      await rm(pathOf(OLD));
      await record([prune(bench.old)]);
    },
    exitCode: 0,
    says: "1 hold in force",
  },
  {
    what: "a line that stands in a segment of an earlier day than the file authorises nothing",
    act: async () => {
      await record([prune(bench.next, { at: "2026-11-20T10:00:00.000Z" })], {
        file: "audit_20261120_050.jsonl",
      });
      await rm(pathOf(NEXT));
    },
    exitCode: 1,
    says: "it was written before the file's day was over",
  },
  {
    what: "a line without a time has the day of its segment",
    act: async () => {
      await record([prune(bench.next, { at: undefined })], { file: "audit_20261121_050.jsonl" });
      await rm(pathOf(NEXT));
    },
    exitCode: 1,
    says: "it was written before the file's day was over",
  },
  {
    what: "a line that names fewer leaves than are on record authorises nothing",
    act: async () => {
      await rm(pathOf(OLD));
      await record([prune(bench.old, { leaves: 3 })]);
    },
    exitCode: 1,
    says: `it names 3 leaves, and ${NEXT} records 5`,
  },
  {
    what: "a line of a larger state without a proof is the remover's word: 2 where a pin is concerned",
    act: async () => {
      await rm(pathOf(OLD));
      await record([prune(bench.old, { leaves: 9 })]);
      return { ...DAY, pins: [pinOf(bench.old), pinOf(bench.next)] };
    },
    exitCode: 2,
    says: "pinned at 5 leaves, and the record of its removal does not prove that it began with this state",
  },
  {
    what: "a consistency proof ties a larger state to the smaller one that is pinned",
    act: async () => {
      const leaves = await leavesOf(NEXT);
      const small = { ...bench.next, size: 3, root: rootAt(leaves, 3) };
      const proof = consistencyProof(leaves, 3).map((node) => node.toString("base64"));
      await rm(pathOf(NEXT));
      await record([prune(bench.next, { since: [{ leaves: 3, root: small.root, proof }] })]);
      return { ...DAY, pins: [pinOf(small), pinOf(bench.old)] };
    },
    exitCode: 0,
    says: "within your rule",
  },
  {
    what: "a consistency proof that does not lead from what is pinned authorises nothing",
    act: async () => {
      const leaves = await leavesOf(NEXT);
      const forged = { ...bench.next, size: 3, root: rootAt(leaves, 2) };
      const proof = consistencyProof(leaves, 3).map((node) => node.toString("base64"));
      await rm(pathOf(NEXT));
      await record([prune(bench.next, { since: [{ leaves: 3, root: rootAt(leaves, 3), proof }] })]);
      return { ...DAY, pins: [pinOf(forged)] };
    },
    exitCode: 1,
    says: "its consistency proof does not lead from what a pin records",
  },
  {
    what: "a pinned file that was moved to an archive ends with 2 while the archive is not given",
    act: async () => {
      await rm(pathOf(OLD));
      const { file, size, root } = bench.old;
      const copy = { sha256: "0".repeat(64), location: "s3://b/k", at: "2026-11-23T10:00:00.000Z" };
      await record([{ type: "retention.archived", file, leaves: size, root, ...copy }]);
      return { ...YEAR, pins: [pinOf(bench.old), pinOf(bench.next)] };
    },
    exitCode: 2,
    says: "pinned, and moved to an archive that was not read",
  },
];

function rootAt(leaves: readonly Buffer[], size: number): string {
  const hash = (from: number, to: number): Buffer => {
    const only = leaves[from];
    if (to - from === 1 && only !== undefined) return only;
    let half = 1;
    while (half * 2 < to - from) half *= 2;
    const parts = [Buffer.of(1), hash(from, from + half), hash(from + half, to)];
    return createHash("sha256").update(Buffer.concat(parts)).digest();
  };
  return hash(0, size).toString("base64");
}

const ALTERATIONS: readonly Row[] = [
  {
    what: "one digit of the version does not soften an alteration",
    act: async () => {
      const text = await readFile(pathOf(OLD), "utf8");
      await writeFile(pathOf(OLD), text.replace('"v":1', '"v":2').replace("France", "Norway"));
    },
    exitCode: 1,
    says: "the lines before it are not those of its checkpoint, in any version",
  },
  {
    what: "a planted file of any size hides no alteration of another",
    act: async () => {
      await writeFile(pathOf("audit_20261122.jsonl"), "");
      await truncate(pathOf("audit_20261122.jsonl"), 2 ** 30);
      const text = await readFile(pathOf(OLD), "utf8");
      await writeFile(pathOf(OLD), text.replace("France", "Norway"));
    },
    exitCode: 1,
    says: `TAMPERED ${OLD}: the entry's input does not have its hash`,
  },
  {
    what: "a planted file of any size is named and not read",
    act: async () => {
      await writeFile(pathOf("audit_20261122.jsonl"), "");
      await truncate(pathOf("audit_20261122.jsonl"), 2 ** 30);
    },
    exitCode: 2,
    says: "1 file unreadable (audit_20261122.jsonl: not read: its first line has no end, and more than 16 MiB)",
  },
  {
    what: "a recorded file that became a hole is altered",
    act: async () => {
      await writeFile(pathOf(OLD), "");
      await truncate(pathOf(OLD), 2 ** 30);
    },
    exitCode: 1,
    says: `FORK ${OLD}: not the segment that ${NEXT} records`,
  },
  {
    what: "an entry that readers cannot find does not verify: its id does not ascend",
    act: async () => {
      const [a = "", b = "", c = ""] = entryLines(3);
      const spec = { file: "audit_20261122.jsonl", stream: "moved", signer, commits: [[b, c, a]] };
      await writeSegment(bench.directory, spec);
    },
    exitCode: 1,
    says: "the entry's id does not ascend: readers cannot find it",
  },
  {
    what: "an entry that readers cannot find does not verify: its id is of another day",
    act: async () => {
      const commits = [[entryLine()]];
      const spec = { file: "audit_20261122.jsonl", stream: "moved", signer, commits };
      await writeSegment(bench.directory, { ...spec, isOfAnyDay: true });
    },
    exitCode: 1,
    says: "the entry's id is not of the file's day: readers cannot find it",
  },
  {
    what: "a segment of a day for which its key is not trusted is signed by no key that was given",
    act: async () => ({ trustedKeys: [`${signer.vkey}@2026-11-21..`] }),
    exitCode: 2,
    says: "a key that is trusted for 2026-11-21T00:00:00.000Z.. alone",
  },
  {
    what: "an old day that the newer of two keys sealed is not believed where each has its time",
    act: async () => {
      const file = "audit_20261120_001.jsonl";
      await writeSegment(bench.directory, { file, stream: "twin", signer: newer });
      return { trustedKeys: [signer.vkey, `${newer.vkey}@2026-11-22..`] };
    },
    exitCode: 2,
    says: "a key that is trusted for 2026-11-22T00:00:00.000Z.. alone",
  },
  {
    what: "a key whose time is over seals nothing any more",
    act: async () => ({ trustedKeys: [`${signer.vkey}@..2026-11-22`] }),
    exitCode: 2,
    says: "a key that is trusted for ..2026-11-22",
  },
  {
    what: "a line that was appended without the key is told",
    act: async () => {
      const file = "audit_20261122.jsonl";
      await writeSegment(bench.directory, { file, stream: "open", signer, end: "unclosed" });
      await appendFile(pathOf(file), `${entryLine()}\n`);
    },
    exitCode: 2,
    says: "1 file with lines after the last checkpoint",
  },
  {
    what: "a file that was copied as text is told",
    act: async () => {
      const text = await readFile(pathOf(OLD), "utf8");
      await writeFile(pathOf(OLD), text.replaceAll("\n", "\r\n"));
    },
    exitCode: 1,
    says: "its lines end in CR LF: was it copied as text?",
  },
  {
    what: "a byte order mark is told",
    act: async () => writeFile(pathOf(OLD), `\uFEFF${await readFile(pathOf(OLD), "utf8")}`),
    exitCode: 1,
    says: "a byte order mark was put in front of the first line",
  },
  {
    what: "a file that another tool compressed is told",
    act: async () => {
      await rm(pathOf(OLD));
      await writeFile(pathOf(`${OLD}.gz`), "");
    },
    exitCode: 1,
    says: `${OLD}.gz lies beside it: was it rotated by another tool?`,
  },
  {
    what: "a file that another tool copied and emptied under its writer is told",
    act: async () => {
      const lines = (await readFile(pathOf(OLD), "utf8")).split("\n");
      await writeFile(pathOf(`${OLD}.1`), lines.slice(0, 4).join("\n"));
      await writeFile(pathOf(OLD), lines.slice(4).join("\n"));
    },
    exitCode: 1,
    says: `FORK ${OLD}: not the segment that ${NEXT} records; ${OLD}.1 lies beside it`,
  },
  {
    what: "an empty line behind the end of a file is told",
    act: async () => appendFile(pathOf(OLD), "\n"),
    exitCode: 1,
    says: "an empty line follows the end of the segment: added by an editor?",
  },
  {
    what: "a planted line of any length costs bounded memory, and hides no alteration of another",
    act: async () => {
      await plantLongLine("audit_20261122.jsonl");
      const text = await readFile(pathOf(OLD), "utf8");
      await writeFile(pathOf(OLD), text.replace("France", "Norway"));
    },
    exitCode: 1,
    says: `TAMPERED ${OLD}: the entry's input does not have its hash`,
  },
  {
    what: "a planted line that no writer can have written is told, and not read on",
    act: async () => plantLongLine("audit_20261122.jsonl"),
    exitCode: 2,
    says: "a line without its end at the end: more than 16777216 bytes that were never sealed",
  },
  {
    what: "any number of lines in a planted segment hides no alteration of another",
    act: async () => {
      const line = formatControlLine(prune(bench.next));
      const lines = Array.from({ length: 130_000 }, () => line); // more than a call has arguments
      const again = { type: "again", leaf: 1, first: null, last: null, count: 1 } as const;
      const repeat = formatControlLine({ ...again, file: NEXT, reason: "EIO" });
      const seen = Array.from({ length: 50_000 }, () => ({ ...bench.old, file: "gone.jsonl" }));
      const states = formatControlLine({ type: "retention.seen", seen });
      await writeSegment(bench.directory, {
        file: "audit_20261122.jsonl",
        stream: "planted",
        commits: [lines, [repeat, repeat], [states, states, states], ["{}"]],
      });
      const text = await readFile(pathOf(OLD), "utf8");
      await writeFile(pathOf(OLD), text.replace("France", "Norway"));
    },
    exitCode: 1,
    says: `TAMPERED ${OLD}: the entry's input does not have its hash`,
  },
  {
    what: "a recorded file whose lines such a line replaces is too short",
    act: async () => {
      const text = await readFile(pathOf(OLD), "utf8");
      await writeFile(pathOf(OLD), text.split("\n").slice(0, 2).join("\n") + "\n");
      await plantLongLine(OLD, false);
    },
    exitCode: 1,
    says: `ROLLBACK ${OLD}: ${NEXT} records 5 leaves`,
  },
  {
    what: "a file that another tool emptied is told",
    act: async () => {
      await writeFile(pathOf(`${OLD}.1`), await readFile(pathOf(OLD)));
      await truncate(pathOf(OLD), 0);
    },
    exitCode: 1,
    says: `${OLD}.1 lies beside it: was it rotated by another tool?`,
  },
  {
    what: "a file that is gone may have been the only one that recorded others",
    act: async () => rm(pathOf(NEXT)),
    exitCode: 1,
    says: "more may be gone: a missing file may have been the only record of others",
  },
];

const TIMES: readonly Row[] = [
  {
    what: "a log whose newest sealed time is too old is STALE",
    act: async () => ({ maxAgeMs: 60_000 }),
    exitCode: 2,
    says: "the log ends at 2026-11-23T08:",
  },
  {
    what: "without a heartbeat nobody can tell whether it is quiet or cut",
    act: async () => ({ maxAgeMs: 60_000 }),
    exitCode: 2,
    says: "ago: quiet or cut: no heartbeat",
  },
  {
    what: "a writer that leaves heartbeats would have left one",
    act: async () => {
      await record([{ type: "heartbeat", at: "2026-11-23T09:00:00.000Z" }]);
      return { maxAgeMs: 60_000 };
    },
    exitCode: 2,
    says: "the log ends at 2026-11-23T09:00:00.000Z, 3 hours ago: and it has heartbeats",
  },
  {
    what: "a heartbeat is a sealed time: the log is new enough",
    act: async () => {
      await record([{ type: "heartbeat", at: "2026-11-23T11:59:30.000Z" }]);
      return { maxAgeMs: 60_000 };
    },
    exitCode: 0,
    says: "newest sealed time 2026-11-23T11:59:30.000Z",
  },
  {
    what: "each writer that did not end in order must be new enough, where the auditor says so",
    act: async () => ({ maxAgeMs: 86_400_000, eachWriter: true }),
    exitCode: 2,
    says: "writer streamA ends at 2026-11-21T",
  },
  {
    what: "a writer that ended in order is asked for nothing more",
    act: async () => {
      const file = "audit_20261119.jsonl";
      await writeSegment(bench.directory, { file, stream: "done", signer, reason: "close" });
      return { maxAgeMs: 3 * 86_400_000, eachWriter: true };
    },
    exitCode: 0,
    says: "OK: ",
  },
  {
    what: "a time that lies ahead of the verifier's clock is said",
    act: async () => record([{ type: "heartbeat", at: "2026-11-23T14:00:00.000Z" }]),
    exitCode: 0,
    says: "the newest sealed time is 2 hours ahead of this clock",
  },
];

/** Puts a line of 90 MB behind the lines of a file, and a line feed behind it. */
async function plantLongLine(file: string, isNew = true): Promise<void> {
  if (isNew)
    await writeSegment(bench.directory, { file, stream: "planted", signer, end: "unclosed" });
  const piece = Buffer.alloc(10 * 2 ** 20, "x");
  await appendFile(pathOf(file), '{"id":"');
  for (let count = 0; count < 9; count += 1) await appendFile(pathOf(file), piece);
  await appendFile(pathOf(file), '"}\n');
}

/**
 * A crash left a file without its end and bytes behind its checkpoint; a later day recorded both,
 * or one of them.
 */
async function crashed(recorded: string, actual: string): Promise<void> {
  const file = "audit_20261122.jsonl";
  const spec = { file, stream: "crashed", signer, end: "unclosed" as const };
  const ref = await writeSegment(bench.directory, spec);
  await appendFile(pathOf(file), actual);
  const sha256 = createHash("sha256").update(recorded).digest("hex");
  const tail = { bytes: Buffer.byteLength(recorded), sha256 };
  await writeSegment(bench.directory, {
    file: CLEANER,
    stream: "later",
    signer,
    seen: [recorded === "" ? ref : { ...ref, tail }],
  });
}

const ENDS: readonly Row[] = [
  {
    what: "a file without its end that a later day recorded stays told",
    act: async () => crashed("", ""),
    exitCode: 0,
    says: "1 file ended without its end (crash or cut)",
  },
  {
    what: "a torn tail is settled by a record that names its bytes",
    act: async () => crashed('{"id":"to', '{"id":"to'),
    exitCode: 0,
    says: `9 bytes behind its last checkpoint were never sealed, as ${CLEANER} records`,
  },
  {
    what: "other bytes than the recorded ones were put there since",
    act: async () => crashed('{"id":"to', '{"id":"no'),
    exitCode: 1,
    says: `the bytes behind the last checkpoint are not the 9 that ${CLEANER} records`,
  },
  {
    what: "a torn tail that no later day has recorded counts",
    act: async () => crashed("", '{"id":"to'),
    exitCode: 2,
    says: "1 file with a torn end",
  },
  {
    what: "a segment that its writer found shorter than it remembered is told",
    act: async () => {
      const { file, size, root } = bench.next;
      await record([{ type: "segment.gap", file, size: size + 4, root, found: size }]);
    },
    exitCode: 0,
    says: "4 leaves that its writer remembered are gone: a crash or a cut",
  },
  {
    what: "and counts where the auditor is strict",
    act: async () => {
      const { file, size, root } = bench.next;
      await record([{ type: "segment.gap", file, size: size + 4, root, found: size }]);
      return { strict: true };
    },
    exitCode: 2,
    says: "4 leaves that its writer remembered are gone: a crash or a cut",
  },
];

/** A failed write left one commit in the old file; the new one repeats its lines. */
async function repeated(change: (line: string) => string): Promise<void> {
  const [kept = "", again = ""] = entryLines(2);
  const file = "audit_20261122.jsonl";
  const commits = [[kept], [change(again)]];
  const old = { file, stream: "eio", signer, end: "unclosed" as const };
  const ref = await writeSegment(bench.directory, { ...old, commits });
  const moved = (await readFile(pathOf(file), "utf8")).split("\n");
  const lines = moved.filter((line) => line.startsWith('{"id"'));
  const line = formatControlLine({
    type: "again",
    file,
    leaf: 2,
    first: null,
    last: null,
    count: 1,
    reason: "EIO",
  });
  const prev = { ...ref };
  const repeat = change(again) === again ? (lines[1] ?? "") : again;
  await writeSegment(bench.directory, {
    file: "audit_20261122_001.jsonl",
    stream: "eio",
    seq: 1,
    signer,
    prev,
    commits: [[line, repeat]],
  });
}

const FACTS: readonly Row[] = [
  {
    what: "entries that were lost are told with day and reason",
    act: async () => {
      const when = { from: "2026-11-23T09:00:00.000Z", to: "2026-11-23T09:00:01.000Z" };
      await record([{ type: "loss", entries: 2, ...when, reason: "ENOSPC" }]);
    },
    exitCode: 0,
    says: "2 entries lost on 2026-11-23, ENOSPC",
  },
  {
    what: "calls that began and never ended are told",
    act: async () => {
      const call = {
        timestamp: "2026-11-22T09:00:00.000Z",
        provider: "p",
        model: "m",
        operation: "chat",
      };
      const id = "01ab0000-0000-7000-8000-000000000001";
      await record([{ type: "call.started", call: id, ...call, input_hash: "h" }], {
        file: "audit_20261122.jsonl",
      });
    },
    exitCode: 0,
    says: "1 call begun and never ended",
  },
  {
    what: "an erased person is told",
    act: async () =>
      record([{ type: "subject.erased", subject: "s", actor: "dpo", reason: "art. 17" }]),
    exitCode: 0,
    says: "1 person erased",
  },
  {
    what: "an import is told with its day",
    act: async () => {
      const created = "2026-11-23T08:00:00.000Z";
      const spec = { file: "audit_20240101.jsonl", stream: "import", signer, created };
      await writeSegment(bench.directory, spec);
    },
    exitCode: 0,
    says: "1 file imported on 2026-11-23",
  },
  {
    what: "lines that were written twice are told, and counted once",
    act: async () => repeated((line) => line),
    exitCode: 0,
    says: "1 entry written twice after EIO",
  },
  {
    what: "lines that differ from what they repeat are a FORK",
    act: async () => repeated((line) => line.replace("France", "Norway")),
    exitCode: 1,
    says: "FORK audit_20261122.jsonl: from leaf 2 on it differs from the repetition in audit_20261122_001.jsonl",
  },
];

const HONEST: readonly Row[] = [
  {
    what: "three days by two writers",
    act: async () => {},
    exitCode: 0,
    says: "newest sealed time 2026-11-23T",
  },
  {
    what: "a restart, and rotation by size",
    act: async () => {
      const size = { stream: "streamC", signer, reason: "size" };
      const a = await writeSegment(bench.directory, { ...size, file: "audit_20261122.jsonl" });
      const b = { ...size, file: "audit_20261122_001.jsonl", seq: 1, prev: a, reason: "close" };
      await writeSegment(bench.directory, b);
      const later = { file: "audit_20261123_001.jsonl", stream: "streamD", signer };
      await writeSegment(bench.directory, { ...later, end: "unclosed" });
    },
    exitCode: 0,
    says: "1 file still open",
  },
  {
    what: "a pin taken while the file was open",
    act: async () => {
      const leaves = await leavesOf(NEXT);
      return { pins: [pinOf({ ...bench.next, size: 3, root: rootAt(leaves, 3) })] };
    },
    exitCode: 0,
    says: "anchored to acme/streamA/audit_20261121 at 3 leaves",
  },
  {
    what: "retention after a hold was released",
    act: async () => {
      const file = "audit_20261121_040.jsonl";
      await record([hold("2026-11-21T08:00:00.000Z")], { file, stream: "legal" });
      await record(
        [
          {
            type: "retention.release",
            hold: "H1",
            reason: "settled",
            actor: "legal",
            released: "2026-11-22T08:00:00.000Z",
          },
        ],
        { file: "audit_20261122_040.jsonl", stream: "legal", seq: 1 },
      );
      await rm(pathOf(OLD));
      await record([prune(bench.old)]);
      return DAY;
    },
    exitCode: 0,
    says: "within your rule",
  },
  {
    what: "a file that shipped and was removed here, under the strictest rule",
    act: async () => {
      await rm(pathOf(OLD));
      const { file, size, root } = bench.old;
      const copy = { sha256: "0".repeat(64), location: "s3://b/k", at: "2026-11-23T10:00:00.000Z" };
      await record([{ type: "retention.archived", file, leaves: size, root, ...copy }]);
      return YEAR;
    },
    exitCode: 0,
    says: "1 file moved to an archive, which was not read",
  },
  {
    what: "a key that is trusted for the time of the log",
    act: async () => ({
      trustedKeys: [`${signer.vkey}@2026-11-20..2026-11-23`],
      trustedBy: "--trust",
    }),
    exitCode: 0,
    says: `sealed by ${signer.vkey.split("+", 2).join("+")} (trusted by --trust)`,
  },
  {
    what: "a log that is new enough",
    act: async () => ({ maxAgeMs: 86_400_000 }),
    exitCode: 0,
    says: "OK: ",
  },
];

/** The tables, each with the sentences of docs/verification.md that it holds the verifier to. */
const TABLES: readonly (readonly [string, readonly string[], readonly Row[]])[] = [
  [
    "a removal",
    ["You judge a removal, not the log.", "A larger state needs a proof.", "Pins are counted."],
    REMOVALS,
  ],
  [
    "an alteration",
    [
      "The worst finding counts, and one bad file hides nothing.",
      "The tree says in every version whether lines were altered.",
      "What readers cannot find does not verify.",
      "Keys come from you.",
    ],
    ALTERATIONS,
  ],
  ["an end", ["Ends are reported."], ENDS],
  ["a time", ["Every verdict names the newest sealed time."], TIMES],
  [
    "a recorded fact",
    ["Losses, calls in flight, removals, holds and erasures are reported"],
    FACTS,
  ],
  ["an honest log", [], HONEST],
];

const RULES = readFileSync(new URL("../../../../docs/verification.md", import.meta.url), "utf8");

describe.each(TABLES)("%s", (_, sentences, rows) => {
  it.each(sentences)("is judged as docs/verification.md says: %s", (sentence) => {
    expect(RULES).toContain(`**${sentence}`);
  });

  it.each(rows)("$what ($exitCode)", async ({ act, exitCode, says }) => {
    const options = await act();
    const result = await verify(options ?? {});
    expect({ exitCode: result.exitCode, text: textOf(result) }).toEqual({
      exitCode,
      text: expect.stringContaining(says),
    });
  });
});
