// A file, read on its own: the report that examine-segment.ts makes and all other steps use.
import type {
  Again,
  Loss,
  RemovalLine,
  RetentionHold,
  RetentionRelease,
  SegmentGap,
  SegmentOpen,
  SegmentRef,
  SegmentTail,
  SubjectErased,
} from "../format/control-line.ts";
import type { ConsistencyProofs } from "../seal/consistency.ts";
import type { CallIds } from "./call-ids.ts";
import type { TrustedKeys } from "./trusted-keys.ts";
import type { BrokenRange } from "./locate.ts";
import type { Problem } from "./verification.ts";

/** The findings about one file that is read on its own. */
export interface SegmentReport {
  readonly file: string;
  /** `stub`: empty, or not one whole line. `unread`: not even its first line could be read. */
  readonly kind: "segment" | "foreign" | "unknown-version" | "stub" | "unread";
  readonly problems: readonly Problem[];
  /** The first line, when a good checkpoint covers it. */
  readonly open: SegmentOpen | undefined;
  readonly origin: string | undefined;
  /** The last good checkpoint; size 0 and no root when there is none. */
  readonly sealed: { readonly size: number; readonly root: string; readonly entries: number };
  /** The signed note of that checkpoint. */
  readonly note: string | undefined;
  /**
   * Leaves whose tree is known: the sealed ones, and whole ones after them unless the file is
   * altered there.
   */
  readonly knownLeaves: number;
  /** Root hashes (base64) at the sizes asked for, as far as `knownLeaves` reaches. */
  readonly roots: ReadonlyMap<number, string>;
  /** Entries at the sizes asked for. */
  readonly entriesAt: ReadonlyMap<number, number>;
  /**
   * Roots of the perfect subtrees at the last good checkpoint, the largest first; none unless asked
   * for.
   */
  readonly subtrees: readonly Buffer[];
  readonly isClosed: boolean;
  /** The reason of its sealed `segment.close` line. */
  readonly closedFor: string | undefined;
  /** Sealed by a key that the verifier was given, and unaltered. */
  readonly isProven: boolean;
  /** That key: `<name>+<key hash>`. */
  readonly signedBy: string | undefined;
  /** Sealed `retention.prune` and `retention.archived` lines. */
  readonly prunes: readonly RemovalLine[];
  /**
   * States of others that its sealed `retention.seen` lines record, beside those of its first line.
   */
  readonly seen: readonly SegmentRef[];
  /** The hold or the release that its second line is, sealed. */
  readonly hold: RetentionHold | RetentionRelease | undefined;
  /** Further sealed lines about the log itself. */
  readonly facts: readonly Fact[];
  /** Ids of calls that sealed lines began, and that sealed entries ended. */
  readonly callsBegun: readonly string[];
  readonly callsEnded: readonly string[];
  /**
   * The newest time that a good checkpoint covers, in milliseconds since the epoch; undefined when
   * there is none.
   */
  readonly newest: number | undefined;
  /** Whether its writer leaves heartbeats. */
  readonly hasHeartbeat: boolean;
  /** Bytes of the file up to the end of the last good checkpoint. */
  readonly sealedBytes: number;
  /**
   * The bytes behind it, once they were read again; undefined where there are none, or too many.
   */
  readonly tail?: SegmentTail;
  /** The lines that `again` lines of other segments supersede; undefined where there are none. */
  readonly superseded: Superseded | undefined;
  /** Lines that this segment repeats of another one, where the write failed. */
  readonly repeats: readonly Repeat[];
  /**
   * The place to search for an alteration: the lines after the last good checkpoint up to the first
   * bad one.
   */
  readonly broken: BrokenRange | undefined;
}

/** Lines of a segment whose write failed, and that another segment repeats. */
export interface Superseded {
  /** The first of them. */
  readonly leaf: number;
  /** Entries before it. */
  readonly entries: number;
  /** Hashes of the leaves from there on. */
  readonly hashes: readonly string[];
}

/** A sealed line about the log itself. */
export type Fact = Loss | SubjectErased | SegmentGap;

/** An `again` line and the hashes of the lines that follow it. */
export interface Repeat {
  readonly line: Again;
  readonly hashes: readonly string[];
}

/** Options for checking a file. */
export interface SegmentCheckOptions {
  readonly keyring: TrustedKeys;
  /**
   * `last`: the last signature of the file. `all`: every one, which locates a bad one.
   */
  readonly signatures: "all" | "last";
  /** Sizes at which the tree's root is wanted, because other files or pins refer to them. */
  readonly sizesWanted: ReadonlySet<number>;
  /** Whether the report has `subtrees`. @default false */
  readonly keepsSubtrees?: boolean;
  /** Takes each leaf, for proofs from the sizes wanted. @default none are made */
  readonly proofs?: ConsistencyProofs;
  /** The first leaf that an `again` line supersedes; undefined when there is none. */
  readonly supersededFrom?: number | undefined;
  /**
   * Error codes of the system that concern this file alone, not the verifier.
   * @default none: reading rejects
   */
  readonly isOfFile?: (error: unknown) => boolean;
  /** Collects the ids of calls that begin and end. @default none are collected */
  readonly calls?: CallIds;
  readonly onBytes?: (bytes: number) => void;
}
