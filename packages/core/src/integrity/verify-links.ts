// What files say about each other, and pins about files: is everything there that was ever recorded, and unchanged?
import type { RemovalRecord, SegmentRef } from "./control-line.ts";
import { emptyRoot } from "./merkle.ts";
import { fileOfOrigin } from "./origin.ts";
import { dayOfSegment } from "./segment-name.ts";
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

/** A line that authorises a removal, and whether a trusted key vouches for it. */
export interface PruneRecord {
  readonly prune: RemovalRecord;
  readonly isProven: boolean;
}

/** What the files alone do not say. */
export interface LinkContext {
  readonly now: Date;
  /** Removals that another log of the same place records. @default none */
  readonly prunes?: readonly PruneRecord[];
  /** Whether a file may still be on its way. @default never */
  readonly isAwaited?: (file: string) => boolean;
  /** Whether these files are an archive: what was moved to it must be here. @default false */
  readonly isArchive?: boolean;
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
export function verifyLinks(reports: readonly SegmentReport[], pins: readonly Pin[], context: LinkContext): LinkReport {
  const links = new Links(reports, context);
  for (const from of reports) {
    // A first line that nothing seals, or under a bad signature, is no evidence against other files.
    if (from.open === undefined) continue;
    const { prev, seen } = from.open;
    if (prev !== null) links.follow({ ...prev, by: from.file, from, isPrev: true });
    for (const ref of seen) links.follow({ ...ref, by: from.file, from });
  }
  for (const pin of pins) {
    const isConfirmed = links.follow({ ...referenceOfPin(pin), by: "a pin", from: undefined, origin: pin.origin });
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
  readonly #prunes: Map<string, PruneRecord[]> = new Map();
  /** Leaves by file of lines that authorise nothing: they name times that the file cannot have held. */
  readonly #misdated: Map<string, number> = new Map();
  readonly #context: LinkContext;

  constructor(reports: readonly SegmentReport[], context: LinkContext) {
    this.#context = context;
    this.#reports = new Map(reports.map((report) => [report.file, report]));
    const own = reports.flatMap(({ prunes, isProven }) => prunes.map((prune) => ({ prune, isProven })));
    const counting = context.isArchive === true ? this.#ofNeverShipped(own) : own;
    for (const record of [...counting, ...(context.prunes ?? [])]) {
      const { file } = record.prune;
      if (!isOfItsDay(record.prune)) {
        this.#misdated.set(file, Math.max(record.prune.leaves, this.#misdated.get(file) ?? 0));
        continue;
      }
      const known = this.#prunes.get(file);
      if (known) known.push(record);
      else this.#prunes.set(file, [record]);
    }
  }

  /**
   * What a directory removed after it was shipped must be in the archive, whatever the directory's own retention says:
   * there only the archive's own does. What was removed before it could be shipped is nowhere.
   */
  #ofNeverShipped(records: readonly PruneRecord[]): PruneRecord[] {
    const counts = ({ isProven }: PruneRecord): boolean => isProven || !this.#hasProven();
    const shipped = new Set(
      records
        .filter((record) => record.prune.type === "retention.archived" && counts(record))
        .map(({ prune }) => prune.file),
    );
    return records.filter(({ prune }) => prune.type === "retention.prune" && !shipped.has(prune.file));
  }

  get prunes(): PruneRecord[] {
    return [...this.#prunes.values()].flat();
  }

  mayBeGone(file: string): boolean {
    const isPruned = this.#prunes.get(file)?.some(({ isProven }) => isProven || !this.#hasProven()) ?? false;
    return isPruned || this.#isExpired(file, undefined);
  }

  isOfRemovalDay(day: string | undefined): boolean {
    const isGone = (file: string): boolean => dayOfSegment(file) === day && !this.#reports.has(file);
    return [...this.#prunes.keys()].some((file) => isGone(file) && this.mayBeGone(file));
  }

  /** Whether the place itself has removed everything of the file's day by now, as a segment says that it does. */
  #isExpired(file: string, by: SegmentReport | undefined): boolean {
    const [, year = "", month = "", day = ""] = /^(\d{4})(\d\d)(\d\d)$/.exec(dayOfSegment(file) ?? "") ?? [];
    const time = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
    const witnesses = by ? [by] : [...this.#reports.values()].filter((report) => report.isProven || !this.#hasProven());
    return witnesses.some(({ open }) => {
      const days = open?.expires;
      return days !== undefined && time + days * DAY_MS <= this.#context.now.getTime();
    });
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
    const isOtherTree = origin !== undefined && target.origin !== undefined && origin !== target.origin;
    if (target.kind === "foreign" || isOtherTree) {
      this.#disagree("FORK", reference, target, `not the segment that ${by} records`);
      return false;
    }
    if (size > target.knownLeaves) {
      // Where a file is altered nothing behind that can be compared; where it is not, it is too short.
      const isAltered = target.problems.some(({ state }) => state === "TAMPERED" || state === "MISSING");
      const message = `${by} records ${leaves(size)}; ${target.knownLeaves} ${target.knownLeaves === 1 ? "is" : "are"} there`;
      if (!isAltered) this.#disagree("ROLLBACK", reference, target, message);
      return false;
    }
    if (rootAt(target, size) !== root) {
      this.#disagree("FORK", reference, target, `another history: not what ${by} records at ${leaves(size)}`);
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
    this.#add(file, "UNKNOWN_VERSION", `by the rules of version 1 it is not what ${by} records at ${leaves(size)}`);
    return false;
  }

  #followAbsent(reference: Reference): void {
    const { file, size, root, by, from } = reference;
    const prunes = this.#prunes.get(file) ?? [];
    const hasProven = this.#hasProven();
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
    const excuse = this.#isExpired(file, from)
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
      prunes.length > 0 || this.#misdated.has(file)
        ? "and the retention.prune line for it is of another state, of another day or not trusted"
        : "and no retention.prune line says why";
    this.#add(file, "MISSING", `${by} records ${leaves(size)}; the file is gone, ${why}`);
  }

  #hasProven(): boolean {
    return [...this.#reports.values()].some((report) => report.isProven);
  }

  /** Removed files are part of the picture, also where nothing refers to them any more. */
  listPruned(): void {
    for (const [file, prunes] of this.#prunes) {
      if (this.#reports.has(file) || this.absent.has(file)) continue;
      const isPruned = prunes.some(({ prune }) => prune.type === "retention.prune");
      const leavesGone = Math.max(...prunes.map(({ prune }) => prune.leaves));
      this.absent.set(file, { state: isPruned ? "PRUNED" : "ARCHIVED", leaves: leavesGone });
    }
    for (const [file, leavesGone] of this.#misdated) {
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
      this.#add(report.file, "FORK", `${twin.file} has the same place, ${open.seq}, in the same stream`);
      this.#add(twin.file, "FORK", `${report.file} has the same place, ${open.seq}, in the same stream`);
    }
  }

  /** Blames the file referred to, unless a trusted key vouches for it and none for the file that refers. */
  #disagree(state: FileState, { by, from, file }: Reference, target: SegmentReport, message: string): void {
    if (from !== undefined && target.isProven && !from.isProven) {
      this.#add(by, "FORK", `what it records of ${file} is not so, and ${file} is signed by a trusted key`);
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

/**
 * Whether a removal's times lie within the day of the file: entries lie in the file of their day, so any other line is
 * one that somebody was tricked into.
 */
function isOfItsDay(record: RemovalRecord): boolean {
  const day = dayOfSegment(record.file.slice(record.file.lastIndexOf("/") + 1));
  if (record.type !== "retention.prune" || day === undefined) return true;
  const start = Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`);
  return [record.from, record.to].every((time) => {
    const at = time === null ? start : Date.parse(time);
    return at >= start && at < start + DAY_MS;
  });
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

const DAY_MS = 86_400_000;

function leaves(count: number): string {
  return count === 1 ? "1 leaf" : `${count} leaves`;
}
