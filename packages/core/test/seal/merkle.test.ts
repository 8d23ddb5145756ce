import { describe, expect, it } from "vitest";
import {
  emptyRoot,
  leafHash,
  leafHashInPlace,
  MerkleTree,
  rootOfInclusion,
} from "../../src/seal/merkle.ts";

// The eight leaves, roots and audit paths that Certificate Transparency's implementations share as
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
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
describe("the Merkle tree of RFC 6962", () => {
  it.each(ROOTS.map((root, size) => ({ root, size })))(
    "has the published root at $size leaves",
    ({ root, size }) => {
      const tree = new MerkleTree();
      for (const leaf of LEAVES.slice(0, size)) tree.append(leaf);
      expect(tree.root().toString("hex")).toBe(root);
      expect(tree.size).toBe(size);
    },
  );

  it("is the same when leaves are hashed in place, at each size, and its state does not change with it", () => {
    const [hashed, inPlace] = [new MerkleTree(), new MerkleTree()];
    const lines = Buffer.from("\n".repeat(300));
    const states = [];
    for (let size = 0; size < 299; size += 1) {
      states.push({ state: inPlace.state(), copy: structuredClone(inPlace.state()) });
      lines.write(String(size % 10), size + 1);
      hashed.append(leafHash(lines.subarray(size + 1, size + 2)));
      inPlace.appendInPlace(lines, size + 1, size + 2);
      expect(inPlace.root()).toEqual(hashed.root());
      expect(inPlace.state()).toEqual(hashed.state());
    }
    for (const { state, copy } of states) {
      expect(state.subtrees.map((root) => root.toString("hex"))).toEqual(
        copy.subtrees.map((root) => Buffer.from(root).toString("hex")),
      );
    }
  });

  it("has the hash of nothing as the root of no leaves", () => {
    expect(emptyRoot().toString("hex")).toBe(ROOTS[0]);
  });

  it("hashes a leaf in place and leaves the bytes as they were", () => {
    const bytes = Buffer.from("xline\n");
    expect(leafHashInPlace(bytes, 1, 5)).toEqual(leafHash(Buffer.from("line")));
    expect(bytes.toString()).toBe("xline\n");
  });

  it.each([
    { index: -1, size: 1 },
    { index: 1, size: 1 },
    { index: 0.5, size: 1 },
    { index: 0, size: 0 },
    { index: 0, size: Number.MAX_SAFE_INTEGER + 1 },
  ])("has no root for leaf $index of $size", ({ index, size }) => {
    expect(rootOfInclusion({ leaf: emptyRoot(), index, size, path: [] })).toBeUndefined();
  });
});
