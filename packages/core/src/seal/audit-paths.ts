// Audit paths from the end of a tree, for a reader that meets leaves in order and cannot keep all
// of them.
import { leftLeavesOf, nodeHash, type TreeState } from "./merkle.ts";

/**
 * Audit paths of the last leaves of a tree (RFC 6962, 2.1.1). Of the leaves before them it needs
 * the roots of their perfect subtrees alone, so memory grows with the leaves given and not with the
 * tree. Each node is hashed once for any number of paths.
 */
export class AuditPaths {
  readonly #firstLeaf: number;
  readonly #size: number;
  readonly #leaves: readonly Buffer[];
  /** Roots of ranges `from-to` of leaves. */
  readonly #roots = new Map<string, Buffer>();

  /** `leaves`: hashes of the last leaves. `before`: the tree of all leaves before them. */
  constructor(leaves: readonly Buffer[], before: TreeState = { size: 0, subtrees: [] }) {
    this.#firstLeaf = before.size;
    this.#size = before.size + leaves.length;
    this.#leaves = leaves;
    let from = 0;
    for (const root of before.subtrees) {
      const to = from + largestPowerOfTwoUpTo(before.size - from);
      this.#roots.set(`${from}-${to}`, root);
      from = to;
    }
  }

  /**
   * From the leaf's sibling up to the root's child; empty for a tree of one leaf.
   * @param size Leaves of the tree, where an earlier one is meant.
   * @throws {RangeError} when `index` is not that of one of the leaves given
   */
  path(index: number, size: number = this.#size): Buffer[] {
    if (index < this.#firstLeaf || index >= size || size > this.#size)
      throw new RangeError(`leaf ${index} is not among those given`);
    const path: Buffer[] = [];
    let from = 0;
    let to = size;
    while (to - from > 1) {
      const middle = middleOf(from, to);
      if (index < middle) {
        path.push(this.#rootOf(middle, to));
        to = middle;
      } else {
        path.push(this.#rootOf(from, middle));
        from = middle;
      }
    }
    return path.toReversed();
  }

  /** The root of a node. Nodes below a perfect subtree before the leaves given are never needed. */
  #rootOf(from: number, to: number): Buffer {
    const range = `${from}-${to}`;
    const known =
      this.#roots.get(range) ??
      (to - from === 1 ? this.#leaves[from - this.#firstLeaf] : undefined);
    if (known !== undefined) return known;
    if (to - from < 2) throw new RangeError(`leaf ${from} is not among those given`);
    const middle = middleOf(from, to);
    const root = nodeHash(this.#rootOf(from, middle), this.#rootOf(middle, to));
    this.#roots.set(range, root);
    return root;
  }
}

/** The first leaf of a node's right child. */
function middleOf(from: number, to: number): number {
  return from + leftLeavesOf(to - from);
}

/** Leaves of the largest perfect subtree of `count` leaves, at least 1. */
function largestPowerOfTwoUpTo(count: number): number {
  return leftLeavesOf(count + 1);
}
