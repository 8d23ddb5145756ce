// What an archive is: a place that closed segments of a directory are shipped to, byte for byte.
import type { SegmentRef } from "../format/control-line.ts";

/** A segment that nobody writes to any more. */
export interface ClosedSegment {
  /** Name in the directory. */
  readonly file: string;
  /** Id of the directory: its segments refer to each other by name, and names repeat between directories. */
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
  /** How many of them record a call that another entry records too. */
  readonly linked: number;
  /** Ids of its first and last entry; empty when it has none. */
  readonly firstId: string;
  readonly lastId: string;
  /** Bytes [`from`, `to`). */
  read(from: number, to: number): Promise<Buffer>;
}

/** Where a `FileStorage` ships its closed segments to. `S3Archive` of @ai-audit/core/s3 is one. */
export interface SegmentArchive {
  /** Days that a local copy stays after it was confirmed in the archive. Infinity: for ever. */
  readonly keepLocalDays: number;
  /**
   * Days after which the archive itself removes what it has, by a rule of its own. It stands, sealed, in each segment, so
   * that what is older is removed there and not missing. @default none
   */
  readonly expiresDays?: number | undefined;
  /** Told of what could not be shipped or removed; it is tried again later. */
  readonly onError: (error: Error) => void;
  /** Told which files the archive may lack, before the first of them is stored; those not closed yet stay. @default nobody */
  readonly onWaiting?: ((files: readonly string[]) => void) | undefined;
  /**
   * Stores a segment and resolves to its location once the archive has confirmed all of its bytes. Idempotent: what is
   * there already is confirmed.
   */
  store(segment: ClosedSegment): Promise<string>;
}
