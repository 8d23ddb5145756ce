// What somebody who can write to the directory, and knows this code, may try.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { formatControlLine, type SegmentRef } from "../../src/format/control-line.ts";
import { leafHash, MerkleTree } from "../../src/seal/merkle.ts";
import { formatCheckpoint, formatNote } from "../../src/seal/note.ts";
import { Signer } from "../../src/seal/signer.ts";
import { verifyLog } from "../../src/log/verify-log.ts";
import { entryLine, entryLines, NOW, writeSegment } from "./log-builder.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const YESTERDAY = "audit_20261122.jsonl";
const TODAY = "audit_20261123.jsonl";
const TODAY_1 = "audit_20261123_001.jsonl";
const signer = await Signer.generate("bank-prod");
const trustedKeys = [signer.vkey];
const keyId = signer.vkey.split("+").slice(0, 2).join("+");

let directory: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
});

async function findings(): Promise<Record<string, string[]>> {
  const { files } = await verifyLog(directory, { trustedKeys, now: NOW });
  return Object.fromEntries(
    files.map(({ file, problems }) => [
      file,
      problems.map(({ state, message }) => `${state} ${message}`),
    ]),
  );
}

async function exitCode(): Promise<number> {
  return (await verifyLog(directory, { trustedKeys, now: NOW })).exitCode;
}

/** Replaces a segment by one made of other lines, with all hashes right. */
async function replace(
  file: string,
  commits: readonly string[][],
  by?: Signer,
): Promise<SegmentRef> {
  await rm(join(directory, file));
  return writeSegment(directory, { file, commits, ...(by && { signer: by }) });
}

/**
 * An unsigned segment of any lines whatever, with all hashes right: what an attacker can make
 * without a key.
 */
async function forge(file: string, commits: readonly (readonly string[])[]): Promise<void> {
  const opening = {
    v: 1,
    file,
    stream: "streamA",
    seq: 0,
    created: "c",
    vkey: null,
    prev: null,
    seen: [],
    sdk: "x",
  } as const;
  const tree = new MerkleTree();
  const written: string[] = [];
  for (const [index, commit] of commits.entries()) {
    const lines =
      index === 0 ? [formatControlLine({ type: "segment.open", ...opening }), ...commit] : commit;
    for (const line of lines) tree.append(leafHash(Buffer.from(line)));
    const origin = `ai-audit/streamA/${file.replace(".jsonl", "")}`;
    const text = formatCheckpoint({
      origin,
      size: tree.size,
      root: tree.root().toString("base64"),
    });
    written.push(...lines, formatControlLine({ type: "checkpoint", note: formatNote(text, []) }));
  }
  await writeFile(join(directory, file), written.map((line) => `${line}\n`).join(""));
}

describe("a segment.close line with all hashes right", () => {
  const count = "TAMPERED the segment.close line does not count what is there";
  const unsigned = "UNSIGNED not signed: anybody who can write here can recompute it";

  it.each([
    ["leaves", { leaves: 4, entries: 1 }],
    ["entries", { leaves: 3, entries: 2 }],
  ])("is TAMPERED when it does not count the %s that are there", async (_, counts) => {
    await forge(TODAY, [
      [entryLine()],
      [formatControlLine({ type: "segment.close", reason: "r", ...counts })],
    ]);
    expect(await findings()).toEqual({ [TODAY]: [unsigned, count] });
  });

  it("is TAMPERED when a line follows it under the same checkpoint", async () => {
    await forge(TODAY, [
      [
        entryLine(),
        formatControlLine({ type: "segment.close", reason: "r", leaves: 3, entries: 1 }),
        entryLine(),
      ],
    ]);
    expect(await findings()).toEqual({
      [TODAY]: [unsigned, "TAMPERED a line follows the segment.close line"],
    });
  });

  it("is OK when it counts right, so that the two above fail for their reasons", async () => {
    await forge(TODAY, [
      [entryLine()],
      [formatControlLine({ type: "segment.close", reason: "r", leaves: 3, entries: 1 })],
    ]);
    expect(await findings()).toEqual({ [TODAY]: [unsigned] });
  });
});

