// Removals from a log in a directory: those that the log and the auditor's rules authorise, and
// those that they do not. The rules stand in docs/verification.md.
import { rm } from "node:fs/promises";
import { consistencyProof } from "../../src/seal/consistency.ts";
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

judges("a removal", {
  sentences: [
    "You judge a removal, not the log.",
    "A larger state needs a proof.",
    "Pins are counted.",
  ],
  rows: REMOVALS,
});
