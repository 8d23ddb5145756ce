import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { directorySource, type LogSource } from "../../src/verify/log-source.ts";
import { checkProof } from "../../src/anchor/check-proof.ts";
import { type EntryProof, proveEntriesIn } from "../../src/verify/prove.ts";
import { Signer } from "../../src/seal/signer.ts";
import { proveEntries, proveEntry } from "../../src/log/prove-entry.ts";
import { sharedDirectory, temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { entryLines, idOfLine, writeSegment } from "./log-builder.ts";

const signer = await Signer.generate("bank-prod");
const first = entryLines(40);
const second = entryLines(10);
const foreign = entryLines(1);
const idsOf = (lines: readonly string[]): string[] => lines.map(idOfLine);
const NO_ID = "01981f6c-3a00-7abc-8def-0123456789ab";

let directory: string;

beforeAll(async () => {
  directory = await sharedDirectory();
  const commits = [first.slice(0, 1), first.slice(1, 20), first.slice(20)];
  await writeSegment(directory, { file: "audit_20261123.jsonl", signer, commits });
  await writeSegment(directory, {
    file: "audit_20261123_001.jsonl",
    stream: "streamB",
    commits: [second],
  });
  await writeFile(join(directory, "audit_20261123_002.jsonl"), `${foreign[0]}\n`);
  await writeSegment(directory, { file: "audit_20261120.jsonl", signer });
});

/** The directory, and which of its files were read. */
function countingSource(path: string): { readonly source: LogSource; readonly read: string[] } {
  const source = directorySource(path);
  const read: string[] = [];
  return {
    read,
    source: {
      ...source,
      read: (file) => {
        read.push(file);
        return source.read(file);
      },
    },
  };
}

async function* idsLater(): AsyncGenerator<string, void, void> {
  yield* idsOf(second);
}

describe("the proofs of many entries", () => {
  it("are those that each entry has alone, in the order of the files", async () => {
    const wanted = [...second, ...first].map(idOfLine);
    const proofs = await Array.fromAsync(proveEntries(directory, wanted));
    expect(proofs.map(({ id }) => id)).toEqual([...first, ...second].map(idOfLine));
    for (const { id, proof } of proofs) expect(proof).toBe(await proveEntry(directory, id));
  });

  it("hold under the log's key, also where only some entries of a commit are wanted", async () => {
    const wanted = [first[0], first[7], first[19], first[20], first[39]].map(idOfLine);
    const proofs = await Array.fromAsync(proveEntries(directory, wanted));
    for (const { proof = "", id } of proofs) {
      expect(checkProof(proof, [signer.vkey])).toMatchObject({ exitCode: 0, entryId: id });
    }
    expect(proofs).toHaveLength(5);
  });

  it("come with the key that the segment names", async () => {
    const [signed, unsigned] = await Array.fromAsync(
      proveEntries(directory, [idOfLine(first[3]), idOfLine(second[3])]),
    );
    expect(signed).toMatchObject({ vkey: signer.vkey });
    expect(unsigned).toMatchObject({ vkey: null });
  });

  it("are followed by what could not be proven, with the reason", async () => {
    const wanted = [NO_ID, idOfLine(foreign[0]), idOfLine(first[1]), "no id at all"];
    const [proven, ...unproven] = await Array.fromAsync(proveEntries(directory, wanted));
    expect(proven).toMatchObject({ id: idOfLine(first[1]) });
    expect(unproven).toEqual<EntryProof[]>([
      { id: idOfLine(foreign[0]), proof: undefined, reason: "no checkpoint covers it" },
      { id: NO_ID, proof: undefined, reason: "no such entry" },
      { id: "no id at all", proof: undefined, reason: "no such entry" },
    ]);
  });

  it("are found in one pass over each file, and in no file of another day", async () => {
    const { source, read } = countingSource(directory);
    const proofs = await Array.fromAsync(
      proveEntriesIn(source, idsOf([...first, ...second, ...foreign])),
    );
    expect(proofs).toHaveLength(51);
    expect(read).toEqual([
      "audit_20261123.jsonl",
      "audit_20261123_001.jsonl",
      "audit_20261123_002.jsonl",
    ]);
  });

  it("are searched for in files of other days where an id is nowhere else", async () => {
    const moved = await temporaryDirectory();
    await writeSegment(moved, {
      file: "audit_20250101.jsonl",
      signer,
      commits: [first],
      isOfAnyDay: true,
    });
    await writeSegment(moved, { file: "audit_20261123.jsonl", signer, commits: [second] });
    const proofs = await Array.fromAsync(proveEntries(moved, [idOfLine(first[5])]));
    expect(proofs.map(({ proof }) => checkProof(proof ?? "", [signer.vkey]).exitCode)).toEqual([0]);
  });

  it("are of the sealed line where an unsealed copy comes before it", async () => {
    const planted = await temporaryDirectory();
    await writeFile(join(planted, "audit_20261123.jsonl"), `${first[5]}\n`);
    await writeSegment(planted, { file: "audit_20261123_001.jsonl", signer, commits: [first] });
    const [found] = await Array.fromAsync(proveEntries(planted, [idOfLine(first[5])]));
    expect(checkProof(found?.proof ?? "", [signer.vkey])).toMatchObject({
      exitCode: 0,
      line: first[5],
    });
  });

  it("leave out what stands behind the last checkpoint, and refute what was altered", async () => {
    const torn = await temporaryDirectory();
    const file = join(torn, "audit_20261123.jsonl");
    await writeSegment(torn, {
      file: "audit_20261123.jsonl",
      signer,
      commits: [first],
      end: "unclosed",
    });
    await writeFile(
      file,
      (await readFile(file, "utf8")).replace("What is the capital", "What was the capital"),
    );
    await appendFile(file, `${second[0]}\n`);
    const [altered, behind] = await Array.fromAsync(
      proveEntries(torn, [idOfLine(first[0]), idOfLine(second[0])]),
    );
    expect(checkProof(altered?.proof ?? "", [signer.vkey])).toMatchObject({
      exitCode: 1,
      state: "TAMPERED",
    });
    expect(behind).toMatchObject({ id: idOfLine(second[0]), reason: "no checkpoint covers it" });
  });

  it("take ids as they come, and reject where there is no log", async () => {
    expect(await Array.fromAsync(proveEntries(directory, idsLater()))).toHaveLength(10);
    const nowhere = Array.fromAsync(proveEntries(join(directory, "nowhere"), [NO_ID]));
    await expect(nowhere).rejects.toMatchObject({
      code: "AUDIT_READ_FAILED",
      message: "The log could not be read",
    });
  });
});
