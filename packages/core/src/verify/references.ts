// Records of files in other files and in pins: are all recorded states present and unchanged? Over
// 300 lines: all rules of references share the facts about each file.
import type { SegmentRef, SegmentTail } from "../format/control-line.ts";
import { fileOfOrigin } from "../format/origin.ts";
import { dayOfSegment } from "../format/segment-name.ts";
import { emptyRoot } from "../seal/merkle.ts";
import { dayIn, holdOn } from "./holds.ts";
import {
  describeRemoval,
  type KnownState,
  type FoundRemoval,
  type RemovalContext,
  type RemovalJudgement,
  Removals,
} from "./removals.ts";
import type { SegmentReport } from "./segment-report.ts";
import { dayWritten } from "./segment-time.ts";
import type { AnchoredState, FileState, Pin, Problem, RecordedRemoval } from "./verification.ts";

/** The name of a pin in messages. */
const A_PIN = "a pin";

/** A reference to a state of a file. */
interface Reference extends SegmentRef, KnownState {
  /** Whether the same writer refers to its previous segment. */
  readonly isPrev?: boolean;
  /** The origin a pin names. */
  readonly origin?: string;
}

/** A state that a segment records of one in another log of the same place. */
export interface StateReference {
  readonly ref: SegmentRef;
  readonly from: SegmentReport;
}

/** Facts from outside the files. */
export interface ReferenceContext extends RemovalContext {
  /** Whether a file may still arrive. @default never */
  readonly isAwaited?: (file: string) => boolean;
  /** States of these files that another log of the same place records. @default none */
  readonly states?: readonly StateReference[];
  /** Files that were read in the archive that was given. @default no archive was given */
  readonly archived?: ReadonlySet<string>;
  /** Whether a segment that its writer found shorter than it remembered counts. @default false */
  readonly isStrict?: boolean;
  /**
   * Why a file of another name may be the missing one: `<file>.gz lies beside it`.
   * @default nothing
   */
  readonly hintOf?: (file: string) => string | undefined;
}

/** The findings of following all references of a log. */
export interface ReferenceReport {
  /** Problems by file, also of files that are not there. */
  readonly problems: ReadonlyMap<string, readonly Problem[]>;
  /** Remarks by file: facts that do not count against it. */
  readonly remarks: ReadonlyMap<string, readonly string[]>;
  /** Files that are gone, or partly gone, and that a reference or a record of a removal names. */
  readonly absent: ReadonlyMap<string, AbsentFile>;
  /** Removals that count. */
  readonly removals: readonly RecordedRemoval[];
  /**
   * Whether the log records removals of a day's files; it does not record their streams.
   */
  isOfRemovalDay(day: string | undefined): boolean;
  /** Records of removals, for other logs of the same place. */
  readonly prunes: readonly FoundRemoval[];
  /**
   * Files whose last checkpoint another segment records at a time after which no line could follow
   * it.
   */
  readonly confirmed: ReadonlyMap<string, Confirmation>;
  /** Pins that the log agrees with. */
  readonly confirmedPins: readonly Pin[];
}

/** A record of a file's end. */
export interface Confirmation {
  readonly by: string;
  /** The writer itself continued in another segment. */
  readonly isPrev: boolean;
  readonly isProven: boolean;
  /** The bytes behind its last checkpoint; undefined where the record names none. */
  readonly tail: SegmentTail | undefined;
}

/** A file that is not there. `OPEN`: it has not arrived from its writer yet. */
export interface AbsentFile {
  readonly state: "MISSING" | "PRUNED" | "ARCHIVED" | "OPEN";
  readonly leaves: number;
}

/**
 * The states that a segment records of others in its own log: in its first line, and where clean-up
 * wrote them.
 */
export function recordsOf({ open, seen }: SegmentReport): SegmentRef[] {
  // A first line without a seal, or with a bad signature, is no evidence against other files.
  return open === undefined
    ? []
    : [...referencesOf(open), ...seen.filter(({ file }) => !file.includes("/"))];
}

/**
 * The states that a segment records of segments in another log of the same place, called
 * `<log>/<file>`.
 */
export function referencesElsewhere(from: SegmentReport): StateReference[] {
  const seen = from.open === undefined ? [] : from.seen;
  return seen.filter(({ file }) => file.includes("/")).map((ref) => ({ ref, from }));
}

/** References of a segment's first line. */
export function referencesOf(open: {
  readonly prev: SegmentRef | null;
  readonly seen: readonly SegmentRef[];
}): SegmentRef[] {
  return open.prev === null ? [...open.seen] : [open.prev, ...open.seen];
}

/** The states that a segment says its stream remembered and did not find again. */
export function gapsOf({ facts }: SegmentReport): SegmentRef[] {
  return facts.flatMap((fact) => (fact.type === "segment.gap" ? [fact] : []));
}

