// Ships closed segments to an archive, and removes local copies that the archive has. Every step is
// safe to repeat and to interrupt: the archive confirms its bytes, and a durable line precedes a
// removal.
import { join } from "node:path";
import { AuditError } from "../../errors.ts";
import { removeFile } from "../../files.ts";
import { formatControlLine, type SegmentRef } from "../../format/control-line.ts";
import { segmentDay } from "../../format/segment-name.ts";
import type { ClosedSegment, SegmentArchive } from "../../retention/archive.ts";
import { planRemoval } from "../../retention/plan.ts";
import { readAt } from "../../retention/random-access.ts";
import { ArchiveState, type Shipped } from "./archive-state.ts";
import type { Directory, ListedFile } from "./directory.ts";
import { type ExaminedFile, examineFile, isClosed } from "./examine.ts";
import { readHolds } from "./holds.ts";
import { asCandidate, factsOf } from "./prune.ts";
import { recordedRefs } from "./records.ts";
import { DAY_MS } from "../../time.ts";

/** Time between two looks at segments of other processes, and at failed ones. */
const INTERVAL_MS = 60_000;
/** Segments stored at the same time. */
const CONCURRENCY = 4;

export interface ShipperOptions {
  readonly directory: Directory;
  readonly archive: SegmentArchive;
  /** True for the segment that the process itself has open. */
  readonly isOpen: (file: string) => boolean;
  /** Called like the archive's own `onError`. */
  readonly onProblem: (error: AuditError) => void;
  /** Makes control lines durable, and before them states of files that stay. */
  readonly record: (lines: readonly string[], states: readonly SegmentRef[]) => Promise<void>;
}

