// What files say about each other, and pins about files: is everything there that was ever recorded, and unchanged?
import type { RetentionHold, SegmentRef } from "../format/control-line.ts";
import { holdOn } from "./holds.ts";
import { emptyRoot } from "../seal/merkle.ts";
import { fileOfOrigin } from "../format/origin.ts";
import { type PruneRecord, type RemovalContext, Removals } from "./removals.ts";
import { dayOfSegment } from "../format/segment-name.ts";
import type { FileState, Pin, Problem } from "./verification.ts";
import type { SegmentReport } from "./segment-report.ts";

/** Something that refers to a state of a file. */
interface Reference extends SegmentRef {
  /** For messages: what refers. */
  readonly by: string;
  /** Undefined for a pin. */
  readonly from: SegmentReport | undefined;
  /** Whether the same writer refers to its previous segment. */
  readonly isPrev?: boolean;
  /** The origin a pin names. */
  readonly origin?: string;
}

/** A state that a segment records of one in another log of the same place. */
export interface RecordedState {
  readonly ref: SegmentRef;
  readonly from: SegmentReport;
}

/** What the links of a log show. */
export interface LinkReport {
  /** Problems by file, also of files that are not there. */
  readonly problems: ReadonlyMap<string, readonly Problem[]>;
  /** Files that are not there and are referred to, or that a prune line names: what is known of them. */
  readonly absent: ReadonlyMap<string, AbsentFile>;
  /** Whether the log says that a file was to be removed, or is of a time when everything is by now. */
  mayBeGone(file: string): boolean;
  /** Whether the log says that files of a day were removed: which streams they were of, it does not say. */
  isOfRemovalDay(day: string | undefined): boolean;
  /** Sealed records of removals, for other logs of the same place. */
  readonly prunes: readonly PruneRecord[];
  /** Files whose last checkpoint another segment records at a time when nothing could follow it any more. */
  readonly confirmed: ReadonlySet<string>;
  /** Pins that the log agrees with. */
  readonly confirmedPins: readonly Pin[];
}

/** What is known of a file that is not there. `OPEN`: it is still on its way from its writer. */
export interface AbsentFile {
  readonly state: "MISSING" | "PRUNED" | "ARCHIVED" | "OPEN";
  readonly leaves: number;
}

/** What the files alone do not say. */
export interface LinkContext extends RemovalContext {
  /** Whether a file may still be on its way. @default never */
  readonly isAwaited?: (file: string) => boolean;
  /** States of these files that another log of the same place records. @default none */
  readonly states?: readonly RecordedState[];
  /** Holds in force. @default none */
  readonly holds?: readonly RetentionHold[];
}

/** Everything that a segment records of others in its own log: in its first line, and where clean-up wrote it down. */
export function recordsOf({ open, seen }: SegmentReport): SegmentRef[] {
  // A first line that nothing seals, or under a bad signature, is no evidence against other files.
  return open === undefined
    ? []
    : [...referencesOf(open), ...seen.filter(({ file }) => !file.includes("/"))];
}

