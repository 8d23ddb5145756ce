// The interface of an archive: a place that closed segments of a directory are shipped to, byte for
// byte.
import type { SegmentRef } from "../format/control-line.ts";

/** A segment that its writer has ended. */
export interface ClosedSegment {
  /** Name in the directory. */
  readonly file: string;
  /**
   * Id of the directory: its segments refer to each other by name, and names repeat between
   * directories.
   */
  readonly directory: string;
  /** UTC day in its name, `YYYYMMDD`. */
  readonly day: string;
  readonly stream: string;
  readonly bytes: number;
  /** Of all its bytes, 64 hex digits. */
  readonly sha256: string;
  /** The last checkpoint. */
  readonly ref: SegmentRef;
  readonly entries: number;
  /** Number of entries that record a call which another entry records too. */
  readonly linked: number;
  /** Whether it has entries that another segment may have too: a failed commit, written again. */
  readonly isSecondTry: boolean;
  /** Ids of its first and last entry; empty when it has none. */
  readonly firstId: string;
  readonly lastId: string;
  /** Bytes [`from`, `to`). */
  read(from: number, to: number): Promise<Buffer>;
}

/**
 * The place to which a `FileStorage` ships its closed segments. `S3Archive` of @ai-audit/core/s3 is
 * one.
 */
export interface SegmentArchive {
  /** Days that a local copy stays after the archive confirmed it. Infinity: permanently. */
  readonly keepLocalDays: number;
  /**
   * Days after which a rule of the archive removes segments. Each segment records and seals it: the
   * verifier then reports older segments as removed, not as missing. @default none
   */
  readonly expiresDays?: number | undefined;
  /** Receives failures to ship or remove a segment; each is retried later. */
  readonly onError: (error: Error) => void;
  /**
   * Receives the files that the archive may lack, before the first of them is stored. Files that
   * are still written to follow later. @default none
   */
  readonly onWaiting?: ((files: readonly string[]) => void) | undefined;
  /**
   * Stores a segment and resolves to its location once the archive has confirmed all of its bytes.
   * Idempotent: a segment that is there already is confirmed.
   */
  store(segment: ClosedSegment): Promise<string>;
}
