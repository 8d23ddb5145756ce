// The plan of a removal: the segments to remove, and the lines to write first. Decisions only:
// directory and bucket gather the facts and carry the plan out.
import {
  type ConsistencyProof,
  formatControlLine,
  type RemovalLine,
  type SegmentRef,
} from "../format/control-line.ts";

/** A segment past retention, with the facts that decide about it. */
export interface Candidate {
  /** Its name, as a removal line gives it. */
  readonly file: string;
  /** The state sealed in it; of a file without a checkpoint, the tree of its lines. */
  readonly ref: SegmentRef;
  /** Proofs that it began as smaller states on record say. */
  readonly since: readonly ConsistencyProof[];
  readonly entries: number;
  /** Timestamps of its oldest and newest entry, RFC 3339; null when it has none of its own day. */
  readonly from: string | null;
  readonly to: string | null;
  /**
   * Why its removal cannot be vouched for: it is altered, differs from its record, or has another
   * key. Undefined when it can.
   */
  readonly flaw: string | undefined;
  /** An earlier run recorded its removal and was interrupted: it needs no further line. */
  readonly isRemains: boolean;
  /** A trusted key sealed it. Only then are its own records believed. */
  readonly isTrusted: boolean;
  /** States of other segments that it records. */
  readonly states: readonly SegmentRef[];
  /** Removals that it records. */
  readonly removals: readonly RemovalLine[];
}

/**
 * The rest of the log's facts about the candidates. `going` are the names of all segments to
 * remove.
 */
export interface Surroundings {
  /** The hold that keeps a candidate; undefined when none does. */
  whyHeld(candidate: Candidate, going: ReadonlySet<string>): string | undefined;
  /** Whether a segment that stays refers to this file. */
  isReferredTo(file: string, going: ReadonlySet<string>): boolean;
  /** Whether states of this file must stay on record, although it may be gone. */
  mustStayOnRecord(file: string): boolean;
  /** Whether a segment that stays records this state, or a larger one of the same file. */
  isOnRecord(state: SegmentRef): boolean;
}

/** A candidate that stays. */
export interface Kept<C extends Candidate> {
  readonly candidate: C;
  readonly fate: "held" | "refused";
  readonly reason: string;
}

/** The decision about all candidates. */
export interface RemovalPlan<C extends Candidate> {
  readonly remove: readonly C[];
  readonly keep: readonly Kept<C>[];
  /**
   * States of segments that stay and that only removed ones record: to be recorded before any
   * removal.
   */
  readonly states: readonly SegmentRef[];
  /**
   * Removal lines in removed segments that other segments still refer to: to be written again.
   */
  readonly carried: readonly string[];
}

/** The reason for a segment that does not match its seal. */
export const UNSOUND = "it does not match its seal, or the log's record of it";
const UNPROVEN =
  "it records a removal that other files still refer to, and no checkpoint proves it";

/**
 * Decides about each candidate. It stays if a hold keeps it, if its removal cannot be vouched for
 * (only the record of the removal would be left as evidence), or if it alone records a removal that
 * other segments still refer to and no trusted key sealed that record. Each candidate that stays
 * may refer to others in turn, so the decision is repeated until it no longer changes.
 *
 * @param candidates oldest first
 */
export function planRemoval<C extends Candidate>(
  candidates: readonly C[],
  around: Surroundings,
): RemovalPlan<C> {
  const kept = new Map<C, Kept<C>>();
  for (;;) {
    const remove = candidates.filter((candidate) => !kept.has(candidate));
    const going = new Set(remove.map(({ file }) => file));
    const keptFiles = new Set([...kept.keys()].map(({ file }) => file));
    const recording = remove.filter(({ isRemains }) => !isRemains);
    const states = statesToRecord(recording, going, keptFiles, around);
    const needed = new Set(states.map(({ file }) => file));
    const isNeeded = ({ file }: RemovalLine): boolean =>
      needed.has(file) || around.isReferredTo(file, going);
    const before = kept.size;
    for (const candidate of remove) {
      const reason = around.whyHeld(candidate, going);
      const flaw = reason === undefined ? flawOf(candidate, isNeeded) : undefined;
      if (reason !== undefined) kept.set(candidate, { candidate, fate: "held", reason });
      else if (flaw !== undefined)
        kept.set(candidate, { candidate, fate: "refused", reason: flaw });
    }
    if (kept.size > before) continue;
    const carried = recording.flatMap(({ removals }) =>
      removals.filter(isNeeded).map(formatControlLine),
    );
    return { remove, keep: [...kept.values()], states, carried: [...new Set(carried)] };
  }
}

/** One removal line for each segment to remove. `at` is the time of the removal, RFC 3339. */
export function removalLines(
  remove: readonly Candidate[],
  { policy, actor, at }: { readonly policy: string; readonly actor: string; readonly at: string },
): string[] {
  return remove
    .filter(({ isRemains }) => !isRemains)
    .map(({ ref: { file, size, root }, since, from, to }) =>
      formatControlLine({
        type: "retention.prune",
        file,
        leaves: size,
        root,
        from,
        to,
        policy,
        actor,
        at,
        since: since.length > 0 ? since : undefined,
      }),
    );
}

function flawOf(
  { flaw, isRemains, isTrusted, removals }: Candidate,
  isNeeded: (removal: RemovalLine) => boolean,
): string | undefined {
  if (isRemains) return undefined;
  return flaw ?? (!isTrusted && removals.some(isNeeded) ? UNPROVEN : undefined);
}

/** The largest recorded state of each segment that stays, unless it is on record elsewhere. */
function statesToRecord(
  recording: readonly Candidate[],
  going: ReadonlySet<string>,
  kept: ReadonlySet<string>,
  around: Surroundings,
): SegmentRef[] {
  const recorded = recording.flatMap(({ isTrusted, states }) => (isTrusted ? states : []));
  return largestStates(recorded).filter(
    (state) =>
      state.size > 0 &&
      !going.has(state.file) &&
      (kept.has(state.file) || around.mustStayOnRecord(state.file)) &&
      !around.isOnRecord(state),
  );
}

/** The largest states of each file. Two roots at one size are two histories: both are evidence. */
export function largestStates(states: readonly SegmentRef[]): SegmentRef[] {
  const largest = new Map<string, SegmentRef[]>();
  for (const state of states) {
    const known = largest.get(state.file) ?? [];
    const size = known[0]?.size ?? 0;
    if (state.size > size) largest.set(state.file, [state]);
    else if (state.size === size && !known.some(({ root }) => root === state.root))
      largest.set(state.file, [...known, state]);
  }
  return [...largest.values()].flat();
}

/** Whether a recorded state makes another one of the same file superfluous. */
export function covers(recorded: SegmentRef, state: SegmentRef): boolean {
  return (
    recorded.file === state.file &&
    (state.size < recorded.size || (state.size === recorded.size && state.root === recorded.root))
  );
}
