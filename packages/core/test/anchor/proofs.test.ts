// Proofs of entries that carry an anchor log's: an entry is shown to have existed by a time,
// offline.
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatAnchoredProof, splitAnchoredProof } from "../../src/anchor/anchored-proof.ts";
import { checkProof, type ProofCheckOptions } from "../../src/anchor/check-proof.ts";
import { timeStampSink } from "../../src/anchor/time-stamp.ts";
import { witnessSink } from "../../src/anchor/witness.ts";
import { proveEntries, proveEntry } from "../../src/log/prove-entry.ts";
import { Signer } from "../../src/seal/signer.ts";
import { AnchoredLog, anchorer, CLEANER, signer } from "./anchored-log.ts";
import { startAuthority, startWitness } from "@ai-audit/test-support/anchor-parties";
import { idOfLine, writeSegment } from "../verify/log-builder.ts";

/** The ids of a segment's entries, in their order. */
async function idsIn(directory: string, file: string): Promise<string[]> {
  const lines = (await readFile(join(directory, file), "utf8")).split("\n");
  return lines.filter((line) => line.startsWith('{"id":')).map(idOfLine);
}

const other = await Signer.generate("example.com/other/anchor-2");

/** The proof of the oldest entry of a log, whose first run nobody confirms. */
async function anchoredProof() {
  const witness = await startWitness("witness-w", anchorer);
  const tsa = await startAuthority();
  const log = await AnchoredLog.make();
  const [id = ""] = await idsIn(log.directory, log.old.file);
  await log.run();
  await writeSegment(log.directory, { file: CLEANER, stream: "c", signer });
  const sinks = [witnessSink(witness), timeStampSink({ url: tsa.url, everyMs: 0 })];
  await log.run({ sinks });
  await log.run({ sinks }); // later confirmations show nothing earlier
  const access = { anchor: { location: log.anchor, vkey: anchorer.vkey } };
  const text = (await proveEntry(log.directory, id, access)) ?? "";
  return { log, id, text, access, witness: witness.vkey, tsa: tsa.certificates };
}

describe.skipIf(isLeftOut("cryptography"))("the proof of an anchored entry", () => {
  it("says by when it existed and who says so, from its text alone", async () => {
    const { id, text, witness, tsa } = await anchoredProof();
    const anchorKeys = [anchorer.vkey];
    const witnesses = [witness];
    const rows: readonly [string, ProofCheckOptions, number, RegExp][] = [
      ["no key", {}, 0, /: OK: .*; anchored in .*, of which no key was given$/],
      [
        "the anchor's key",
        { anchorKeys },
        0,
        /: OK: .*; anchored at \S+Z, by the anchorer's own clock$/,
      ],
      ["another anchor's", { anchorKeys: [other.vkey], witnesses }, 2, /: UNANCHORED: /],
      ["the witness' alone", { witnesses }, 0, /: OK: .*; existed by \S+Z, says witness-w$/],
      ["the authority's alone", { tsa }, 0, /: OK: .*; existed by \S+Z, says tsa-a$/],
      [
        "one of two parties",
        { tsa, quorum: 2 },
        2,
        /: UNANCHORED: .*; existed by \S+Z, says tsa-a$/,
      ],
      ["all", { anchorKeys, witnesses, tsa, quorum: 2 }, 0, /: OK: .*existed by .*; existed by /],
    ];
    for (const [keys, options, exitCode, verdict] of rows) {
      const check = checkProof(text, [signer.vkey], options);
      const found = `${keys}: ${check.verdict}`;
      expect(found).toMatch(verdict);
      expect(check).toMatchObject({ exitCode, entryId: id, anchors: [anchorer.name] });
    }
    const all = checkProof(text, [signer.vkey], { witnesses, tsa });
    expect(all.existed.map(({ party }) => party).toSorted()).toEqual(["tsa-a", "witness-w"]);
    const plain = checkProof(text.split(/^(?=c2sp)/m)[0] ?? "", [signer.vkey], { witnesses });
    expect(plain).toMatchObject({ exitCode: 2, state: "UNANCHORED", existed: [] });
  });

  it("of which any line was altered proves nothing else", async () => {
    const { id, text, witness, tsa } = await anchoredProof();
    const options = { witnesses: [witness], tsa, quorum: 2 };
    const { existed } = checkProof(text, [signer.vkey], options);
    const lines = text.split("\n");
    const unchanged: object[] = [];
    const refuted = lines.filter((line, at) => {
      const last = /[A-Za-z0-9](?=[^A-Za-z0-9]*$)/;
      const changed = line.replace(last, (one) => (one === "A" ? "B" : "A"));
      const check = checkProof(lines.with(at, changed).join("\n"), [signer.vkey], options);
      // Certificates inside a token, and the anchor's signature without its key, vouch for nothing.
      if (check.exitCode === 0) unchanged.push({ entryId: check.entryId, existed: check.existed });
      return check.exitCode !== 0;
    });
    expect(unchanged).toEqual(unchanged.map(() => ({ entryId: id, existed })));
    expect(refuted.length).toBeGreaterThan(30);
  });

  it("leads to the earliest anchored state, and vouches for no other", async () => {
    const { log, text, access } = await anchoredProof();
    const [later = ""] = await idsIn(log.directory, CLEANER);
    const theirs = (await proveEntry(log.directory, later)) ?? "";
    const [, ...foreign] = text.split(/^(?=c2sp)/m);
    const check = checkProof(theirs + foreign.join(""), [signer.vkey]);
    expect(check).toMatchObject({ exitCode: 1, state: "TAMPERED" });
    expect(check.verdict).toContain(`the state is not in the leaf of ${anchorer.name}`);
    const old = await idsIn(log.directory, log.old.file);
    const ids = [...old, ...(await idsIn(log.directory, CLEANER))];
    await writeSegment(log.directory, { file: "audit_20261123_051.jsonl", stream: "d", signer });
    const [newest = ""] = await idsIn(log.directory, "audit_20261123_051.jsonl");
    const found = await Array.fromAsync(proveEntries(log.directory, [...ids, newest], access));
    for (const one of found) {
      if (one.proof === undefined) throw new Error(one.reason);
      const { parts } = splitAnchoredProof(formatAnchoredProof(one.proof, one.anchors));
      expect(parts.map((part) => part?.proof.index)).toEqual(
        one.id === newest ? [] : ids.indexOf(one.id) < old.length ? [1, 1] : [2, 2],
      );
      expect(checkProof(one.proof, [signer.vkey])).toMatchObject({ exitCode: 0 });
    }
  });
});
