// The port of the segment writer, which a directory and a bucket implement each in its own way.
import type { SegmentRef, SettledFiles } from "../format/control-line.ts";
import type { Commit } from "./commit.ts";
import type { SegmentOptions } from "./segment.ts";

/** A directory or a bucket. */
export interface SegmentBackend {
  /** Makes a place for a new segment, and looks for the states that its first line records. */
  begin(next: NextSegment): Promise<BegunSegment>;
}

/** The beginning of a segment, as the writer knows it. */
export interface NextSegment {
  /** UTC day: whole days since the epoch. */
  readonly day: number;
  /** States that the first line must record, although another segment has recorded them. */
  readonly kept: readonly SegmentRef[];
  /** The rest of the first line, but for the name and the witnessed states. */
  readonly about: Omit<SegmentOptions, "file" | "seen" | "settled">;
}

export interface BegunSegment {
  readonly place: SegmentPlace;
  /** States of other writers' segments, and those kept. */
  readonly seen: readonly SegmentRef[];
  /** States that the first line has no room for: a line behind the first commit records them. */
  readonly unrecorded: readonly SegmentRef[];
  /** Files that no later writer needs to look at. */
  readonly settled?: readonly SettledFiles[];
}

/** The place of one open segment: a file, or a series of objects. */
export interface SegmentPlace {
  /** The segment's name. */
  readonly file: string;
  /** In a bucket: the key of the last object. */
  readonly lastKey?: string | undefined;
  /** Bytes of lines that still fit. */
  readonly room: number;
  /** The reason to end the segment before this commit: `day`, `size` …; empty when it fits. */
  whyEnd(commit: Commit): string | Promise<string>;
  /**
   * Makes the sealed bytes of a commit durable, after all earlier ones. `leaf` is the index of its
   * first line in the tree. Resolves to `taken` when another writer's bytes are there: no byte was
   * written then. After a rejection the place may hold some of the bytes, and gets no more.
   */
  append(sealed: Buffer, commit: Commit, leaf: number): Promise<"stored" | "taken">;
  /** Present size in bytes, also after a failed write; undefined where it cannot be read. */
  size(): Promise<number | undefined>;
  /** Closes the place. */
  release(): Promise<void>;
}
