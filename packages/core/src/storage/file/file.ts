// The log as files of one directory: who writes which line into which segment, and when a segment ends.
import { recordsCallAgain } from "../../format/entry-line.ts";
import { AuditWriteError } from "../../errors.ts";
import { newStream, timeOfId } from "../../format/id.ts";
import { Segment } from "../segment.ts";
import type { SegmentRef } from "../../format/control-line.ts";
import { segmentDay } from "../../format/segment-name.ts";
import type { Signer } from "../../seal/signer.ts";
import { SDK } from "../../version.ts";
import { makeDirectory, makeMissing } from "../../files.ts";
import { Actor } from "../../retention/trust.ts";
import { Shipper } from "./ship.ts";
import { checkLine } from "../../format/check-line.ts";
import { Directory } from "./directory.ts";
import { type FileStorageOptions, resolveOptions } from "./options.ts";
import { pruneDirectory } from "./prune.ts";
import { countEntries, findEntry, readPages } from "./read.ts";
import { type PendingLine, WriteLane } from "../lane.ts";
import { OwnFile } from "./own-file.ts";
import { latestStates, MAX_STATES } from "./witnessed.ts";
import { reading, readingPages } from "../read-failure.ts";
import type {
  AuditStorage,
  OnProgress,
  PruneOptions,
  PruneResult,
  TimeRange,
  WriteStatus,
} from "../storage.ts";

export type { FileStorageOptions } from "./options.ts";

/** Bytes of lines in one write at most: bounds memory, and the time until the first of them is acknowledged. */
const COMMIT_BYTES = 8 * 2 ** 20;
const MIB = 2 ** 20;
const DAY_MS = 86_400_000;
const LF = 0x0a;
/** Room for what a segment adds to its lines when it ends: `segment.close` and two checkpoints. */
const END_BYTES = 1024;

interface OpenSegment {
  readonly day: string;
  readonly segment: Segment;
  readonly file: OwnFile;
  lastId: string;
  /** Bytes of the first line, once they were handed to the file. */
  firstLineBytes: number;
}

/**
 * Keeps the log in a directory, in the format of docs/format.md. Any number of processes and instances may log to
 * one directory: each writes segments of its own.
 */