/** A pin as a reference to a file. */
export function referenceOfPin({ origin, size, root }: Pin): SegmentRef {
  return { file: fileOfOrigin(origin), size, root };
}

/** Follows every reference. */
export function followReferences(
  reports: readonly SegmentReport[],
  pins: readonly (Pin | AnchoredState)[],
  context: ReferenceContext,
): ReferenceReport {
  const follower = new Follower(reports, context);
  // First what the auditor holds of an anchor log: its sentences name a time.
  for (const pin of pins.filter(isAnchored).toReversed())
    if (!pin.isEarlier || follower.isWhole(pin)) follower.followPin(pin, pin.by);
  for (const from of reports) {
    const prev = from.open?.prev;
    for (const ref of recordsOf(from))
      follower.follow({ ...ref, by: from.file, from, isPrev: ref === prev });
    for (const fact of from.isProven ? from.facts : [])
      if (fact.type === "segment.gap") follower.followGap(fact, from);
  }
  for (const { ref, from } of context.states ?? [])
    follower.follow({ ...ref, by: from.file, from });
  for (const pin of pins) {
    if (isAnchored(pin)) continue;
    const isConfirmed = follower.followPin(pin, A_PIN);
    if (isConfirmed && pin.size > 0) follower.confirmedPins.push(pin); // every tree begins empty
  }
  follower.judgeAbsent();
  follower.findTwins();
  return follower;
}

function isAnchored(pin: Pin | AnchoredState): pin is AnchoredState {
  return "isEarlier" in pin;
}

class Follower implements ReferenceReport {
  readonly problems: Map<string, Problem[]> = new Map();
  readonly remarks: Map<string, string[]> = new Map();
  readonly absent: Map<string, AbsentFile> = new Map();
  readonly removals: RecordedRemoval[] = [];
  readonly confirmed: Map<string, Confirmation> = new Map();
  readonly confirmedPins: Pin[] = [];
  readonly #reports: ReadonlyMap<string, SegmentReport>;
  readonly #removals: Removals;
  readonly #context: ReferenceContext;
  /** All records of files that are gone, or partly gone. */
  readonly #known = new Map<string, Reference[]>();

  constructor(reports: readonly SegmentReport[], context: ReferenceContext) {
    this.#context = context;
    this.#reports = new Map(reports.map((report) => [report.file, report]));
    this.#removals = new Removals(reports, context);
    for (const report of reports) if (isPartlyGone(report)) this.#known.set(report.file, []);
    for (const file of this.#removals.files)
      if (!this.#reports.has(file)) this.#known.set(file, []);
  }

  get prunes(): readonly FoundRemoval[] {
    return this.#removals.all;
  }

  isOfRemovalDay(day: string | undefined): boolean {
    return [...this.absent].some(
      ([file, { state }]) => state === "PRUNED" && dayOfSegment(file) === day,
    );
  }

  /** Whether the file that a pin names is there, and all of it. */
  isWhole(pin: Pin): boolean {
    const target = this.#reports.get(referenceOfPin(pin).file);
    return target !== undefined && !isPartlyGone(target);
  }

  /** Whether the log agrees with a pin. Disagreement is recorded. */
  followPin(pin: Pin, by: string): boolean {
    return this.follow({ ...referenceOfPin(pin), by, from: undefined, origin: pin.origin });
  }

  /** Whether the log agrees with the reference. Disagreement is recorded. */
  follow(reference: Reference): boolean {
    const target = this.#reports.get(reference.file);
    // A file without one whole line says nothing, there or not.
    if (target === undefined && reference.size === 0) return false;
    if (target === undefined || isPartlyGone(target)) {
      const known = this.#known.get(reference.file);
      if (known) known.push(reference);
      else this.#known.set(reference.file, [reference]);
    }
    return target !== undefined && this.#compare(reference, target);
  }

  #compare(reference: Reference, target: SegmentReport): boolean {
    const { size, root, by, origin } = reference;
    const isOtherTree =
      origin !== undefined && target.origin !== undefined && origin !== target.origin;
    if (target.kind === "foreign" || isOtherTree) {
      const message = `not the segment that ${by} records`;
      this.#disagree("FORK", reference, target, message + this.#hint(target.file));
      return false;
    }
    if (size > target.knownLeaves) {
      // Where a file is altered or unreadable, later lines cannot be compared; otherwise it is too
      // short.
      const isCutShort = target.problems.some(({ state }) => CUT_SHORT.has(state));
      const message = `${by} records ${leaves(size)}; ${target.knownLeaves} ${target.knownLeaves === 1 ? "is" : "are"} there`;
      if (!isCutShort)
        this.#disagree("ROLLBACK", reference, target, message + this.#hint(target.file));
      return false;
    }
    if (rootAt(target, size) !== root) {
      const message = `another history: not what ${by} records at ${leaves(size)}`;
      this.#disagree("FORK", reference, target, message);
      return false;
    }
    if (size === target.sealed.size && isFinal(reference, target)) this.#confirm(reference, target);
    return true;
  }

  #confirm({ by, from, isPrev = false, tail }: Reference, { file }: SegmentReport): void {
    const isProven = from?.isProven === true;
    const known = this.confirmed.get(file);
    // A proven record outranks an unproven one, and a record that names a tail outranks one
    // without.
    if (known !== undefined && (known.isProven || !isProven) && (known.tail || !tail)) return;
    this.confirmed.set(file, { by, isPrev, isProven, tail });
  }

