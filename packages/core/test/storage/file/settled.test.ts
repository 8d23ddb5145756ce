import { copyFile, mkdir, readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { FileStorage, Signer, verifyLog } from "../../../src/index.ts";
import type { SegmentOpen, SegmentRef } from "../../../src/format/control-line.ts";
import { readFirstLine } from "../../../src/format/read-control-line.ts";
import { Actor } from "../../../src/retention/trust.ts";
import { Directory } from "../../../src/storage/file/directory.ts";
import {
  FIRST_LOOKS,
  type LatestStates,
  latestStates,
} from "../../../src/storage/file/witnessed.ts";
import { testEntry } from "../../../src/testing.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { entryLines, writeSegment } from "../../verify/log-builder.ts";

const DAY = "20261121";
const signer = await Signer.generate("example.com/audit");

function name(number: number, day: string = DAY): string {
  return number === 0
    ? `audit_${day}.jsonl`
    : `audit_${day}_${String(number).padStart(3, "0")}.jsonl`;
}

/** The first line's states and lists of a segment that a new process begins here. */
async function firstLine(path: string, own: string, isFirst = true): Promise<LatestStates> {
  const directory = new Directory(path, new Actor(signer.vkey));
  return latestStates(directory, "new", own, await directory.listSince(DAY), { isFirst });
}

/** Segments of processes that end at once, each of which seals what its own look found. */
async function writeShortLived(path: string, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number += 1) {
    const { states, settled } = await firstLine(path, name(number));
    const commits = [entryLines(1)];
    const stream = `stream${number}`;
    await writeSegment(path, {
      file: name(number),
      stream,
      signer,
      commits,
      seen: states,
      settled,
    });
  }
}

describe("files that ended and are on record", () => {
  it("are not looked at again", async () => {
    const path = await temporaryDirectory();
    await writeShortLived(path, 0, 20);
    const directory = new Directory(path, new Actor(signer.vkey));
    const look = vi.spyOn(directory, "look");
    const listed = await directory.listSince(DAY);
    const { states, settled } = await latestStates(directory, "new", name(21), listed);
    expect(new Set(look.mock.calls.map(([file]) => file))).toEqual(new Set([name(20), name(0)]));
    expect(states).toMatchObject([{ file: name(20) }]);
    expect(settled).toMatchObject([{ day: DAY, numbers: "0-20", state: { file: name(0) } }]);
  });

  it("are those of real writers too, whose log verifies", async () => {
    const path = await temporaryDirectory();
    for (let process = 0; process < 5; process += 1) {
      const storage = new FileStorage({ path, signer });
      const { line, id } = testEntry(Date.now());
      await storage.append(line, id);
      await storage.close();
    }
    const files = (await readdir(path)).toSorted();
    expect((await openOf(path, files.at(-1) ?? "")).settled).toMatchObject([{ numbers: "0-3" }]);
    expect((await openOf(path, files.at(-1) ?? "")).seen).toHaveLength(1);
    expect(await verifyLog(path, { trustedKeys: [signer.vkey] })).toMatchObject({ exitCode: 0 });
  });

  it("are not those that may still grow: their growth is recorded", async () => {
    const path = await temporaryDirectory();
    const commits = [entryLines(1)];
    await writeSegment(path, { file: name(0), stream: "server", signer, commits, end: "unclosed" });
    await writeShortLived(path, 1, 5);
    expect(await firstLine(path, name(6))).toMatchObject({
      states: [{ file: name(5) }, { file: name(0) }], // the server's state moves on
      settled: [{ numbers: "1-5" }],
    });
    const grown = await temporaryDirectory();
    await writeSegment(grown, { file: name(0), stream: "server", signer, end: "unclosed" });
    for (let number = 1; number <= 5; number += 1)
      await copyFile(join(path, name(number)), join(grown, name(number)));
    expect((await firstLine(grown, name(6))).states).toMatchObject([
      { file: name(0) },
      { file: name(5) },
    ]);
  });

  it("are confirmed on the next day where they have no end, and then settled", async () => {
    const path = await temporaryDirectory();
    const commits = [entryLines(1)];
    await writeShortLived(path, 0, 1);
    await writeSegment(path, {
      file: name(2),
      stream: "crashed",
      signer,
      commits,
      end: "unclosed",
    });
    await writeShortLived(path, 3, 4);
    const next = "20261122";
    const { states, settled } = await firstLine(path, name(0, next));
    expect(states).toMatchObject([{ file: name(2) }, { file: name(4) }]);
    await writeSegment(path, {
      file: name(0, next),
      stream: "next",
      signer,
      commits,
      seen: states,
      settled,
    });
    const later = await firstLine(path, name(1, next));
    expect(later.states).toMatchObject([{ file: name(0, next) }]);
    expect(later.settled).toMatchObject([{ day: DAY, numbers: "0-4" }, { day: next }]);
  });
});

