// An operator with the signing key and write access to the log, against an anchor log out of reach:
// what was done, and the sentence that the verdict owes. Then the honest logs that resemble it.
import { cp, readFile, rename, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type ControlLine,
  formatControlLine,
  type SegmentRef,
} from "../../src/format/control-line.ts";
import { beginAnchor } from "../../src/anchor/anchorer.ts";
import { directoryStore, leafName } from "../../src/anchor/store.ts";
import type { VerifyOptions } from "../../src/log/verify-log.ts";
import { Signer } from "../../src/seal/signer.ts";
import {
  entryLine,
  entryLines,
  NOW,
  type SegmentSpec,
  writeSegment,
} from "../verify/log-builder.ts";
import {
  AnchoredLog,
  anchorer,
  CLEANER,
  NEXT,
  OLD,
  signer,
  textOf,
  TODAY,
} from "./anchored-log.ts";

const newer = await Signer.generate("acme");
const AT = "the anchor of 2026-11-23T12:00:00.000Z";

let log: AnchoredLog;

beforeEach(async () => {
  log = await AnchoredLog.make();
  await log.run();
});

function pathOf(file: string): string {
  return join(log.directory, file);
}

/** Writes a segment in the place of another one, as the holder of the key can at any time. */
async function rewrite(file: string, spec: Partial<SegmentSpec> = {}): Promise<SegmentRef> {
  await rm(pathOf(file), { force: true });
  return writeSegment(log.directory, { file, signer, ...spec });
}

/** Seals control lines into a segment of today. */
async function record(
  lines: readonly ControlLine[],
  spec: Partial<SegmentSpec> = {},
): Promise<void> {
  const commits = [lines.map((line) => formatControlLine(line))];
  await writeSegment(log.directory, { file: CLEANER, stream: "cleaner", signer, commits, ...spec });
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

async function linesOf(file: string): Promise<string[]> {
  return (await readFile(pathOf(file), "utf8")).split("\n").slice(0, -1);
}

async function entriesOf(file: string): Promise<string[]> {
  return (await linesOf(file)).filter((line) => line.startsWith('{"id"'));
}

/** Cuts a file behind its first checkpoint. */
async function cutAtCheckpoint(file: string): Promise<void> {
  const lines = await linesOf(file);
  const at = lines.findIndex((line) => line.startsWith('{"type":"checkpoint"'));
  await truncate(
    pathOf(file),
    lines.slice(0, at + 1).reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0),
  );
}

interface Row {
  readonly what: string;
  readonly act: () => Promise<VerifyOptions | void>;
  readonly says: string;
}

