// One run of an anchorer: verifies what is new in a log, appends one leaf, and has it confirmed.
// Over 300 lines: the steps of a run stand together, in their order.
import { readFirstLine } from "../format/read-control-line.ts";
import { LF } from "../format/lines.ts";
import { fileOfOrigin } from "../format/origin.ts";
import { dayOfSegment } from "../format/segment-name.ts";
import { AuditError } from "../errors.ts";
import { hasCode } from "../system-error.ts";
import { consistencyProof } from "../seal/consistency.ts";
import type { Checkpoint } from "../seal/note.ts";
import type { Signer } from "../seal/signer.ts";
import { examineSegment } from "../verify/examine-segment.ts";
import type { LogSource } from "../verify/log-source.ts";
import type { SegmentReport } from "../verify/segment-report.ts";
import { readTrustedKeys, type TrustedKeys } from "../verify/trusted-keys.ts";
import {
  type ExitCode,
  type FileState,
  STATE_EXIT_CODES,
  worstState,
} from "../verify/verification.ts";
import { AnchorLog, bundleLeaves } from "./anchor-log.ts";
import { type Followed, followSegment, type SegmentPlace } from "./follow-segment.ts";
import { beginRecord, runRecord } from "./record.ts";
import { type AnchorSink, reasonOf, RolledBack, spellLeaves } from "./sink.ts";
import { type AnchorStore, formatConfirmationName, leafName, leavesIn } from "./store.ts";

/** The memory of an anchorer between two runs. Its loss stops it: see `AnchorState.size`. */
export interface AnchorState {
  readonly origin: string;
  /** Leaves of the anchor log after the last run, and their root: an older copy is then refused. */
  readonly size: number;
  readonly root: string;
  /** Last confirmation by each sink. */
  readonly sinks: Readonly<Record<string, { readonly size: number; readonly at: string }>>;
  /** Sinks that did not confirm when they were last asked. */
  readonly failed: readonly string[];
  /** Files read so far, by `<log>/<file>`. */
  readonly files: Readonly<Record<string, KnownFile>>;
}

/** A file as the last run found it. */
export interface KnownFile {
  readonly bytes: number;
  /** Where to read on; absent for a file that ended. */
  readonly place?: SegmentPlace;
}

/** A new anchor log. */
export interface BeginOptions {
  /** Files of earlier days are neither verified nor anchored. @default false */
  readonly fromNow?: boolean;
  /** Days for which files are expected to be kept. @default no rule */
  readonly retentionDays?: number;
  /** The last checkpoint of the anchor log that this one continues. @default none */
  readonly previous?: string;
  /** @default the clock */
  readonly now?: Date;
}

/**
 * Makes an anchor log. The signer's name is its origin, and is used for no other log.
 * @throws {AuditError} `AUDIT_ANCHOR_REFUSED` where there is an anchor log already
 */
export async function beginAnchor(
  store: AnchorStore,
  signer: Signer,
  { fromNow = false, retentionDays, previous, now = new Date() }: BeginOptions = {},
): Promise<AnchorState> {
  const log = await AnchorLog.read(store, signer.vkey);
  const record = beginRecord({
    at: now.toISOString(),
    since: fromNow ? "now" : "start",
    retention: retentionDays ?? null,
    previous: previous ?? null,
  });
  const isNew = log.size === 0 && log.flaws.length === 0;
  if (!isNew || !(await log.append(record, signer)))
    throw new AuditError(
      "AUDIT_ANCHOR_REFUSED",
      `there is an anchor log already: ${store.location}`,
    );
  const root = log.rootAt(1) ?? "";
  return { origin: log.origin, size: 1, root, sinks: {}, failed: [], files: {} };
}

/** The log to anchor, and by whom. */
export interface AnchorRunOptions {
  /** Lists the log. */
  readonly sources: () => Promise<readonly LogSource[]>;
  /** `vkey`s that may have sealed it. Only what they sealed is anchored. */
  readonly trustedKeys: readonly string[];
  readonly signer: Signer;
  /** Parties that confirm. @default none */
  readonly sinks?: readonly AnchorSink[];
  /** Places that get every file of the anchor log. @default none */
  readonly copies?: readonly AnchorStore[];
  /** @default the clock */
  readonly now?: Date;
}

/** A file that was not anchored. */
export interface LeftOut {
  readonly file: string;
  readonly state: FileState;
  readonly message: string;
}

