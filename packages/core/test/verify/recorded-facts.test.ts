// Ends, times and facts that a log records of itself: their words in the verdict. The rules stand in
// docs/verification.md.
import { createHash } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import { formatControlLine } from "../../src/format/control-line.ts";
import { bench, CLEANER, judges, pathOf, record, type Row, signer } from "./attack-table.ts";
import { entryLines, writeSegment } from "./log-builder.ts";

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
    what: "entries of a write that may have succeeded are not called lost",
    act: async () => {
      const when = { from: "2026-11-23T09:00:00.000Z", to: "2026-11-23T09:00:01.000Z" };
      await record([{ type: "loss", entries: 2, ...when, reason: "EIO", certain: false }]);
    },
    exitCode: 0,
    says: "2 entries that may be lost on 2026-11-23, EIO",
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

judges("an end", {
  sentences: ["Ends are reported."],
  rows: ENDS,
});

judges("a time", {
  sentences: ["Every verdict names the newest sealed time."],
  rows: TIMES,
});

judges("a recorded fact", {
  sentences: ["Losses, calls in flight, removals, holds and erasures are reported"],
  rows: FACTS,
});