const ATTACKS: readonly Row[] = [
  {
    what: "the newest file is cut at a checkpoint",
    act: () => cutAtCheckpoint(TODAY),
    says: `ROLLBACK ${TODAY}: ${AT} records 4 leaves`,
  },
  {
    what: "the newest file is cut and goes on",
    act: async () => {
      await rewrite(TODAY, {
        stream: "streamB",
        commits: [[entryLine("a")], [entryLine("b")], [entryLine("c")]],
      });
    },
    says: `FORK ${TODAY}: another history: not what ${AT} records`,
  },
  {
    what: "the newest file is removed",
    act: () => rm(pathOf(TODAY)),
    says: `MISSING ${TODAY}: ${AT} records 4 leaves; the file is gone`,
  },
  {
    what: "a past file is removed",
    act: () => rm(pathOf(NEXT)),
    says: `MISSING ${NEXT}: `,
  },
  {
    what: "a whole stream is removed, and the file that recorded it is written anew",
    act: async () => {
      await Promise.all([rm(pathOf(OLD)), rm(pathOf(NEXT))]);
      await rewrite(TODAY, { stream: "streamB" });
    },
    says: `MISSING ${OLD}: ${AT} records`,
  },
  {
    what: "an entry of a past file is altered and the file sealed again",
    act: async () => {
      const [first = "", ...rest] = await entriesOf(OLD);
      await rewrite(OLD, {
        commits: [[first.replace("capital of France", "capital of Spain"), ...rest]],
      });
    },
    says: `FORK ${OLD}: another history`,
  },
  {
    what: "an entry is taken out of a past file, and the file is sealed again",
    act: async () => {
      const [, ...rest] = await entriesOf(OLD);
      await rewrite(OLD, { commits: [rest.slice(0, 1), rest.slice(1)] });
    },
    says: `ROLLBACK ${OLD}: ${AT} records 5 leaves; 4 are there`,
  },
  {
    what: "an entry is added to a past file, and the file is sealed again",
    act: async () => {
      await rewrite(OLD, { commits: [[...(await entriesOf(OLD)), ...entryLines(1)]] });
    },
    says: `FORK ${OLD}: another history`,
  },
  {
    what: "two entries of a past file change places, under new ids",
    act: async () => {
      const [a = "", b = "", ...rest] = await entriesOf(OLD);
      const swapped = [a.slice(0, 46) + b.slice(46), b.slice(0, 46) + a.slice(46), ...rest];
      await rewrite(OLD, {
        commits: [swapped.map((line, at) => line.replace("France", `France ${at}`))],
      });
    },
    says: `FORK ${OLD}: another history`,
  },
  {
    what: "a past file is emptied and sealed again",
    act: async () => {
      await rewrite(OLD, { commits: [] });
    },
    says: `ROLLBACK ${OLD}: ${AT} records 5 leaves`,
  },
  {
    what: "a past file is removed and a line of removal says so",
    act: async () => {
      await rm(pathOf(OLD));
      await record([prune(log.old)]);
    },
    says: "your rule keeps files 365 days",
  },
  {
    what: "a line of removal names more leaves than were anchored, and a root of its own",
    act: async () => {
      await rm(pathOf(OLD));
      await record([prune({ ...log.old, size: 99, root: log.next.root })]);
    },
    says: "your rule keeps files 365 days",
  },
  {
    what: "a line of removal names fewer leaves than were anchored",
    act: async () => {
      await rm(pathOf(OLD));
      await record([prune({ ...log.old, size: 2 })]);
    },
    says: `it names 2 leaves, and ${AT} records 5`,
  },
  {
    what: "a line of removal names times long ago, so that it seems due",
    act: async () => {
      await rm(pathOf(OLD));
      const old = { from: "2024-01-01T08:00:00.000Z", to: "2024-01-01T09:00:00.000Z" };
      await record([prune(log.old, old)]);
    },
    says: "it is of another day than the file",
  },
  {
    what: "a file is removed and a doctored twin takes its place, with a line of removal",
    act: async () => {
      await rewrite(OLD, { stream: "streamA", commits: [entryLines(3)] });
      await record([prune(log.old)]);
    },
    says: `FORK ${OLD}: another history`,
  },
  {
    what: "a past file is said to be archived, and the archive does not have it",
    act: async () => {
      await rm(pathOf(OLD));
      const { file, size: leaves, root } = log.old;
      const at = "2026-11-23T10:00:00.000Z";
      const copy = { location: "s3://elsewhere/x", sha256: "0".repeat(64) };
      await record([{ type: "retention.archived", file, leaves, root, ...copy, at }]);
      const archive = await temporaryDirectory();
      await writeSegment(archive, { file: "audit_20261101.jsonl", signer });
      return { archive };
    },
    says: `MISSING ${OLD}: it was moved to an archive, and the archive given does not have it`,
  },
  {
    what: "a past file is sealed again under a key that the auditor trusts as well",
    act: async () => {
      await rewrite(OLD, { signer: newer });
      return { trustedKeys: [signer.vkey, newer.vkey] };
    },
    says: `FORK ${OLD}: another history`,
  },
  {
    what: "a past file is sealed again by another stream",
    act: async () => {
      await rewrite(OLD, { stream: "streamZ" });
    },
    says: `FORK ${OLD}: not the segment that ${AT} records`,
  },
  {
    what: "a past file takes the name of another day",
    act: () => rename(pathOf(OLD), pathOf("audit_20261119.jsonl")),
    says: `MISSING ${OLD}: `,
  },
  {
    what: "two past files change names",
    act: async () => {
      await rename(pathOf(OLD), pathOf("x"));
      await rename(pathOf(NEXT), pathOf(OLD));
      await rename(pathOf("x"), pathOf(NEXT));
    },
    says: `TAMPERED ${OLD}: `,
  },
  {
    what: "the whole log is put back from a backup of an earlier day",
    act: async () => {
      await Promise.all([rm(pathOf(NEXT)), rm(pathOf(TODAY))]);
    },
    says: `MISSING ${NEXT}: ${AT} records`,
  },
  {
    what: "the whole log is written anew under the same key",
    act: async () => {
      const old = await rewrite(OLD);
      const next = await rewrite(NEXT, { seq: 1, prev: old });
      await rewrite(TODAY, { stream: "streamB", seen: [old, next], end: "unclosed" });
    },
    says: `FORK ${OLD}: another history`,
  },
  {
    what: "the whole log is wiped, and a new one begins",
    act: async () => {
      await Promise.all([OLD, NEXT, TODAY].map((file) => rm(pathOf(file))));
      await rewrite("audit_20261123_001.jsonl", { stream: "streamC" });
    },
    says: `MISSING ${TODAY}: ${AT} records 4 leaves`,
  },
  {
    what: "a past file is sealed again without any signature",
    act: async () => {
      await rm(pathOf(OLD));
      await writeSegment(log.directory, { file: OLD });
    },
    says: `FORK ${OLD}: not the segment that ${AT} records`,
  },
  {
    what: "a past file is replaced by one of no known format",
    act: () => writeFile(pathOf(OLD), `${entryLine()}\n`),
    says: `FORK ${OLD}: not the segment that`,
  },
  {
    what: "the anchor log is cut too, after an auditor has pinned its checkpoint",
    act: async () => {
      const { anchors } = await log.verify();
      await unlink(join(log.anchor, leafName(1)));
      await rm(pathOf(TODAY));
      return { pins: anchors.flatMap(({ head }) => head ?? []) };
    },
    says: "it has 1 leaf, and a pin records 2",
  },
  {
    what: "a leaf of the anchor log is altered",
    act: async () => {
      const path = join(log.anchor, leafName(1));
      await writeFile(path, (await readFile(path, "utf8")).replace("streamB", "streamX"));
    },
    says: "leaf 1 is not what was written",
  },
  {
    what: "a leaf in the middle of the anchor log is removed",
    act: async () => {
      await log.run();
      await unlink(join(log.anchor, leafName(1)));
    },
    says: "leaf 1 is gone, and a later one is there",
  },
  {
    what: "the anchor log is made anew under a key of the operator",
    act: async () => {
      await rm(log.anchor, { recursive: true });
      const forger = await Signer.generate(anchorer.name);
      await beginAnchor(directoryStore(log.anchor), forger, { now: NOW });
    },
    says: "is not signed by example.com/acme/anchor-1",
  },
];