/** The outcome of a run. */
export interface AnchorRunResult {
  /** 1: something does not verify. 2: something is not proven, or a sink did not confirm. */
  readonly exitCode: ExitCode;
  /** Leaves of the anchor log. */
  readonly size: number;
  /** Segments whose new states were anchored. */
  readonly anchored: number;
  readonly leftOut: readonly LeftOut[];
  /** Sinks that confirmed in this run. */
  readonly confirmed: readonly string[];
  readonly failed: readonly {
    readonly sink: string;
    readonly reason: string;
    readonly isRollback: boolean;
  }[];
  /** Another anchorer appended meanwhile: nothing was written. */
  readonly hasYielded: boolean;
}

/**
 * One run.
 * @throws {AuditError} `AUDIT_ANCHOR_REFUSED` where the anchor log is altered, or behind what this
 * anchorer or a copy has seen of it; the errors of the log's and the anchor's places
 */
export async function runAnchor(
  log: AnchorLog,
  state: AnchorState,
  options: AnchorRunOptions,
): Promise<{ readonly result: AnchorRunResult; readonly state: AnchorState }> {
  const { sinks = [], copies = [], now = new Date(), signer } = options;
  // 1. The anchor log itself: whole, and at least as far as it is known to be.
  await log.catchUp();
  checkAnchorLog(log, state);
  const failed: AnchorRunResult["failed"][number][] = [];
  const reached = await findReached(log, copies, failed);

  // 2. What is new in the log.
  const reader = new LogReader(log, state, options);
  for (const source of await options.sources()) await reader.readSource(source);

  // 3. One leaf.
  const record = runRecord(now, reader.changed, state.failed);
  if (!(await log.append(record, signer))) {
    await log.catchUp();
    return { result: outcome(log, reader, { confirmed: [], failed, hasYielded: true }), state };
  }

  // 4. Copies and confirmations.
  await bundleIn(log.store, log.names, failed);
  for (const [copy, names] of reached) {
    await copyTo(log, copy, leavesIn(names), failed);
    await bundleIn(copy, names, failed);
  }
  const confirmed: string[] = [];
  const times = { ...state.sinks };
  for (const sink of sinks.filter((one) => isDue(one, state, now))) {
    try {
      await confirm(log, sink, times[sink.name]?.size ?? 0);
      confirmed.push(sink.name);
      times[sink.name] = { size: log.size, at: now.toISOString() };
    } catch (error) {
      failed.push({
        sink: sink.name,
        reason: sink.reasonOf(error),
        isRollback: error instanceof RolledBack,
      });
    }
  }
  const next: AnchorState = {
    origin: log.origin,
    size: log.size,
    root: log.rootAt(log.size) ?? "",
    sinks: times,
    failed: failed.map(({ sink }) => sink),
    files: reader.files,
  };
  return { result: outcome(log, reader, { confirmed, failed, hasYielded: false }), state: next };
}

function outcome(
  log: AnchorLog,
  { leftOut, changed }: LogReader,
  rest: Pick<AnchorRunResult, "confirmed" | "failed" | "hasYielded">,
): AnchorRunResult {
  const codes = leftOut.map(({ state }) => STATE_EXIT_CODES[state]);
  const isWrong = codes.includes(1) || rest.failed.some(({ isRollback }) => isRollback);
  const exitCode = isWrong ? 1 : codes.includes(2) || rest.failed.length > 0 ? 2 : 0;
  return { exitCode, size: log.size, anchored: changed.length, leftOut, ...rest };
}

function checkAnchorLog(log: AnchorLog, state: AnchorState): void {
  const [flaw] = log.flaws;
  if (flaw !== undefined)
    throw new AuditError("AUDIT_ANCHOR_REFUSED", `the anchor log is altered: ${flaw.message}`);
  if (state.origin !== log.origin) {
    throw new AuditError(
      "AUDIT_ANCHOR_REFUSED",
      `the state is of anchor log ${state.origin}, and the key of ${log.origin}`,
    );
  }
  if (state.size > log.size)
    throw new RolledBack(
      `the anchor log has ${spellLeaves(log.size)}, and had ${state.size} after the last run`,
    );
  if (log.rootAt(state.size) !== state.root)
    throw new RolledBack(
      `the anchor log is not the one of the last run at ${spellLeaves(state.size)}`,
    );
}

/** Whether a sink is to be asked. Half a second of slack: timers are not exact. */
function isDue(sink: AnchorSink, state: AnchorState, now: Date): boolean {
  const last = state.sinks[sink.name];
  return last === undefined || now.getTime() - Date.parse(last.at) >= sink.everyMs - 500;
}

/** Bundles leaves of earlier runs. A place that refuses is asked again in the next run. */
async function bundleIn(
  store: AnchorStore,
  names: readonly string[],
  failed: AnchorRunResult["failed"][number][],
): Promise<void> {
  try {
    await bundleLeaves(store, names);
  } catch (error) {
    failed.push({ sink: store.location, reason: reasonOf(error), isRollback: false });
  }
}

