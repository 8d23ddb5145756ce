// Consistency proofs of RFC 6962, section 2.1.2 (RFC 9162, 2.1.4): a larger tree begins with all
// leaves of a smaller one.
import { leftLeavesOf, nodeHash, rootOf } from "./merkle.ts";

/** Two states of one tree, and the claim that the second one only added leaves. */
export interface Consistency {
  /** Leaves of the smaller tree, and its root. */
  readonly first: number;
  readonly firstRoot: Buffer;
  /** Leaves of the larger tree, and its root. */
  readonly second: number;
  readonly secondRoot: Buffer;
  /** Node hashes, as `consistencyProof` gives them. */
  readonly proof: readonly Buffer[];
}

/**
 * The proof that a tree of these leaf hashes begins with its first `size` leaves. Empty where the
 * two are the same.
 * @throws {RangeError} when there are fewer leaves than `size`, or `size` is 0.
 */
export function consistencyProof(leaves: readonly Buffer[], size: number): Buffer[] {
  if (size < 1 || size > leaves.length)
    throw new RangeError(`no proof from ${size} to ${leaves.length} leaves`);
  return subproof(size, leaves, true);
}

/** SUBPROOF of RFC 9162, 2.1.4.1. */
function subproof(size: number, leaves: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (size === leaves.length) return isWhole ? [] : [rootOf(leaves)];
  const middle = leftLeavesOf(leaves.length);
  return size <= middle
    ? [...subproof(size, leaves.slice(0, middle), isWhole), rootOf(leaves.slice(middle))]
    : [...subproof(size - middle, leaves.slice(middle), false), rootOf(leaves.slice(0, middle))];
}

/**
 * Consistency proofs from sizes that are known beforehand, for a reader that meets each leaf once
 * and cannot keep all of them. It keeps the nodes that the proofs need: about two for each bit of a
 * size.
 */
export class ConsistencyProofs {
  /** Roots of perfect subtrees that proofs need, by `keyOf`; undefined until they are complete. */
  readonly #nodes = new Map<number, Buffer | undefined>();
  /** The perfect subtrees of the leaves so far, largest first. */
  #subtrees: Subtree[] = [];
  #size = 0;

  constructor(sizes: Iterable<number>) {
    for (const size of sizes) this.#want(size);
  }

  /** Number of leaves. */
  get size(): number {
    return this.#size;
  }

  /** The subtrees that a tree of this size has, and those that complete it to larger ones. */
  #want(size: number): void {
    let from = 0;
    for (let rest = size; rest > 0; rest = size - from) {
      const leaves = leftLeavesOf(rest + 1);
      this.#nodes.set(keyOf(from, leaves), undefined);
      from += leaves;
    }
    for (let at = size; at > 0 && at < MAX_SIZE; at += lowestBitOf(at))
      this.#nodes.set(keyOf(at, lowestBitOf(at)), undefined);
  }

  /** Appends the hash of a leaf. */
  append(leaf: Buffer): void {
    let node: Subtree = { from: this.#size, leaves: 1, root: leaf };
    this.#keep(node);
    for (
      let last = this.#subtrees.at(-1);
      last?.leaves === node.leaves;
      last = this.#subtrees.at(-1)
    ) {
      this.#subtrees.pop();
      node = { from: last.from, leaves: last.leaves * 2, root: nodeHash(last.root, node.root) };
      this.#keep(node);
    }
    this.#subtrees.push(node);
    this.#size += 1;
  }

  #keep({ from, leaves, root }: Subtree): void {
    const key = keyOf(from, leaves);
    if (this.#nodes.has(key)) this.#nodes.set(key, root);
  }

  /**
   * The proof from one of the sizes to all leaves so far.
   * @throws {RangeError} when the size was not requested, or is larger
   */
  proof(size: number): Buffer[] {
    if (size < 1 || size > this.#size)
      throw new RangeError(`no proof from ${size} to ${this.#size} leaves`);
    return this.#subproof(size, 0, this.#size, true);
  }

  /** SUBPROOF of RFC 9162, 2.1.4.1, over a range of leaves. */
  #subproof(size: number, from: number, to: number, isWhole: boolean): Buffer[] {
    if (size === to) return isWhole ? [] : [this.#rootOf(from, to)];
    const middle = from + leftLeavesOf(to - from);
    return size <= middle
      ? [...this.#subproof(size, from, middle, isWhole), this.#rootOf(middle, to)]
      : [...this.#subproof(size, middle, to, false), this.#rootOf(from, middle)];
  }

  #rootOf(from: number, to: number): Buffer {
    const known =
      this.#nodes.get(keyOf(from, to - from)) ??
      this.#subtrees.find((node) => node.from === from && node.leaves === to - from)?.root;
    if (known !== undefined) return known;
    if (to - from < 2) throw new RangeError(`leaf ${from} was not kept`);
    const middle = from + leftLeavesOf(to - from);
    return nodeHash(this.#rootOf(from, middle), this.#rootOf(middle, to));
  }
}

interface Subtree {
  readonly from: number;
  readonly leaves: number;
  readonly root: Buffer;
}

/** No segment has more leaves. */
const MAX_SIZE = 2 ** 40;

/** Of a subtree, or of any other range: only those whose leaves are a power of two are kept. */
function keyOf(from: number, leaves: number): number {
  return Number.isInteger(Math.log2(leaves)) ? from * 64 + Math.log2(leaves) : -1;
}

function lowestBitOf(number: number): number {
  let bit = 1;
  while (number % (bit * 2) === 0) bit *= 2;
  return bit;
}

/** Whether a consistency proof holds. RFC 9162, 2.1.4.2. */
export function isConsistent(consistency: Consistency): boolean {
  const { first, firstRoot, second, secondRoot, proof } = consistency;
  if (!(Number.isSafeInteger(first) && Number.isSafeInteger(second))) return false;
  if (first < 1 || first > second) return false;
  if (first === second) return proof.length === 0 && firstRoot.equals(secondRoot);
  // A tree whose size is a power of two is itself the first node of the path.
  const isPowerOfTwo = 2 ** Math.round(Math.log2(first)) === first;
  const [start, ...rest] = isPowerOfTwo ? [firstRoot, ...proof] : proof;
  if (start === undefined) return false;
  let at = first - 1;
  let last = second - 1;
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  let left = start;
  let right = start;
  for (const node of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      left = nodeHash(node, left);
      right = nodeHash(node, right);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else {
      right = nodeHash(right, node);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && left.equals(firstRoot) && right.equals(secondRoot);
}
