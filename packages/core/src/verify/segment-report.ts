// What one file says when it is read on its own. verify-segment.ts makes it, everything else judges by it.
import type {
  RemovalRecord,
  RetentionHold,
  RetentionRelease,
  SegmentOpen,
  SegmentRef,
} from "../format/control-line.ts";
import type { BrokenRange } from "./locate.ts";
import type { Problem } from "./verification.ts";
import type { Keyring } from "./checkpoint-check.ts";

/** What one file says when it is read on its own. */
export interface SegmentReport {
  readonly file: string;
  /** `stub`: empty, or not one whole line. */
  readonly kind: "segment" | "foreign" | "unknown-version" | "stub";
  readonly problems: readonly Problem[];
  /** The first line, when a good checkpoint covers it. */
  readonly open: SegmentOpen | undefined;
  readonly origin: string | undefined;
  /** The last good checkpoint; size 0 and no root when there is none. */
  readonly sealed: { readonly size: number; readonly root: string; readonly entries: number };
  /** Leaves whose tree is known: the sealed ones, and whole ones after them unless the file is altered there. */
  readonly knownLeaves: number;
  /** Root hashes (base64) at the sizes asked for, as far as `knownLeaves` reaches. */
  readonly roots: ReadonlyMap<number, string>;
  readonly isClosed: boolean;
  /** The reason of its sealed `segment.close` line. */
  readonly closedFor: string | undefined;
  /** Sealed by a key that the verifier was given, and unaltered. */
  readonly isProven: boolean;
  readonly signedBy: string | undefined;
  /** Sealed `retention.prune` and `retention.archived` lines. */
  readonly prunes: readonly RemovalRecord[];
  /** States of others that its sealed `retention.seen` lines record, beside those of its first line. */
  readonly seen: readonly SegmentRef[];
  /** The hold or the release that its second line is, sealed. */
  readonly hold: RetentionHold | RetentionRelease | undefined;
  /** Where to search for what was altered: the lines after the last good checkpoint up to the first bad one. */
  readonly broken: BrokenRange | undefined;
}

/** How to check a file. */
export interface SegmentCheckOptions {
  readonly keyring: Keyring;
  readonly signatures: "all" | "last";
  /** Sizes at which the tree's root is wanted, because something refers to them. */
  readonly sizesWanted: ReadonlySet<number>;
  readonly onBytes?: (bytes: number) => void;
}
