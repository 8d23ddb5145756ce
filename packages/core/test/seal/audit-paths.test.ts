import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AuditPaths } from "../../src/seal/audit-paths.ts";
import { emptyRoot, leafHash, MerkleTree, rootOf, rootOfInclusion } from "../../src/seal/merkle.ts";

// The eight leaves and some audit paths that Certificate Transparency's implementations share as
// test data.
const LEAVES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map((hex) => leafHash(Buffer.from(hex, "hex")));
const PATHS = [
  { index: 0, size: 1, path: [] },
  {
    index: 0,
    size: 8,
    path: [
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
  },
  {
    index: 5,
    size: 8,
    path: [
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
  },
  { index: 2, size: 3, path: ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"] },
  {
    index: 1,
    size: 5,
    path: [
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
  },
];

describe("audit paths of RFC 6962", () => {
  it.each(PATHS)("are the published ones for leaf $index of $size", ({ index, size, path }) => {
    const paths = new AuditPaths(LEAVES.slice(0, size));
    expect(paths.path(index).map((hash) => hash.toString("hex"))).toEqual(path);
  });

  it("lead from every leaf of every tree to the root, and nowhere else", () => {
    const tree = fc
      .integer({ min: 1, max: 70 })
      .chain((size) =>
        fc.record({ size: fc.constant(size), index: fc.nat(size - 1), other: fc.nat(size - 1) }),
      );
    fc.assert(
      fc.property(tree, ({ size, index, other }) => {
        const leaves = Array.from({ length: size }, (_, number) =>
          leafHash(Buffer.from(String(number))),
        );
        const leaf = leaves[index] ?? emptyRoot();
        const path = new AuditPaths(leaves).path(index);
        const root = rootOf(leaves);
        expect(rootOfInclusion({ leaf, index, size, path })).toEqual(root);
        expect(rootOfInclusion({ leaf, index: other, size, path })?.equals(root) ?? false).toBe(
          other === index,
        );
        expect(rootOfInclusion({ leaf: emptyRoot(), index, size, path })).not.toEqual(root);
        expect(rootOfInclusion({ leaf, index, size, path: [...path, root] })).toBeUndefined();
        const shorter =
          path.length === 0
            ? undefined
            : rootOfInclusion({ leaf, index, size, path: path.slice(1) });
        expect(shorter).not.toEqual(root);
      }),
    );
  });

  it("are the same where all that is known of earlier leaves are the roots of their perfect subtrees", () => {
    const tree = fc
      .integer({ min: 1, max: 70 })
      .chain((size) => fc.record({ size: fc.constant(size), known: fc.nat(size - 1) }));
    fc.assert(
      fc.property(tree, ({ size, known }) => {
        const leaves = Array.from({ length: size }, (_, number) =>
          leafHash(Buffer.from(String(number))),
        );
        const before = new MerkleTree();
        for (const leaf of leaves.slice(0, known)) before.append(leaf);
        const [all, last] = [
          new AuditPaths(leaves),
          new AuditPaths(leaves.slice(known), before.state()),
        ];
        for (let index = known; index < size; index += 1)
          expect(last.path(index)).toEqual(all.path(index));
      }),
    );
  });

  it("are not made of a leaf that is not known", () => {
    const before = { size: 2, subtrees: [leafHash(Buffer.from("both"))] };
    const paths = new AuditPaths(LEAVES.slice(2, 4), before);
    for (const index of [1, 4]) {
      expect(() => paths.path(index)).toThrow(
        new RangeError(`leaf ${index} is not among those given`),
      );
    }
  });
});