/** What a segment records of segments in another log of the same place, called `<log>/<file>`. */
export function recordsElsewhere(from: SegmentReport): RecordedState[] {
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

/** A pin as a reference to a file. */
export function referenceOfPin({ origin, size, root }: Pin): SegmentRef {
  return { file: fileOfOrigin(origin), size, root };
}

/** Follows every reference. */
export function followReferences(
  reports: readonly SegmentReport[],
  pins: readonly Pin[],
  context: LinkContext,
): LinkReport {
  const links = new Links(reports, context);
  for (const from of reports) {
    const prev = from.open?.prev;
    for (const ref of recordsOf(from))
      links.follow({ ...ref, by: from.file, from, isPrev: ref === prev });
  }
  for (const { ref, from } of context.states ?? []) links.follow({ ...ref, by: from.file, from });
  for (const pin of pins) {
    const isConfirmed = links.follow({
      ...referenceOfPin(pin),
      by: "a pin",
      from: undefined,
      origin: pin.origin,
    });
    if (isConfirmed && pin.size > 0) links.confirmedPins.push(pin); // every tree begins empty
  }
  links.listPruned();
  links.findTwins();
  return links;
}

class Links implements LinkReport {
  readonly problems: Map<string, Problem[]> = new Map();
  readonly absent: Map<string, AbsentFile> = new Map();
  readonly confirmed: Set<string> = new Set();
  readonly confirmedPins: Pin[] = [];
  readonly #reports: ReadonlyMap<string, SegmentReport>;
  readonly #removals: Removals;
  readonly #context: LinkContext;

  constructor(reports: readonly SegmentReport[], context: LinkContext) {
    this.#context = context;
    this.#reports = new Map(reports.map((report) => [report.file, report]));
    this.#removals = new Removals(reports, context);
  }

  get prunes(): readonly PruneRecord[] {
    return this.#removals.all;
  }

  mayBeGone(file: string): boolean {
    return this.#removals.mayBeGone(file);
  }

  isOfRemovalDay(day: string | undefined): boolean {
    const isGone = (file: string): boolean =>
      dayOfSegment(file) === day && !this.#reports.has(file);
    return [...this.#removals.byFile.keys()].some((file) => isGone(file) && this.mayBeGone(file));
  }

  /** Whether the log agrees with the reference. Disagreement is recorded. */
  follow(reference: Reference): boolean {
    const target = this.#reports.get(reference.file);
    if (target === undefined) {
      this.#followAbsent(reference);
      return false;
    }
    const { size, root, by, origin } = reference;
    if (target.kind === "unknown-version") return this.#followUnknown(reference, target);
    const isOtherTree =
      origin !== undefined && target.origin !== undefined && origin !== target.origin;
    if (target.kind === "foreign" || isOtherTree) {
      this.#disagree("FORK", reference, target, `not the segment that ${by} records`);
      return false;
    }
    if (size > target.knownLeaves) {
      // Where a file is altered nothing behind that can be compared; where it is not, it is too short.
      const isAltered = target.problems.some(
        ({ state }) => state === "TAMPERED" || state === "MISSING",
      );
      const message = `${by} records ${leaves(size)}; ${target.knownLeaves} ${target.knownLeaves === 1 ? "is" : "are"} there`;
      if (!isAltered) this.#disagree("ROLLBACK", reference, target, message);
      return false;
    }
    if (rootAt(target, size) !== root) {
      this.#disagree(
        "FORK",
        reference,
        target,
        `another history: not what ${by} records at ${leaves(size)}`,
      );
      return false;
    }
    if (size === target.sealed.size && isFinal(reference, target)) this.confirmed.add(target.file);
    return true;
  }

  /**
   * Its own rules are not known. Where those of version 1 give what was recorded, these are the same lines; where they
   * do not, either its rules are others or its lines were changed, and nobody who knows only version 1 can tell.
   */
  #followUnknown({ file, size, root, by }: Reference, target: SegmentReport): boolean {
    if (rootAt(target, size) === root) return true;
    this.#add(
      file,
      "UNKNOWN_VERSION",
      `by the rules of version 1 it is not what ${by} records at ${leaves(size)}`,
    );
    return false;
  }

  #followAbsent(reference: Reference): void {
    const { file, size, root, by, from } = reference;
    const prunes = this.#removals.byFile.get(file) ?? [];
    const { hasProven } = this.#removals;
    // What a trusted key recorded only a trusted key may declare removed. At a smaller size than the removed file had
    // there is no root to compare: that it is the same file rests on the remover's word, which must be signed. Where
    // nothing at all is proven, nothing ends as proven either.
    const needsProof = from === undefined || from.isProven;
    const isAuthorised = prunes.some(({ prune, isProven }) =>
      prune.leaves === size
        ? prune.root === root && (isProven || !needsProof || !hasProven)
        : prune.leaves > size && (isProven || !hasProven),
    );
    if (isAuthorised) return;
    const known = this.absent.get(file);
    const excuse = this.#removals.isExpired(file, from)
      ? "PRUNED"
      : this.#context.isAwaited?.(file) === true
        ? "OPEN"
        : undefined;
    if (excuse !== undefined) {
      if (known?.state !== "MISSING")
        this.absent.set(file, { state: excuse, leaves: Math.max(size, known?.leaves ?? 0) });
      return;
    }
    this.absent.set(file, { state: "MISSING", leaves: Math.max(size, known?.leaves ?? 0) });
    const why =
      prunes.length > 0 || this.#removals.misdated.has(file)
        ? "and the retention.prune line for it is of another state, of another day or not trusted"
        : "and no retention.prune line says why";
    this.#add(
      file,
      "MISSING",
      `${by} records ${leaves(size)}; the file is gone, ${why}${this.#holdOn(file)}`,
    );
  }

  /** Of a file that is gone: that a hold should have kept it. */
  #holdOn(file: string): string {
    const { hold, actor, reason } = holdOn(file, this.#context.holds ?? []) ?? {};
    return hold === undefined ? "" : `, though hold ${hold} by ${actor}: ${reason} keeps its day`;
  }

  /** Removed files are part of the picture, also where nothing refers to them any more. */
  listPruned(): void {
    for (const [file, prunes] of this.#removals.byFile) {
      if (this.#reports.has(file) || this.absent.has(file)) continue;
      const isPruned = prunes.some(({ prune }) => prune.type === "retention.prune");
      const leavesGone = Math.max(...prunes.map(({ prune }) => prune.leaves));
      this.absent.set(file, { state: isPruned ? "PRUNED" : "ARCHIVED", leaves: leavesGone });
    }
    for (const [file, leavesGone] of this.#removals.misdated) {
      if (this.#reports.has(file) || this.absent.has(file)) continue;
      this.absent.set(file, { state: "MISSING", leaves: leavesGone });
      this.#add(
        file,
        "MISSING",
        "the file is gone, and the retention.prune line for it is of another day than the file",
      );
    }
  }

  /** One writer never gives a place in its stream to two segments. */
  findTwins(): void {
    const places = new Map<string, SegmentReport>();
    for (const report of this.#reports.values()) {
      const { open } = report;
      if (open === undefined || open.file !== report.file) continue; // renamed: reported, and no twin of its original
      const place = `${open.seq}/${open.stream}`;
      const twin = places.get(place);
      if (twin === undefined) {
        places.set(place, report);
        continue;
      }
      this.#add(
        report.file,
        "FORK",
        `${twin.file} has the same place, ${open.seq}, in the same stream`,
      );
      this.#add(
        twin.file,
        "FORK",
        `${report.file} has the same place, ${open.seq}, in the same stream`,
      );
    }
  }

  /** Blames the file referred to, unless a trusted key vouches for it and none for the file that refers. */
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
        `what it records of ${file} is not so, and ${file} is signed by a trusted key`,
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
}

/** The root of a file's tree at a size; undefined where it is not known. */
function rootAt({ knownLeaves, roots }: SegmentReport, size: number): string | undefined {
  if (size === 0) return emptyRoot().toString("base64");
  return size > knownLeaves ? undefined : roots.get(size);
}

/**
 * Whether nothing can have followed what was recorded: a writer has let its previous segment go, and nobody appends to
 * a segment of an earlier day. (An import writes files of earlier days: those count as of the day they were begun on.)
 * What another writer saw on the same day may have grown after that.
 */
function isFinal({ from, isPrev }: Reference, { file, open }: SegmentReport): boolean {
  if (from === undefined || isPrev === true) return isPrev === true;
  const begun = open?.created.slice(0, "YYYY-MM-DD".length).replaceAll("-", "") ?? "";
  const day = dayOfSegment(file) ?? "";
  return (dayOfSegment(from.file) ?? "") > (begun > day ? begun : day);
}

function leaves(count: number): string {
  return count === 1 ? "1 leaf" : `${count} leaves`;
}
