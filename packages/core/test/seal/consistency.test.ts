import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConsistencyProofs, consistencyProof, isConsistent } from "../../src/seal/consistency.ts";
import { leafHash, rootOf } from "../../src/seal/merkle.ts";

/** The leaves of Certificate Transparency's published tests. */
const PUBLISHED = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map((leaf) => leafHash(Buffer.from(leaf, "hex")));

/** Published consistency proofs over them. */
const PROOFS: readonly (readonly [number, number, readonly string[]])[] = [
  [1, 1, []],
  [
    1,
    8,
    [
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
  ],
  [
    6,
    8,
    [
      "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
  ],
  [
    2,
    5,
    [
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
  ],
];

interface Vector {
  readonly old: number;
  readonly size: number;
  readonly old_root: string;
  readonly root: string;
  readonly proof: readonly string[];
}

const vectors: { readonly leaves: readonly string[]; readonly consistency: readonly Vector[] } =
  JSON.parse(readFileSync(new URL("../vectors/segments.json", import.meta.url), "utf8"));

describe("A consistency proof", () => {
  it.each(PROOFS)(
    "from %i to %i of the published tree is the published one",
    (old, size, proof) => {
      const leaves = PUBLISHED.slice(0, size);
      const nodes = consistencyProof(leaves, old);
      expect(nodes.map((node) => node.toString("hex"))).toEqual(proof);
    },
  );

  it.each(vectors.consistency)(
    "from $old to $size is that of another program, and holds",
    (one) => {
      const leaves = vectors.leaves.slice(0, one.size).map((leaf) => leafHash(Buffer.from(leaf)));
      const proof = consistencyProof(leaves, one.old);
      expect(proof.map((node) => node.toString("base64"))).toEqual(one.proof);
      const claim = {
        first: one.old,
        firstRoot: Buffer.from(one.old_root, "base64"),
        second: one.size,
        secondRoot: Buffer.from(one.root, "base64"),
        proof,
      };
      expect(isConsistent(claim)).toBe(true);
    },
  );

  it("of another size, another root or other nodes does not hold", () => {
    const leaves = Array.from({ length: 13 }, (_, index) => leafHash(Buffer.of(index)));
    const other = leafHash(Buffer.from("other"));
    for (let size = 2; size <= leaves.length; size += 1) {
      const tree = leaves.slice(0, size);
      for (let first = 1; first < size; first += 1) {
        const proof = consistencyProof(tree, first);
        const claim = {
          first,
          firstRoot: rootOf(tree.slice(0, first)),
          second: size,
          secondRoot: rootOf(tree),
          proof,
        };
        expect(isConsistent(claim)).toBe(true);
        const wrong = [
          { ...claim, firstRoot: other },
          { ...claim, secondRoot: other },
          { ...claim, proof: proof.slice(1) },
          { ...claim, proof: [...proof, other] },
          ...proof.map((_, index) => ({ ...claim, proof: proof.with(index, other) })),
        ];
        for (const one of wrong) expect(isConsistent(one)).toBe(false);
      }
    }
  });

  it.each([0, -1, 1.5, Number.NaN])("from %d leaves does not hold", (first) => {
    const root = rootOf(PUBLISHED);
    const claim = { first, firstRoot: root, second: 8, secondRoot: root, proof: [] };
    expect(isConsistent(claim)).toBe(false);
  });

  it("is not made from no leaves, nor from more than there are", () => {
    expect(() => consistencyProof(PUBLISHED, 0)).toThrow("no proof from 0 to 8 leaves");
    expect(() => consistencyProof(PUBLISHED, 9)).toThrow("no proof from 9 to 8 leaves");
  });

  it("is the same for a reader that meets each leaf once, from any size to any other", () => {
    const leaves = Array.from({ length: 70 }, (_, at) => leafHash(Buffer.from(`${at}`)));
    const sizes = leaves.map((_, at) => at + 1);
    const proofs = new ConsistencyProofs(sizes);
    for (const leaf of leaves) {
      proofs.append(leaf);
      const { size } = proofs;
      for (const small of sizes.filter((each) => each <= size))
        expect(proofs.proof(small)).toEqual(consistencyProof(leaves.slice(0, size), small));
    }
    const few = new ConsistencyProofs([3, 21]);
    for (const leaf of leaves) few.append(leaf);
    expect(few.proof(21)).toEqual(consistencyProof(leaves, 21));
    expect(() => few.proof(71)).toThrow("no proof from 71 to 70 leaves");
    expect(() => few.proof(5)).toThrow("was not kept");
  });
});