  /**
   * A writer remembered more of a file than it found at its next start, and records this under its
   * own key.
   */
  followGap(
    { file, size, root, found }: { file: string; size: number; root: string; found: number | null },
    from: SegmentReport,
  ): void {
    const target = this.#reports.get(file);
    if (target === undefined && found === null)
      return void this.follow({ file, size, root, by: from.file, from });
    if (target !== undefined && found === null && rootAt(target, size) !== root) {
      const message = `the segment that its writer remembered at ${leaves(size)} is gone, and another one has its name, as ${from.file} records`;
      return this.#add(file, "MISSING", message);
    }
    if (target === undefined || size <= target.knownLeaves)
      return void (target && this.#compare({ file, size, root, by: from.file, from }, target));
    const lost = size - target.knownLeaves;
    const message = `${leaves(lost)} that its writer remembered ${lost === 1 ? "is" : "are"} gone: a crash or a cut, as ${from.file} records`;
    if (this.#context.isStrict === true) this.#add(file, "UNCLOSED", message);
    else this.#remark(file, message);
  }

  /** Judges every file that is gone, once all records of it are known. */
  judgeAbsent(): void {
    for (const [file, states] of this.#known) {
      const judgement = this.#removals.judge(file, states);
      const report = this.#reports.get(file);
      const recorded = states.reduce((most, { size }) => Math.max(most, size), 0);
      const known = Math.max(recorded, this.#removals.leavesOf(file));
      const count = report === undefined ? known : report.sealed.size;
      if (judgement.state !== "MISSING") this.#noteRemoval(file, judgement, states, count);
      else if (
        this.#context.isAwaited?.(file) === true &&
        report === undefined &&
        this.#removals.leavesOf(file) === 0
      )
        this.absent.set(file, { state: "OPEN", leaves: count });
      else this.#noteMissing(file, judgement, states, count);
    }
    this.#tellNeighbours();
  }

  #noteRemoval(
    file: string,
    { state, record, isByRule = false, unproven = [] }: RemovalJudgement,
    states: readonly Reference[],
    count: number,
  ): void {
    const { archived } = this.#context;
    if (state === "ARCHIVED" && archived?.has(file) === false) {
      this.absent.set(file, { state: "MISSING", leaves: count });
      return this.#add(
        file,
        "MISSING",
        "it was moved to an archive, and the archive given does not have it",
      );
    }
    this.absent.set(file, { state: state === "ARCHIVED" ? "ARCHIVED" : "PRUNED", leaves: count });
    if (record !== undefined) {
      const removal = describeRemoval(file, record);
      this.removals.push(removal);
      this.#remark(file, spellRemoval(removal));
    }
    const pins = states.filter(({ from }) => from === undefined);
    const compared = this.#reports.has(file);
    const unclear = pins.filter((pin) => unproven.includes(pin) && !compared);
    if (state === "ARCHIVED" && pins.length > 0)
      this.#add(
        file,
        "UNANCHORED",
        `${wordFor(pins)}, and moved to an archive that was not read: give it (--archive)`,
      );
    else if (pins.length > 0 && !isByRule)
      this.#add(
        file,
        "UNANCHORED",
        `${wordFor(pins)}, and removed by the log's operator: give the rule that you expect (--retention)`,
      );
    else if (unclear.length > 0) {
      const sizes = unclear.map(({ size }) => leaves(size)).join(", ");
      this.#add(
        file,
        "UNANCHORED",
        `${wordFor(pins)} at ${sizes}, and the record of its removal does not prove that it began with this state`,
      );
    }
  }

  #noteMissing(
    file: string,
    { why }: RemovalJudgement,
    states: readonly Reference[],
    count: number,
  ): void {
    this.absent.set(file, { state: "MISSING", leaves: count });
    const hold = this.#holdOn(file);
    const excuse =
      why === undefined
        ? "and no retention.prune line says why"
        : `and the retention line for it does not count: ${why}`;
    const report = this.#reports.get(file);
    if (report !== undefined) {
      // The place reports the parts that are gone; this is why it is not a removal.
      if (why !== undefined || hold !== "")
        this.#add(file, "MISSING", `parts of it are gone, ${excuse}${hold}`);
      return;
    }
    const proven = states.find(({ from }) => from === undefined || from.isProven) ?? states[0];
    const recorded = proven === undefined ? "" : `${proven.by} records ${leaves(proven.size)}; `;
    const message = `${recorded}the file is gone, ${excuse}${hold}`;
    this.#add(file, "MISSING", message + this.#hint(file));
  }

  /** The possible fate of a file, as an end of a message. */
  #hint(file: string): string {
    const hint = this.#context.hintOf?.(file);
    return hint === undefined ? "" : `; ${hint}`;
  }

  /** A file that is gone may have been the only one that recorded its neighbours. */
  #tellNeighbours(): void {
    for (const [file, { state }] of this.absent) {
      if (state !== "MISSING" || this.#reports.has(file)) continue;
      this.#remark(file, `${MORE_GONE}: losses that only this file recorded cannot be noticed`);
    }
  }

  /** The hold that should have kept a file that is gone. */
  #holdOn(file: string): string {
    const day = dayIn(file);
    const inForce = (this.#context.holds ?? []).filter(({ released }) => released === undefined);
    const { hold, actor, reason } = (day && holdOn(day, inForce)) ?? {};
    return hold === undefined ? "" : `, though hold ${hold} by ${actor}: ${reason} keeps its day`;
  }

  /** One writer never gives a place in its stream to two segments. */
  findTwins(): void {
    const places = new Map<string, SegmentReport>();
    for (const report of this.#reports.values()) {
      const { open } = report;
      if (open === undefined || open.file !== report.file) continue; // renamed: reported elsewhere, and not a twin of its original
      const place = `${open.seq}/${open.stream}`;
      const twin = places.get(place);
      if (twin === undefined) {
        places.set(place, report);
        continue;
      }
      const message = (other: SegmentReport): string =>
        `${other.file} has the same place, ${open.seq}, in the same stream`;
      this.#add(report.file, "FORK", message(twin));
      this.#add(twin.file, "FORK", message(report));
    }
  }

  /**
   * Blames the file referred to, unless a trusted key vouches for it and none for the file that
   * refers.
   */
  #disagree(
    state: FileState,
    { by, from, file }: Reference,
    target: SegmentReport,
    message: string,
  ): void {
    if (from !== undefined && target.isProven && !from.isProven) {
      this.#add(
        by,
        "FORK",
        `its record of ${file} is wrong, and ${file} is signed by a trusted key`,
      );
    } else {
      this.#add(target.file, state, message);
    }
  }

  /** Once for each file and state: many segments may refer to one file. */
  #add(file: string, state: FileState, message: string): void {
    const problems = this.problems.get(file) ?? [];
    if (problems.some((problem) => problem.state === state)) return;
    this.problems.set(file, [...problems, { state, line: 0, message }]);
  }

  #remark(file: string, remark: string): void {
    const remarks = this.remarks.get(file) ?? [];
    if (!remarks.includes(remark)) this.remarks.set(file, [...remarks, remark]);
  }
}