const HONEST: readonly Row[] = [
  { what: "nothing happens", act: async () => {}, says: `anchored through ${NOW.toISOString()}` },
  {
    what: "the open file grows",
    act: async () => {
      await rm(pathOf(TODAY));
      await cp(join(grown, TODAY), pathOf(TODAY));
    },
    says: "2 entries later",
  },
  {
    what: "another process begins after a restart",
    act: async () => {
      await writeSegment(log.directory, { file: CLEANER, stream: "streamC", signer });
    },
    says: "3 entries later",
  },
  {
    what: "a newer key takes over",
    act: async () => {
      await writeSegment(log.directory, { file: CLEANER, stream: "streamC", signer: newer });
      await log.run({ trustedKeys: [signer.vkey, newer.vkey] });
      return { trustedKeys: [signer.vkey, newer.vkey] };
    },
    says: "0 entries later",
  },
  {
    what: "a file past the anchor's rule is removed on schedule",
    act: async () => {
      const last = await writeSegment(log.directory, {
        file: "audit_20251101.jsonl",
        stream: "old",
        signer,
      });
      await log.run();
      await rm(pathOf(last.file));
      await record([prune(last)]);
      await log.run();
    },
    says: "1 file removed by cron under 'retention 1 day', within your rule",
  },
  {
    what: "a hold is placed",
    act: async () => {
      const span = { from: "2026-11-20T00:00:00.000Z", to: "2026-11-20T23:00:00.000Z" };
      const placed = "2026-11-23T09:00:00.000Z";
      await record([
        {
          type: "retention.hold",
          hold: "H1",
          ...span,
          reason: "lawsuit 12",
          actor: "legal",
          placed,
        },
      ]);
      await log.run();
    },
    says: "1 hold in force",
  },
  {
    what: "the log and its anchor log are copied elsewhere",
    act: async () => {
      const copy = await temporaryDirectory();
      await cp(log.anchor, copy, { recursive: true });
      return { anchors: [{ location: copy, vkey: anchorer.vkey }] };
    },
    says: "0 entries later",
  },
];

/** A directory with today's file after two more entries. */
let grown: string;

async function growToday(): Promise<void> {
  grown = await temporaryDirectory();
  const entries = await entriesOf(TODAY);
  await writeSegment(grown, {
    file: TODAY,
    stream: "streamB",
    signer,
    seen: [log.old, log.next],
    end: "unclosed",
    commits: [entries.slice(0, 2), entries.slice(2), entryLines(2)],
  });
}

describe("an operator with the signing key", () => {
  it.each(ATTACKS)("is found out with exit code 1 when $what", async ({ act, says }) => {
    const options = (await act()) ?? {};
    const result = await log.verify(options);
    expect(textOf(result)).toContain(says);
    expect(result.exitCode).toBe(1);
  });

  it("has at least fifteen ways, and the anchor log none of their alterations", async () => {
    expect(ATTACKS.length).toBeGreaterThanOrEqual(15);
    const before = await readFile(join(log.anchor, leafName(1)), "utf8");
    await cutAtCheckpoint(TODAY);
    const result = await log.run();
    expect(result.leftOut).toEqual([
      { file: TODAY, state: "ROLLBACK", message: "anchored at 4 leaves; 3 are there" },
    ]);
    expect(result.exitCode).toBe(1);
    expect(await readFile(join(log.anchor, leafName(1)), "utf8")).toBe(before);
    expect((await log.verify()).exitCode).toBe(1);
  });
});

describe("an honest log", () => {
  it.each(HONEST)("stays at exit code 0 when $what", async ({ act, says }) => {
    await growToday();
    const options = (await act()) ?? {};
    const result = await log.verify(options);
    expect(textOf(result)).toContain(says);
    expect(result.exitCode).toBe(0);
  });
});

describe("an anchor log that cannot be reached", () => {
  it("leaves the log unanchored, exit code 2", async () => {
    const location = join(log.anchor, "nothing");
    const result = await log.verify({ anchors: [{ location, vkey: anchorer.vkey }] });
    expect(result.verdict).toContain("there is no anchor log");
    expect(result.exitCode).toBe(2);
  });
});