/** The copies that can be reached, and the files of each. */
async function findReached(
  log: AnchorLog,
  copies: readonly AnchorStore[],
  failed: AnchorRunResult["failed"][number][],
): Promise<Map<AnchorStore, readonly string[]>> {
  const reached = new Map<AnchorStore, readonly string[]>();
  for (const copy of copies) {
    const names = await copy.list().catch((error: unknown) => {
      failed.push({ sink: copy.location, reason: reasonOf(error), isRollback: false });
      return undefined;
    });
    if (names === undefined) continue;
    const count = leavesIn(names);
    if (count > log.size)
      throw new RolledBack(
        `the copy in ${copy.location} has ${spellLeaves(count)}, and the anchor log has ${log.size}`,
      );
    if (count > 0) {
      const [theirs, ours] = [
        await copy.read(leafName(count - 1)),
        await log.store.read(leafName(count - 1)),
      ];
      if (theirs === undefined || ours?.equals(theirs) !== true)
        throw new RolledBack(`the copy in ${copy.location} has another leaf ${count - 1}`);
    }
    reached.set(copy, names);
  }
  return reached;
}

async function copyTo(
  log: AnchorLog,
  copy: AnchorStore,
  from: number,
  failed: AnchorRunResult["failed"][number][],
): Promise<void> {
  try {
    for (let index = from; index < log.size; index += 1) {
      const bytes = await log.store.read(leafName(index));
      if (bytes === undefined || !(await copy.create(leafName(index), bytes)))
        throw new Error(`leaf ${index} is taken there`);
    }
  } catch (error) {
    failed.push({ sink: copy.location, reason: reasonOf(error), isRollback: false });
  }
}

async function confirm(log: AnchorLog, sink: AnchorSink, lastSize: number): Promise<void> {
  const { size, note = "" } = log;
  const answers = await sink.confirm({
    note,
    size,
    lastSize,
    proofFrom: (from) => (from === 0 ? [] : consistencyProof(log.leaves, from)),
  });
  for (const { kind, extension, bytes } of answers)
    await log.store.create(formatConfirmationName({ kind, size, by: sink.name, extension }), bytes);
}

/** A file as it is listed, and where the last run stopped. */
interface ListedFile {
  readonly file: string;
  readonly bytes: number;
  /** Its place in the state. */
  readonly key: string;
  /** Where the last run stopped; undefined: the file is new, or shorter than it was. */
  readonly place: SegmentPlace | undefined;
}

/** Reads what is new in a log since the last run. */
class LogReader {
  readonly changed: Checkpoint[] = [];
  readonly leftOut: LeftOut[] = [];
  readonly files: Record<string, KnownFile> = {};
  readonly #keyring: TrustedKeys;
  readonly #known: AnchorState["files"];
  /** The last anchored state of each segment, by origin and by file. */
  readonly #latest = new Map<string, Checkpoint>();
  readonly #byFile = new Map<string, Checkpoint[]>();
  /** Files of days before this one are passed over; undefined: none. */
  readonly #firstDay: string | undefined;

  constructor(log: AnchorLog, state: AnchorState, { trustedKeys }: AnchorRunOptions) {
    this.#keyring = readTrustedKeys(trustedKeys);
    this.#known = state.files;
    for (const { states } of log.records)
      for (const one of states) this.#latest.set(one.origin, one);
    for (const one of this.#latest.values()) {
      const file = fileOfOrigin(one.origin);
      this.#byFile.set(file, [...(this.#byFile.get(file) ?? []), one]);
    }
    const begin = log.records[0]?.leaf;
    if (begin?.type === "anchor.begin" && begin.since === "now")
      this.#firstDay = begin.at.slice(0, 10).replaceAll("-", "");
  }

