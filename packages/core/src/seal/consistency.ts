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