export class Shipper {
  readonly #options: ShipperOptions;
  readonly #state: ArchiveState;
  #running: Promise<void> | undefined;
  #isDue = false;
  #isClosing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#state = new ArchiveState(options.directory.path);
  }

  /** Looks for segments to ship soon, after the end of one or at the start of the process. */
  wake(): void {
    if (this.#isClosing) return; // close() looks once more
    this.#timer ??= setInterval(() => this.wake(), INTERVAL_MS).unref();
    this.#isDue = true;
    this.#running ??= this.#runWhileDue();
  }

  /** Stops removals: the log is about to take no more lines. */
  beginClose(): void {
    this.#isClosing = true;
    clearInterval(this.#timer);
  }

  /** Ships the remaining segments, and ends. */
  async close(): Promise<void> {
    this.beginClose();
    this.#isDue = true;
    this.#running ??= this.#runWhileDue();
    await this.#running;
  }

  async #runWhileDue(): Promise<void> {
    // In the next turn of the event loop, so that the caller goes first.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#isDue) {
      this.#isDue = false;
      try {
        await this.#runOnce();
      } catch (error) {
        this.#report("the directory", error);
      }
    }
    this.#running = undefined;
  }

  async #runOnce(): Promise<void> {
    const { directory, isOpen } = this.#options;
    const listed = (await directory.list()).filter(({ file }) => !isOpen(file));
    if (listed.length === 0) return;
    const directoryId = await this.#state.directoryId();
    const shipped = await this.#state.shipped();
    const recorded = Map.groupBy(await recordedRefs(directory), ({ file }) => file);
    const examine: Examine = async (file) => {
      const examined = await examineFile(directory, file, recorded.get(file.file) ?? []);
      if (!examined?.head || examined.head.foreign || examined.digest.bytes === 0) return undefined;
      return { examined, segment: closedSegment(directory, directoryId, examined) };
    };
    const waiting: ListedFile[] = [];
    for (const each of listed) {
      const stream = (await directory.head(each.file))?.stream;
      if (stream !== undefined && shipped.get(each.file)?.stream !== stream) waiting.push(each);
    }
    this.#options.archive.onWaiting?.(waiting.map(({ file }) => file));
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        for (let next = waiting.shift(); next; next = waiting.shift())
          await this.#ship(next, examine);
      }),
    );
    await this.#removeCopies(listed, await this.#state.shipped(), examine);
  }

  async #ship(listed: ListedFile, examine: Examine): Promise<void> {
    const { directory, archive, isOpen } = this.#options;
    try {
      if (!(await isClosed(directory, listed, Date.now())) || isOpen(listed.file)) return;
      const found = await examine(listed);
      if (!found) return; // retention was faster
      if (!isProven(found.examined)) throw unproven();
      const location = await archive.store(found.segment);
      const { sha256, stream } = found.segment;
      await this.#state.remember(listed.file, { stream, sha256, location, confirmed: Date.now() });
    } catch (error) {
      this.#report(listed.file, error);
    }
  }

  /**
   * Removes copies that were archived long enough ago, oldest first. Never one of today: its name
   * is still in use.
   */
  async #removeCopies(
    listed: readonly ListedFile[],
    shipped: ReadonlyMap<string, Shipped>,
    examine: Examine,
  ): Promise<void> {
    const { archive } = this.#options;
    if (archive.keepLocalDays === Infinity) return;
    const now = Date.now();
    const today = segmentDay(new Date(now));
    const { active, releases } = await readHolds(this.#options.directory);
    // Retention finds holds by reading the files that record them.
    const recordsHold = (file: string): boolean =>
      releases.has(file) || active.some((hold) => hold.file === file);
    for (const file of listed) {
      const known = shipped.get(file.file);
      if (this.#isClosing) return;
      if (!known || file.day >= today || known.confirmed + archive.keepLocalDays * DAY_MS > now)
        continue;
      if (recordsHold(file.file)) continue;
      try {
        await this.#removeCopy(file, known, examine);
      } catch (error) {
        if (this.#isClosing) return; // too late for its record: another time
        this.#report(file.file, error);
      }
    }
  }

  async #removeCopy(listed: ListedFile, known: Shipped, examine: Examine): Promise<void> {
    const { directory, archive, record } = this.#options;
    const { file } = listed;
    const found = await examine(listed);
    if (!found) return this.#state.forget(file);
    const { segment, examined } = found;
    if (segment.sha256 !== known.sha256) {
      throw new AuditError(
        "AUDIT_READ_FAILED",
        `${file} is not what was shipped to ${known.location}`,
      );
    }
    if (!isProven(examined)) throw unproven();
    // Once more: the archive may have changed since.
    const location = await archive.store(segment);
    const { size, root } = segment.ref;
    const archived = formatControlLine({
      type: "retention.archived",
      file,
      leaves: size,
      root,
      sha256: segment.sha256,
      location,
      at: new Date().toISOString(),
    });
    const candidate = await asCandidate(directory, examined);
    const facts = await factsOf(directory, [candidate]);
    // The archive has all records of files that are gone here.
    const { keep, states, carried } = planRemoval([{ ...candidate, flaw: undefined }], {
      ...facts,
      whyHeld: () => undefined,
      mustStayOnRecord: (kept) => facts.isThere(kept),
    });
    const [kept] = keep;
    if (kept) throw new AuditError("AUDIT_READ_FAILED", `${file}: ${kept.reason}`);
    await record([archived, ...carried], states);
    await this.#state.reserveName(listed);
    if ((await directory.sizeOf(file)) !== segment.bytes) return; // its writer has woken up after days: it stays
    await removeFile(join(directory.path, file));
    await directory.sync();
    await this.#state.forget(file);
  }

  #report(what: string, cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = new AuditError("AUDIT_WRITE_FAILED", `${what} was not shipped: ${reason}`, {
      cause,
    });
    this.#options.archive.onError(error);
    this.#options.onProblem(error);
  }
}

/** Undefined for a file that is gone, or that is not a segment. */
type Examine = (
  file: ListedFile,
) => Promise<{ readonly examined: ExaminedFile; readonly segment: ClosedSegment } | undefined>;

/** An altered file, or one that differs from its record, is neither shipped nor removed. */
function isProven({ isSound, sealed }: ExaminedFile): boolean {
  return isSound && sealed !== undefined;
}

/** An archive keeps a segment under its name permanently, so it is not given an altered one. */
function unproven(): AuditError {
  const reason = "it does not match its seal, or the log's record of it: verify the directory";
  return new AuditError("AUDIT_READ_FAILED", reason);
}

function closedSegment(
  directory: Directory,
  directoryId: string,
  { file, day, head, digest, sealed }: ExaminedFile,
): ClosedSegment {
  return {
    file,
    directory: directoryId,
    day,
    stream: head?.stream ?? "",
    bytes: digest.bytes,
    sha256: digest.sha256(),
    ref: sealed ?? { file, size: 0, root: "" },
    entries: digest.entries,
    linked: digest.linked,
    isSecondTry: digest.isSecondTry,
    firstId: digest.firstId,
    lastId: digest.lastId,
    read: (from, to) => readRange(directory, file, from, to),
  };
}

async function readRange(
  directory: Directory,
  file: string,
  from: number,
  to: number,
): Promise<Buffer> {
  const handle = await directory.open(file);
  if (!handle) throw new Error(`${file} was removed while it was shipped`);
  try {
    return await readAt(handle, from, to - from);
  } finally {
    await handle.close();
  }
}
