// Goes on reading a segment where an earlier run stopped: the new lines alone, with their
// checkpoints and the signature of the last one.
import { verify } from "node:crypto";
import { CHECKPOINT_PREFIX, type SegmentOpen } from "../format/control-line.ts";
import { eachLine, LineSplitter } from "../format/lines.ts";
import { MerkleTree } from "../seal/merkle.ts";
import { CheckpointVerifier, type GoodCheckpoint } from "../verify/checkpoint-check.ts";
import type { TrustedKeys } from "../verify/trusted-keys.ts";

/** A place in a segment: behind its last good checkpoint. */
export interface SegmentPlace {
  /** Bytes up to there. */
  readonly offset: number;
  /** Leaves up to there. */
  readonly size: number;
  /** Their root, in base64. */
  readonly root: string;
  /** Roots of their perfect subtrees, in base64, the largest first. */
  readonly subtrees: readonly string[];
}

/** The end of a segment, or why its new lines cannot be anchored. */
export type Followed =
  | { readonly place: SegmentPlace; readonly isClosed: boolean }
  | { readonly problem: string };

const CLOSE_PREFIX = '{"type":"segment.close"';

/** The tree up to a place; undefined where it does not have the place's own root. */
export function treeAt({ size, root, subtrees }: SegmentPlace): MerkleTree | undefined {
  const tree = new MerkleTree({
    size,
    subtrees: subtrees.map((node) => Buffer.from(node, "base64")),
  });
  return tree.root().toString("base64") === root ? tree : undefined;
}

/**
 * Reads on from a place. `chunks` are the bytes behind it.
 * @param open The segment's first line.
 */
export async function followSegment(
  open: SegmentOpen,
  from: SegmentPlace,
  chunks: AsyncIterable<Buffer>,
  keyring: TrustedKeys,
): Promise<Followed> {
  const tree = treeAt(from);
  if (tree === undefined) return { problem: "the place that was remembered does not fit its root" };
  const checkpoints = new CheckpointVerifier(open, keyring);
  const splitter = new LineSplitter();
  let place = from;
  let last: GoodCheckpoint | undefined;
  let problem: string | undefined;
  let hasClose = false;
  let isClosed = false;
  for await (const chunk of chunks) {
    for (const block of splitter.push(chunk)) {
      eachLine(block, (bytes, start, end) => {
        if (problem !== undefined) return;
        if (isClosed) {
          problem = "a line follows the end of the segment";
          return;
        }
        const head = bytes.toString("latin1", start, Math.min(end, start + CLOSE_PREFIX.length));
        if (!head.startsWith(CHECKPOINT_PREFIX)) {
          if (head === CLOSE_PREFIX) hasClose = true;
          tree.appendInPlace(bytes, start, end);
          return;
        }
        const root = tree.root().toString("base64");
        const checked = checkpoints.check(bytes.toString("utf8", start, end), tree.size, root);
        if (!checked.ok) {
          problem = checked.message;
          return;
        }
        last = checked;
        isClosed = hasClose;
        const subtrees = tree.state().subtrees.map((node) => node.toString("base64"));
        const offset = from.offset + block.offset + (end + 1 - block.start);
        place = { offset, size: tree.size, root, subtrees };
      });
    }
  }
  if (problem !== undefined) return { problem };
  if (last !== undefined && !isSigned(last, checkpoints))
    return {
      problem: checkpoints.distrust ?? "the signature of its last checkpoint does not verify",
    };
  return { place, isClosed };
}

function isSigned({ text, signature }: GoodCheckpoint, { key }: CheckpointVerifier): boolean {
  if (key === undefined || signature === undefined) return false;
  return verify(null, Buffer.from(text), key.publicKey, signature);
}
