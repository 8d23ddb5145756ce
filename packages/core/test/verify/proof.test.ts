import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { checkProof } from "../../src/anchor/check-proof.ts";
import { proveEntry } from "../../src/log/prove-entry.ts";
import { Signer } from "../../src/seal/signer.ts";
import { formatTlogProof, parseTlogProof } from "../../src/seal/tlog-proof.ts";
import { entryLines, idOfLine, writeSegment } from "./log-builder.ts";
import { sharedDirectory, temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const signer = await Signer.generate("bank-prod");
const keyId = signer.vkey.split("+").slice(0, 2).join("+");
const lines = entryLines(30);
const id = idOfLine(lines[17]);
const origin = "bank-prod/streamA/audit_20261123_001";

let directory: string;
let proof: string;

beforeAll(async () => {
  directory = await sharedDirectory();
  await writeSegment(directory, { file: "audit_20261123.jsonl", signer });
  const commits = [lines.slice(0, 16), lines.slice(16, 20), lines.slice(20)];
  await writeSegment(directory, { file: "audit_20261123_001.jsonl", seq: 1, signer, commits });
  proof = (await proveEntry(directory, id)) ?? "";
});

describe("the proof of an entry", () => {
  it("is a C2SP tlog-proof: the line, its index, its path, the first checkpoint that covers it, verbatim", async () => {
    const written = (await readFile(join(directory, "audit_20261123_001.jsonl"), "utf8")).split(
      "\n",
    );
    const { note } = JSON.parse(written[22] ?? "") as { note: string };
    const [header, extra, index, ...rest] = proof.split("\n");
    expect(header).toBe("c2sp.org/tlog-proof@v1");
    expect(extra).toBe(`extra ${Buffer.from(lines[17] ?? "").toString("base64")}`);
    expect(index).toBe("index 18");
    expect(rest.indexOf("")).toBe(4); // 21 leaves are 16, 4 and 1: leaf 18 has two siblings among the 4
    expect(proof.endsWith(`\n\n${note}`)).toBe(true);
  });

  it("holds by itself, given the key", () => {
    const check = checkProof(proof, [signer.vkey]);
    expect(check).toEqual({
      exitCode: 0,
      state: "OK",
      verdict: `OK: ${id} is in ${origin}; sealed by ${keyId}`,
      line: lines[17],
      entryId: id,
      index: 18,
      checkpoint: { origin, size: 21, root: expect.any(String) },
      signedBy: keyId,
      existed: [],
      anchors: [],
    });
  });

  it("exists for every entry of the log", async () => {
    for (const line of lines) {
      const text = (await proveEntry(directory, idOfLine(line))) ?? "";
      expect(checkProof(text, [signer.vkey])).toMatchObject({ exitCode: 0, line });
    }
  });

  it("proves nothing without the key", async () => {
    const other = await Signer.generate("bank-prod");
    for (const keys of [[], [other.vkey]]) {
      expect(checkProof(proof, keys)).toMatchObject({
        exitCode: 2,
        state: "UNKNOWN_KEY",
        verdict: `UNKNOWN_KEY: ${id} is in ${origin}, signed by ${keyId}: no key that was given`,
      });
    }
  });

  it("proves nothing by a key whose name the origin does not begin with", () => {
    const otherName = Signer.fromPem("other", signer.toPem());
    const note = proof.slice(
      proof.lastIndexOf("\n\n", proof.lastIndexOf("—") - 3) + 2,
      proof.lastIndexOf("—"),
    );
    const text = note.slice(0, -1);
    const forged = proof.slice(0, proof.lastIndexOf("—")) + otherName.sign(text);
    expect(checkProof(forged, [otherName.vkey])).toMatchObject({
      exitCode: 2,
      state: "UNKNOWN_KEY",
    });
  });

  it("is UNSIGNED for an unsigned log", async () => {
    const unsigned = await temporaryDirectory();
    await writeSegment(unsigned, { file: "audit_20261123.jsonl", commits: [lines] });
    const text = (await proveEntry(unsigned, id)) ?? "";
    expect(checkProof(text, [signer.vkey])).toMatchObject({
      exitCode: 2,
      state: "UNSIGNED",
      verdict: `UNSIGNED: ${id} is in ai-audit/streamA/audit_20261123, which anybody could have written`,
    });
  });

  it("no longer holds when any byte of it is changed", () => {
    const bytes = Buffer.from(proof);
    fc.assert(
      fc.property(
        fc.nat(bytes.byteLength - 1),
        fc.integer({ min: 1, max: 255 }),
        (offset, mask) => {
          const changed = Buffer.from(bytes);
          changed[offset] = (changed[offset] ?? 0) ^ mask;
          expect(checkProof(changed.toString(), [signer.vkey]).exitCode).not.toBe(0);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("does not hold at another place or for another line", () => {
    const parsed = parseTlogProof(proof);
    if (parsed === undefined) throw new Error("the proof must be one");
    const refuted = {
      exitCode: 1,
      state: "TAMPERED",
      verdict: "TAMPERED: the line is not in the tree at this place",
      existed: [],
      anchors: [],
    };
    expect(checkProof(formatTlogProof({ ...parsed, index: 17 }), [signer.vkey])).toEqual(refuted);
    const extra = Buffer.from(lines[16] ?? "");
    expect(checkProof(formatTlogProof({ ...parsed, extra }), [signer.vkey])).toEqual(refuted);
    expect(checkProof(formatTlogProof({ ...parsed, path: [] }), [signer.vkey])).toEqual(refuted);
  });

  it.each([
    ["", "nothing"],
    ["c2sp.org/tlog-proof@v1\n", "a header alone"],
    ["c2sp.org/tlog-proof@v2\nextra e30=\nindex 0\n\no\n1\nx\n", "another version"],
  ])("is not %j (%s)", (text) => {
    expect(checkProof(text, [])).toEqual({
      exitCode: 3,
      state: "MALFORMED",
      verdict: "NOT VERIFIED: this is not a proof of an entry",
      existed: [],
      anchors: [],
    });
  });

  it("is undefined for an id that the log does not have", async () => {
    expect(await proveEntry(directory, "01981f6c-3a00-7abc-8def-0123456789ab")).toBeUndefined();
  });

  it("is an error for what is no id, for an unsealed entry, and where there is no log", async () => {
    await expect(proveEntry(directory, "1")).rejects.toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: "An entry id has 36 characters: 0-9, a-f and -",
    });
    await expect(proveEntry(join(directory, "nowhere"), id)).rejects.toMatchObject({
      code: "AUDIT_READ_FAILED",
      message: "The log could not be read",
    });
    const foreign = await temporaryDirectory();
    await writeFile(join(foreign, "audit_20240101.jsonl"), `${lines[0]}\n`);
    await expect(proveEntry(foreign, idOfLine(lines[0]))).rejects.toMatchObject({
      code: "AUDIT_READ_FAILED",
      message: `No checkpoint covers entry ${idOfLine(lines[0])}`,
    });
  });
});
