// Ships closed segments to an archive, several at a time, and removes local copies that the archive has. Everything is
// safe to do twice and to break off anywhere: the archive confirms what is there, and a durable line precedes a removal.
import { join } from "node:path";
import { AuditError } from "../../errors.ts";
import { formatControlLine, type SegmentRef } from "../../format/control-line.ts";
import { segmentDay } from "../../format/segment-name.ts";
import type { SegmentArchive } from "../../retention/archive.ts";
import { type ExaminedSegment, examineSegment, isClosed } from "./archive-segment.ts";
import { ArchiveState, type Shipped } from "./archive-state.ts";
import type { Directory, ListedFile } from "./directory.ts";
import { linesStillNeeded } from "./carried-lines.ts";
import { readHolds } from "./holds.ts";
import { removeFile } from "../../files.ts";
import { recordedRefs } from "./seen.ts";
import { soleRecords } from "./sole-records.ts";

const DAY_MS = 86_400_000;
/** Other processes' segments, and what failed, are looked at so often. */
const INTERVAL_MS = 60_000;
/** Segments on their way at once. */
const CONCURRENCY = 4;

export interface ShipperOptions {
  readonly directory: Directory;
  readonly archive: SegmentArchive;
  /** True for the segment that the process itself has open. */
  readonly isOpen: (file: string) => boolean;
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

  /** Looks for something to do soon: a segment was ended, or the process begins. */
  nudge(): void {
    if (this.#isClosing) return; // close() looks once more
    this.#timer ??= setInterval(() => this.nudge(), INTERVAL_MS).unref();
    this.#isDue = true;
    this.#running ??= this.#runWhileDue();
  }

  /** Removes nothing more: the log is about to take no more lines. */
  beginClose(): void {
    this.#isClosing = true;
    clearInterval(this.#timer);
  }

  /** Ships what is left, and ends. */
  async close(): Promise<void> {
    this.beginClose();
    this.#isDue = true;
    this.#running ??= this.#runWhileDue();
    await this.#running;
  }

  async #runWhileDue(): Promise<void> {
    // The next turn of the event loop: what nudged it goes first.
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
    const examine = (file: ListedFile): Promise<ExaminedSegment | undefined> =>
      examineSegment(directory, file, directoryId, recorded.get(file.file) ?? []);
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
      const examined = await examine(listed);
      if (!examined) return; // retention was faster
      if (!examined.isProven) throw unproven();
      const location = await archive.store(examined.segment);
      const { sha256, stream } = examined.segment;
      await this.#state.remember(listed.file, { stream, sha256, location, confirmed: Date.now() });
    } catch (error) {
      this.#report(listed.file, error);
    }
  }

  /** Removes copies that have been in the archive long enough, oldest first. Never one of today: its name is still in use. */
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
    // Retention finds holds by the files that record them.
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
        if (this.#isClosing) return; // its record came too late: another time
        this.#report(file.file, error);
      }
    }
  }

  async #removeCopy(listed: ListedFile, known: Shipped, examine: Examine): Promise<void> {
    const { directory, archive, record } = this.#options;
    const { file } = listed;
    const examined = await examine(listed);
    if (!examined) return this.#state.forget(file);
    const { segment, prunedFiles, isProven } = examined;
    if (segment.sha256 !== known.sha256) {
      throw new AuditError(
        "AUDIT_READ_FAILED",
        `${file} is not what was shipped to ${known.location}`,
      );
    }
    if (!isProven) throw unproven();
    // Once more: much may have happened in the archive since.
    const location = await archive.store(segment);
    const { size, root } = segment.ref;
    const lines = [
      formatControlLine({
        type: "retention.archived",
        file,
        leaves: size,
        root,
        sha256: segment.sha256,
        location,
      }),
    ];
    // Of what is gone here, the archive has all records.
    const states = await soleRecords(directory, { files: new Set([file]), isMissed: () => false });
    lines.push(...(await linesStillNeeded(directory, [{ file, prunedFiles }], states)));
    await record(lines, states);
    await this.#state.reserveName(listed);
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
  }
}

type Examine = (file: ListedFile) => Promise<ExaminedSegment | undefined>;

/** An archive keeps what it has under a name for good: it is not given what is wrong. */
function unproven(): AuditError {
  const reason =
    "it is not what was sealed, or not what the log recorded of it: verify the directory";
  return new AuditError("AUDIT_READ_FAILED", reason);
}