function wordFor(pins: readonly KnownState[]): string {
  return pins.some(({ by }) => by === A_PIN) ? "pinned" : "anchored";
}

/** The beginning of the remark on a file that is gone. */
export const MORE_GONE = "more may be gone";

/** States of a file whose later lines cannot be compared. */
const CUT_SHORT: ReadonlySet<FileState> = new Set(["TAMPERED", "MISSING", "UNREADABLE"]);

/**
 * Whether the place has only parts of the file, or hides it: the rest is judged, and its removal
 * too.
 */
export function isPartlyGone({ problems }: SegmentReport): boolean {
  return problems.some(({ state }) => state === "MISSING");
}

function spellRemoval({ state, at, policy, actor, location }: RecordedRemoval): string {
  return state === "ARCHIVED"
    ? `moved to ${location} on ${at}`
    : `removed on ${at} by ${actor} under '${policy}'`;
}

/** The root of a file's tree at a size; undefined where it is not known. */
function rootAt({ knownLeaves, roots }: SegmentReport, size: number): string | undefined {
  if (size === 0) return emptyRoot().toString("base64");
  return size > knownLeaves ? undefined : roots.get(size);
}

/**
 * Whether no line can have followed the recorded state. A writer never appends to its previous
 * segment, and no writer appends to a segment of an earlier day. A state that another writer saw on
 * the same day may have grown since.
 */
function isFinal({ from, isPrev }: Reference, { file, open }: SegmentReport): boolean {
  if (from?.open === undefined || isPrev === true) return isPrev === true;
  return dayWritten(from.open) > (open ? dayWritten(open) : (dayOfSegment(file) ?? ""));
}

function leaves(count: number): string {
  return count === 1 ? "1 leaf" : `${count} leaves`;
}