describe("a file whose signatures do not verify", () => {
  it("is no evidence against other files", async () => {
    const gone = {
      file: "audit_20261121.jsonl",
      size: 2,
      root: Buffer.alloc(32).toString("base64"),
    };
    await writeSegment(directory, { file: TODAY, signer, seen: [gone] });
    const path = join(directory, TODAY);
    const text = await readFile(path, "utf8");
    // Every signature is replaced by that of another text, under the right name and hash.
    const [, encoded = ""] = signer.sign("another text\n").trimEnd().split("— bank-prod ");
    await writeFile(
      path,
      text.replaceAll(/— bank-prod [A-Za-z0-9+/=]+/g, `— bank-prod ${encoded}`),
    );
    expect(await findings()).toEqual({
      [TODAY]: [`TAMPERED the signature by ${keyId} does not verify (nor do 2 later ones)`],
    });
  });
});

describe("one change is told once", () => {
  it("or a hundred times at most, where a file was made to be reported on", async () => {
    await writeSegment(directory, { file: TODAY, signer });
    const path = join(directory, TODAY);
    const lines = (await readFile(path, "utf8")).split("\n");
    const doubled = lines.toSpliced(3, 0, ...Array.from({ length: 500 }, () => lines[3] ?? ""));
    await writeFile(path, doubled.join("\n"));
    const all = (await findings())[TODAY] ?? [];
    expect(all).toHaveLength(101);
    expect(all[0]).toBe("TAMPERED a checkpoint that covers no new line");
    expect(all[100]).toBe("TAMPERED there is more like this in the file");
  });

  it("where the altered file has no end and others record more of it than can be checked", async () => {
    const ref = await writeSegment(directory, { file: YESTERDAY, signer, end: "unclosed" });
    const more = { ...ref, size: ref.size + 1 };
    await writeSegment(directory, { file: TODAY, stream: "streamB", signer, seen: [more] });
    const path = join(directory, YESTERDAY);
    await writeFile(path, (await readFile(path, "utf8")).replace("France", "Frence"));
    expect((await findings())[YESTERDAY]).toEqual([
      expect.stringMatching(/^TAMPERED the entry's input does not/),
    ]);
  });
});

describe("a rewritten entry with recomputed hashes", () => {
  it.each(["prev", "seen"])(
    "in an unsigned log is a FORK of what a later file's %s records",
    async (link) => {
      const lines = entryLines(3);
      const ref = await writeSegment(directory, { file: YESTERDAY, commits: [lines] });
      const links = link === "prev" ? { prev: ref, seq: 1 } : { seen: [ref], stream: "streamB" };
      await writeSegment(directory, { file: TODAY, ...links });
      const [first = "", second = "", third = ""] = lines;
      await replace(YESTERDAY, [[first, second.replace("France", "Norway"), third]]);
      expect((await findings())[YESTERDAY]).toEqual([
        "UNSIGNED not signed: anybody who can write here can recompute it",
        `FORK another history: not what ${TODAY} records at 5 leaves`,
      ]);
      expect(await exitCode()).toBe(1);
    },
  );

  it("signed by another key is of an UNKNOWN_KEY, and a FORK where something records it", async () => {
    const other = await Signer.generate("bank-prod");
    const ref = await writeSegment(directory, { file: YESTERDAY, signer });
    await replace(YESTERDAY, [entryLines(3)], other);
    expect(await exitCode()).toBe(2);
    await writeSegment(directory, { file: TODAY, signer, seq: 1, prev: ref });
    expect((await findings())[YESTERDAY]?.map((finding) => finding.split(" ")[0])).toEqual([
      "UNKNOWN_KEY",
      "FORK",
    ]);
  });

  it("under the trusted key's name and hash, but signed by another key, is TAMPERED", async () => {
    const other = await Signer.generate("bank-prod");
    await writeSegment(directory, { file: TODAY, signer: other });
    const path = join(directory, TODAY);
    // The attacker claims the trusted key in the first line, recomputes every root, and signs with
    // what they have.
    const claimed = Object.create(other) as Signer;
    Object.defineProperty(claimed, "vkey", { value: signer.vkey });
    Object.defineProperty(claimed, "name", { value: signer.name });
    const keyHash = Buffer.from(signer.vkey.split("+")[1] ?? "", "hex");
    Object.defineProperty(claimed, "sign", {
      value: (text: string) => {
        const [, name, encoded] = other.sign(text).trimEnd().split(" ");
        const signature = Buffer.from(encoded ?? "", "base64").subarray(4);
        return `— ${name} ${Buffer.concat([keyHash, signature]).toString("base64")}\n`;
      },
    });
    await rm(path);
    await writeSegment(directory, { file: TODAY, signer: claimed });
    expect(await findings()).toEqual({
      [TODAY]: [`TAMPERED the signature by ${keyId} does not verify (nor do 2 later ones)`],
    });
  });
});

describe("stripped signatures", () => {
  it("are TAMPERED where the first line names a key", async () => {
    await writeSegment(directory, { file: TODAY, signer });
    const path = join(directory, TODAY);
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replaceAll(/— bank-prod [^"]*"/g, '"'));
    expect(await findings()).toEqual({
      [TODAY]: ["TAMPERED the signature was removed; nothing after it can be checked"],
    });
  });

  it("are UNSIGNED, never proven, where the whole file was made anew without a key", async () => {
    await writeSegment(directory, { file: TODAY });
    expect(await exitCode()).toBe(2);
  });
});

describe("whole files", () => {
  it("of another directory, signed by the same key, are found by what they record", async () => {
    const elsewhere = await temporaryDirectory();
    const prev = await writeSegment(elsewhere, { file: YESTERDAY, signer, stream: "streamE" });
    await writeSegment(directory, { file: TODAY, signer });
    await writeSegment(directory, { file: TODAY_1, stream: "streamE", seq: 1, signer, prev });
    const result = await verifyLog(directory, { trustedKeys, now: NOW });
    expect(result.files.map(({ file, state }) => [file, state])).toEqual([
      [YESTERDAY, "MISSING"],
      [TODAY, "OK"],
      [TODAY_1, "OK"],
    ]);
  });

  it("put in the place of another of the same name are a FORK", async () => {
    const ref = await writeSegment(directory, { file: YESTERDAY, signer });
    await writeSegment(directory, { file: TODAY, seq: 1, signer, prev: ref });
    await rm(join(directory, YESTERDAY));
    await writeSegment(directory, { file: YESTERDAY, stream: "streamE", signer });
    expect((await findings())[YESTERDAY]).toEqual([
      `FORK another history: not what ${TODAY} records at 5 leaves`,
    ]);
  });

  it("that are foreign now and were segments are a FORK", async () => {
    const ref = await writeSegment(directory, { file: YESTERDAY, signer });
    await writeSegment(directory, { file: TODAY, seq: 1, signer, prev: ref });
    await writeFile(join(directory, YESTERDAY), `${entryLine()}\n`);
    expect((await findings())[YESTERDAY]).toEqual([
      "FOREIGN not written by this library: read, but nothing vouches for it",
      `FORK not the segment that ${TODAY} records`,
    ]);
  });

  it("cut back to an earlier checkpoint are a ROLLBACK", async () => {
    const ref = await writeSegment(directory, { file: YESTERDAY, signer, end: "unclosed" });
    await writeSegment(directory, { file: TODAY, seq: 1, signer, prev: ref });
    const lines = (await readFile(join(directory, YESTERDAY), "utf8")).split("\n");
    await writeFile(join(directory, YESTERDAY), `${lines.slice(0, 4).join("\n")}\n`);
    expect((await findings())[YESTERDAY]?.[0]).toBe(
      `ROLLBACK ${TODAY} records 4 leaves; 3 are there`,
    );
  });

  it("with the same place in the same stream are a FORK, both", async () => {
    await writeSegment(directory, { file: TODAY, signer });
    await writeSegment(directory, { file: TODAY_1, signer });
    expect(await findings()).toEqual({
      [TODAY]: [`FORK ${TODAY_1} has the same place, 0, in the same stream`],
      [TODAY_1]: [`FORK ${TODAY} has the same place, 0, in the same stream`],
    });
  });

  it("that lie about a file signed by a trusted key are blamed themselves", async () => {
    const ref = await writeSegment(directory, { file: TODAY, signer });
    const lie = { ...ref, root: Buffer.alloc(32).toString("base64") };
    await writeSegment(directory, { file: TODAY_1, stream: "planted", seen: [lie] });
    const { files } = await verifyLog(directory, { trustedKeys, now: NOW });
    expect(files.map(({ state }) => state)).toEqual(["OK", "FORK"]);
    expect(files[1]?.problems[1]?.message).toBe(
      `its record of ${TODAY} is wrong, and ${TODAY} is signed by a trusted key`,
    );
  });
});
