// Honest logs that resemble attacked ones: all are OK.
import { rm } from "node:fs/promises";
import {
  bench,
  hold,
  judges,
  leavesOf,
  NEXT,
  OLD,
  pathOf,
  pinOf,
  prune,
  record,
  type Row,
  signer,
  DAY,
  rootAt,
  YEAR,
} from "./attack-table.ts";
import { writeSegment } from "./log-builder.ts";

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

judges("an honest log", {
  rows: HONEST,
});