describe("a list of settled files", () => {
  it.each<{
    title: string;
    plant: (
      path: string,
      list: { day: string; numbers: string; state: SegmentRef },
    ) => Promise<void>;
  }>([
    {
      title: "under another key",
      plant: async (path, list) => {
        const other = await Signer.generate("example.com/audit");
        await writeSegment(path, { file: name(9), stream: "x", signer: other, settled: [list] });
      },
    },
    {
      title: "under no key",
      plant: async (path, list) =>
        void (await writeSegment(path, { file: name(9), stream: "x", settled: [list] })),
    },
    {
      title: "of another directory under the same key",
      plant: async (path) => {
        const other = await temporaryDirectory();
        await writeShortLived(other, 0, 9);
        await copyFile(join(other, name(8)), join(path, name(8)));
        await copyFile(join(other, name(9)), join(path, name(9)));
      },
    },
    {
      title: "with the state that another directory has at its beginning",
      plant: async (path, list) => {
        const state = { ...list.state, root: Buffer.alloc(32, 1).toString("base64") };
        const settled = [{ ...list, state }];
        await writeSegment(path, { file: name(9), stream: "x", signer, settled });
      },
    },
  ])("$title keeps no file off the record", async ({ plant }) => {
    const path = await temporaryDirectory();
    const state = await writeSegment(path, { file: name(0), stream: "first", signer });
    await writeSegment(path, { file: name(1), stream: "second", signer, end: "unclosed" });
    await plant(path, { day: DAY, numbers: "0-8", state });
    const { states } = await firstLine(path, name(10));
    expect(states.map(({ file }) => file)).toEqual(expect.arrayContaining([name(0), name(1)]));
  });

  it("that is taken away costs reading, and no record", async () => {
    const path = await temporaryDirectory();
    await writeShortLived(path, 0, 6);
    const bare = await temporaryDirectory();
    for (const file of (await readdir(path)).toSorted().slice(0, 2))
      await copyFile(join(path, file), join(bare, file));
    expect((await firstLine(bare, name(2))).states).toMatchObject([{ file: name(1) }]);
  });
});

describe("a directory with more files than a first entry can wait for", () => {
  it("is looked at as far as its newest files, and whole soon after the entry", async () => {
    const path = await temporaryDirectory();
    const day = new Date().toISOString().slice(0, 10).replaceAll("-", "");
    const count = FIRST_LOOKS + 40;
    for (let number = 0; number < count; number += 1) {
      const commits = [entryLines(1)];
      await writeSegment(path, { file: name(number, day), stream: `s${number}`, signer, commits });
    }
    await mkdir(join(path, name(count, day))); // of that name, and no file
    const storage = new FileStorage({ path, signer });
    const { line, id } = testEntry(Date.now());
    await storage.append(line, id);
    const own = name(count + 1, day);
    const open = await openOf(path, own);
    expect(open.seen).toHaveLength(FIRST_LOOKS - 1); // one look found no file
    expect(open.seen.at(-1)).toMatchObject({ file: name(count - 1, day) });
    await expect
      .poll(async () => (await readdir(path)).includes(name(count + 2, day)), { timeout: 10_000 })
      .toBe(true);
    await storage.close();
    const next = await openOf(path, name(count + 2, day));
    expect(new Set([...open.seen, ...next.seen].map(({ file }) => file)).size).toBe(count);
    expect(next.settled).toMatchObject([{ numbers: `0-${count - 1}` }]);
    await rmdir(join(path, name(count, day)));
    const verification = await verifyLog(path, { trustedKeys: [signer.vkey] });
    expect(verification).toMatchObject({ verdict: expect.stringMatching(/^OK: /), exitCode: 0 });
  });
});

async function openOf(path: string, file: string): Promise<SegmentOpen> {
  const [line = ""] = (await readFile(join(path, file), "utf8")).split("\n", 1);
  const first = readFirstLine(line);
  if (first.kind !== "segment") throw new Error(`${file} is ${first.kind}`);
  return first.open;
}