  async readSource(source: LogSource): Promise<void> {
    const prefix = source.place?.name ?? "";
    for (const { file, bytes, oddity } of await source.files()) {
      const key = `${prefix}/${file}`;
      const day = dayOfSegment(file);
      if (oddity !== undefined || day === undefined) continue; // the verifier reports them
      if (this.#firstDay !== undefined && day < this.#firstDay) continue;
      const known = this.#known[key];
      if (known?.bytes === bytes) {
        this.files[key] = known;
        continue;
      }
      try {
        const place = known && bytes > known.bytes ? known.place : undefined;
        await this.#readFile(source, { file, bytes, key, place });
      } catch (error) {
        if (!hasCode(error, "ENOENT")) throw error; // retention removed it since it was listed
      }
    }
  }

  async #readFile(source: LogSource, { file, bytes, key, place }: ListedFile): Promise<void> {
    const followed = place && (await this.#follow(source, file, place));
    if (followed === undefined) await this.#readWhole(source, file, bytes, key);
    else await this.#takeFollowed(source, file, bytes, key, followed);
  }

  /** Reads the new lines of a file; undefined where all of it must be read. */
  async #follow(
    source: LogSource,
    file: string,
    place: SegmentPlace,
  ): Promise<(Followed & { readonly origin: string }) | undefined> {
    const rest = source.readFrom?.(file, place);
    if (rest === undefined) return undefined;
    const first = readFirstLine(await firstLineOf(source.read(file)));
    if (first.kind !== "segment") return undefined;
    const anchored = (this.#byFile.get(file) ?? []).find(
      ({ size, root }) => size === place.size && root === place.root,
    );
    if (anchored === undefined) return undefined; // what is remembered is not what was anchored
    const followed = await followSegment(first.open, place, rest, this.#keyring);
    return { ...followed, origin: anchored.origin };
  }

  async #takeFollowed(
    source: LogSource,
    file: string,
    bytes: number,
    key: string,
    followed: Followed & { readonly origin: string },
  ): Promise<void> {
    // The whole file is read to name what is wrong: with the lines, or with the place of one.
    if ("problem" in followed) return this.#readWhole(source, file, bytes, key);
    const { place, isClosed, origin } = followed;
    if (source.readFrom?.(file, place) === undefined)
      return this.#readWhole(source, file, bytes, key);
    if (place.size > (this.#latest.get(origin)?.size ?? 0)) {
      if (!isClosed) await source.sync?.(file);
      this.changed.push({ origin, size: place.size, root: place.root });
    }
    this.files[key] = isClosed ? { bytes } : { bytes, place };
  }

  async #readWhole(source: LogSource, file: string, bytes: number, key: string): Promise<void> {
    const anchored = this.#byFile.get(file) ?? [];
    const report = await examineSegment(file, source.read(file), {
      keyring: this.#keyring,
      signatures: "last",
      keepsSubtrees: true,
      sizesWanted: new Set(anchored.map(({ size }) => size)),
      isOfFile: (error) => !hasCode(error, "ENOENT") && (source.isOfFile?.(error) ?? true),
    });
    if (report.kind === "stub") return; // a writer has just made it
    const flaw = this.#flawOf(report, source);
    if (flaw !== undefined) {
      this.leftOut.push({ file: source.place?.labelOf(file) ?? file, ...flaw });
      return;
    }
    const { sealed, origin = "", isClosed, sealedBytes } = report;
    if (sealed.size > (this.#latest.get(origin)?.size ?? 0)) {
      if (!isClosed) await source.sync?.(file);
      this.changed.push({ origin, size: sealed.size, root: sealed.root });
    }
    const place = {
      offset: sealedBytes,
      size: sealed.size,
      root: sealed.root,
      subtrees: report.subtrees.map((node) => node.toString("base64")),
    };
    this.files[key] = isClosed ? { bytes } : { bytes, place };
  }

  /** Why a segment is not anchored; undefined where it is. */
  #flawOf(report: SegmentReport, source: LogSource): Omit<LeftOut, "file"> | undefined {
    const problems = [...report.problems, ...(source.place?.problemsOf(report) ?? [])];
    if (report.broken !== undefined) return { state: "TAMPERED", message: report.broken.message };
    const wrong = problems.filter(({ state }) => STATE_EXIT_CODES[state] === 1);
    const state = worstState(wrong);
    const first = wrong.find((problem) => problem.state === state);
    if (state !== undefined && first !== undefined) return { state, message: first.message };
    if (!report.isProven) {
      const problem = problems[0];
      return problem === undefined
        ? { state: "UNKNOWN_KEY", message: "no key that was given has sealed it" }
        : { state: problem.state, message: problem.message };
    }
    const before = this.#latest.get(report.origin ?? "");
    if (before === undefined) return undefined;
    const { size, root } = before;
    if (size > report.knownLeaves)
      return {
        state: "ROLLBACK",
        message: `anchored at ${spellLeaves(size)}; ${report.knownLeaves} are there`,
      };
    if (report.roots.get(size) !== root)
      return {
        state: "FORK",
        message: `another history: not what was anchored at ${spellLeaves(size)}`,
      };
    return undefined;
  }
}

async function firstLineOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  for await (const chunk of chunks) {
    const end = chunk.indexOf(LF);
    return end === -1 ? "" : chunk.toString("utf8", 0, end);
  }
  return "";
}