export class FileStorage implements AuditStorage {
  readonly stream: string = newStream();
  readonly durable: boolean = true;
  /** Absolute path of the directory. */
  readonly path: string;
  readonly #directory: Directory;
  readonly #rotationBytes: number;
  readonly #sync: boolean;
  readonly #signer: Signer | undefined;
  /** Of the archive, not of the directory. */
  readonly #expiresDays: number | undefined;
  readonly #lane: WriteLane;
  readonly #shipper: Shipper | undefined;
  #open: OpenSegment | undefined;
  #seq = 0;
  #prev: SegmentRef | null = null;
  #endOfDay: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  /** Throws `AUDIT_CONFIG_INVALID`, and `AUDIT_KEY_INVALID` for a trusted key that is none. */
  constructor(options: FileStorageOptions) {
    const { path, rotationSizeMb, durability, signer, trustedKeys, archive } =
      resolveOptions(options);
    this.path = path;
    this.#directory = new Directory(this.path, new Actor(signer?.vkey, trustedKeys));
    this.#rotationBytes = rotationSizeMb * MIB;
    this.#sync = durability === "fsync";
    this.#signer = signer;
    this.#expiresDays = archive?.expiresDays;
    this.#shipper =
      archive &&
      new Shipper({
        archive,
        directory: this.#directory,
        isOpen: (file) => this.#open?.file.name === file,
        record: (lines, states) => this.#record(lines, states),
      });
    this.#lane = new WriteLane({
      take: (waiting) => this.#take(waiting),
      commit: (lines) => this.#commit(lines),
    });
  }

  append(line: string, id?: string): Promise<void> {
    try {
      checkLine(line, id);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#lane.append(line, id);
  }

  lose(id: string, reason: string): void {
    this.#lane.lose(id, reason);
  }

  get(id: string): Promise<string | undefined> {
    return reading("the log could not be searched", findEntry(this.#directory, id));
  }

  pages(
    range: TimeRange,
    order: "oldest-first" | "newest-first",
    onProgress?: OnProgress,
  ): AsyncIterable<readonly string[]> {
    return readingPages(
      "the log could not be read",
      readPages(this.#directory, range, order, onProgress),
    );
  }

  count(range: TimeRange): Promise<number> {
    return reading("the log could not be counted", countEntries(this.#directory, range));
  }

  prune(options: PruneOptions): Promise<PruneResult> {
    const remover = {
      isOpen: (file: string) => this.#open?.file.name === file,
      record: (lines: readonly string[], states: readonly SegmentRef[]) =>
        this.#record(lines, states),
    };
    return reading(
      "expired files could not be removed",
      pruneDirectory(this.#directory, options, remover),
    );
  }

  status(): WriteStatus {
    return this.#lane.status();
  }

  flush(): Promise<void> {
    return this.#lane.flush();
  }

  /** Also ships what the archive lacks; what cannot be shipped now is told to the archive's `onError`. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#shipper?.beginClose();
    try {
      await this.#lane.close(() => this.#end("close"));
    } finally {
      await this.#shipper?.close();
    }
  }

  /** A commit stays within one UTC day, one ascending run of ids, and the size limit. */
  #take(waiting: readonly PendingLine[]): number {
    const room = Math.min(
      COMMIT_BYTES,
      this.#rotationBytes - END_BYTES - (this.#open?.file.bytes ?? 0),
    );
    let bytes = 0;
    let last = "";
    let day = 0;
    let taken = 0;
    for (const { id, bytes: size } of waiting) {
      bytes += size + 1;
      if (taken > 0 && bytes > room) break;
      if (id !== undefined) {
        const idDay = Math.floor((timeOfId(id) ?? 0) / DAY_MS);
        if (last !== "" && (id <= last || idDay !== day)) break;
        last = id;
        day = idDay;
      }
      taken += 1;
    }
    return taken;
  }

  async #commit(lines: readonly PendingLine[]): Promise<void> {
    const ids = lines.flatMap(({ id }) => id ?? []);
    const bytes = lines.reduce((sum, line) => sum + line.bytes + 1, 0);
    const day = ids[0] === undefined ? segmentDay(new Date()) : dayOfId(ids[0]);
    const reason = this.#open && whyEnd(this.#open, day, ids[0], bytes, this.#rotationBytes);
    // A segment that cannot be ended stays unclosed, which the verifier reports. It costs the next one nothing.
    if (reason) await this.#end(reason).catch(() => undefined);
    const open = (this.#open ??= await this.#start(day));
    const sealed = open.segment.seal(
      lines.map(({ line }) => line),
      ids.length,
      lines.filter(({ line }) => recordsCallAgain(line)).length,
    );
    open.firstLineBytes ||= sealed.indexOf(LF) + 1;
    try {
      await open.file.write(sealed);
    } catch (error) {
      // Nobody knows what the file holds now: nothing more is ever written to it. What this fails with follows from it.
      await this.#letGo(open).catch(() => undefined);
      throw error;
    }
    this.#prev = open.segment.ref();
    open.lastId = ids.at(-1) ?? open.lastId;
  }

  /** Makes control lines durable. `states` are before that, at the beginning of a segment, where all look for them. */
  async #record(lines: readonly string[], states: readonly SegmentRef[]): Promise<void> {
    const [first = "", ...others] = lines;
    if (states.length === 0)
      return void (await Promise.all(lines.map((line) => this.append(line))));
    await this.#lane.exclusive(() => this.#beginWith(states, first));
    await Promise.all(others.map((line) => this.append(line)));
  }

  /** A segment that records these states and goes on with this line; before it as many as they fill. */
  async #beginWith(states: readonly SegmentRef[], line: string): Promise<void> {
    if (this.#closing) throw new AuditWriteError("AUDIT_CLOSED", "the storage is closed");
    for (let at = 0; at < states.length; at += MAX_STATES) {
      if (at === 0) await this.#end("retention").catch(() => undefined); // as in #commit()
      else await this.#end("retention");
      this.#open = await this.#start(segmentDay(new Date()), states.slice(at, at + MAX_STATES));
    }
    await this.#commit([{ line, id: undefined, bytes: Buffer.byteLength(line) }]);
  }

  /** `kept`: states to record whoever recorded them before. */
  async #start(day: string, kept: readonly SegmentRef[] = []): Promise<OpenSegment> {
    if (this.#sync) await makeDirectory(this.path);
    else await makeMissing(this.path);
    const file = await OwnFile.create(this.#directory, day, {
      sync: this.#sync,
      previous: this.#prev?.file,
    });
    try {
      const segment = new Segment({
        file: file.name,
        stream: this.stream,
        seq: this.#seq,
        created: new Date().toISOString(),
        prev: this.#prev,
        seen: await this.#statesFor(file.name, kept),
        sdk: SDK,
        ...(this.#signer && { signer: this.#signer }),
        ...(this.#expiresDays !== undefined && { expires: this.#expiresDays }),
      });
      this.#watchEndOfDay(day);
      this.#shipper?.wake();
      return { day, segment, file, lastId: "", firstLineBytes: 0 };
    } catch (error) {
      await file.release();
      throw error;
    }
  }

  async #statesFor(file: string, kept: readonly SegmentRef[]): Promise<SegmentRef[]> {
    const latest = await latestStates(this.#directory, this.stream, file, MAX_STATES - kept.length);
    const known = new Set(kept.map((ref) => `${ref.file} ${ref.size} ${ref.root}`));
    return [...kept, ...latest.filter((ref) => !known.has(`${ref.file} ${ref.size} ${ref.root}`))];
  }

  /** Writes the segment's last lines and lets it go. */
  async #end(reason: string): Promise<void> {
    const open = this.#open;
    if (!open) return;
    try {
      await open.file.write(open.segment.close(reason));
      this.#prev = open.segment.ref();
    } finally {
      await this.#letGo(open);
    }
  }

  async #letGo(open: OpenSegment): Promise<void> {
    clearTimeout(this.#endOfDay);
    this.#open = undefined;
    // A segment takes its place in the stream once its first line is there, even if what followed failed.
    try {
      if ((await open.file.size()) >= Math.max(open.firstLineBytes, 1)) this.#seq += 1;
    } finally {
      await open.file.release();
      this.#shipper?.wake();
    }
  }

  /** An idle writer ends its segment when its day does, so that yesterday's log verifies as closed. */
  #watchEndOfDay(day: string): void {
    clearTimeout(this.#endOfDay);
    const isOver = day < segmentDay(new Date()); // written just before midnight, or imported
    const restOfDayMs = isOver ? 0 : DAY_MS - (Date.now() % DAY_MS);
    this.#endOfDay = setTimeout(() => {
      const end = async (): Promise<void> => {
        if (this.#open && this.#open.day < segmentDay(new Date())) await this.#end("day");
      };
      this.#lane.exclusive(end).catch(() => undefined); // the segment stays unclosed, which the verifier reports
    }, restOfDayMs + 1000).unref();
  }
}

function dayOfId(id: string): string {
  return segmentDay(new Date(timeOfId(id) ?? Date.now()));
}

function whyEnd(
  open: OpenSegment,
  day: string,
  firstId: string | undefined,
  bytes: number,
  limit: number,
): string {
  // An entry lies in its own day's file, where its id leads. Control lines alone never go back a day.
  if (day > open.day || (firstId !== undefined && day < open.day)) return "day";
  if (open.file.wasMoved()) return "moved"; // a file that others rename is not found under any name we know
  if (open.file.bytes > 0 && open.file.bytes + bytes + END_BYTES > limit) return "size";
  if (firstId !== undefined && firstId <= open.lastId) return "order"; // bisection relies on ascending ids
  return "";
}
