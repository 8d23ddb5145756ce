// The bytes of an anchor log, against vectors that were computed from docs/anchoring.md alone.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { AnchorLog } from "../../src/anchor/anchor-log.ts";
import { AnchoredStates } from "../../src/anchor/anchored-states.ts";
import { beginAnchor } from "../../src/anchor/anchorer.ts";
import { readAnchorEvidence } from "../../src/anchor/read-evidence.ts";
import { runRecord } from "../../src/anchor/record.ts";
import { directoryStore } from "../../src/anchor/store.ts";
import { parseWitnessKey } from "../../src/anchor/witness.ts";
import type { Checkpoint } from "../../src/seal/note.ts";
import { Signer } from "../../src/seal/signer.ts";

interface Vectors {
  readonly name: string;
  readonly pem: string;
  readonly vkey: string;
  readonly witness: string;
  readonly witness_time: number;
  readonly runs: readonly {
    readonly at: string;
    readonly states: readonly Checkpoint[];
    readonly unconfirmed: readonly string[];
  }[];
  /** The way from the second state of the first run to the checkpoint with the cosignature. */
  readonly part: string;
  readonly files: Readonly<Record<string, string>>;
}

const vectors: Vectors = JSON.parse(
  await readFile(new URL("../vectors/anchor.json", import.meta.url), "utf8"),
);

/** The one state that a later run replaces. */
function isEarlier({ origin, size }: Checkpoint): boolean {
  return origin === "acme/0198a/audit_20261130" && size === 5;
}

describe("an anchor log", () => {
  it("is written byte for byte as the vectors have it", async () => {
    const store = directoryStore(await temporaryDirectory());
    const signer = Signer.fromPem(vectors.name, vectors.pem);
    expect(signer.vkey).toBe(vectors.vkey);
    await beginAnchor(store, signer, {
      retentionDays: 365,
      now: new Date("2026-11-30T12:00:00.000Z"),
    });
    const log = await AnchorLog.read(store, signer.vkey);
    for (const { at, states, unconfirmed } of vectors.runs)
      expect(await log.append(runRecord(new Date(at), states, unconfirmed), signer)).toBe(true);
    const leaves = Object.entries(vectors.files).filter(([name]) => name.startsWith("leaf_"));
    for (const [name, text] of leaves) expect((await store.read(name))?.toString()).toBe(text);
  });

  it("is read as the vectors have it, with the time of the cosignature", async () => {
    const directory = join(await temporaryDirectory(), "anchor");
    await mkdir(directory);
    for (const [name, text] of Object.entries(vectors.files))
      await writeFile(join(directory, name), text);
    const evidence = await readAnchorEvidence(directoryStore(directory), {
      vkey: vectors.vkey,
      witnesses: [parseWitnessKey(vectors.witness)],
      authorities: [],
      quorum: 1,
      pins: [],
    });
    const log = await AnchorLog.read(directoryStore(directory), vectors.vkey);
    const [, second] = log.records[1]?.states ?? [];
    if (second === undefined) throw new Error("the vectors have states");
    expect(await new AnchoredStates(log).partsOf(second)).toEqual([{ proof: vectors.part }]);
    expect(evidence.problems).toEqual([]);
    expect(evidence.rules).toEqual([{ days: 365 }]);
    expect(evidence.report).toMatchObject({
      leaves: 4,
      by: ["witness.example.com"],
      through: new Date(vectors.witness_time * 1000).toISOString(),
    });
    const by = expect.stringMatching(/^the anchor of 2026-11-30T12:0\d:00\.000Z$/);
    expect(evidence.states).toEqual(
      vectors.runs.flatMap(({ states }) =>
        states.map((state) => ({ ...state, by, isEarlier: isEarlier(state) })),
      ),
    );
  });
});
