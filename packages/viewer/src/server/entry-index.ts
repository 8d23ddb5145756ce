// An index of the clear fields of a log's entries, in memory and in columns. It is built from the
// log at each start and can be thrown away at any time. Over 300 lines: only this file knows how the
// columns are filled and read.
import type { AuditEntry, AuditStorage } from "@ai-audit/core";
import { lineToEntry } from "@ai-audit/core/format";
import {
  actorOf,
  agentOf,
  type FigureFacts,
  type FilterConditions,
  interruptsOf,
  isDuplicate,
  isEvent,
  mayConcernReview,
  type OutcomeClass,
  outcomeClass,
  outcomeOf,
  targetOf,
  toolOf,
} from "@ai-audit/core/reading";
import type { EntryRow } from "../data/rows.ts";
import { type Findings, NO_FINDINGS } from "./marks.ts";

/** Fields that are kept as strings, each distinct one once. */
const STRINGS = [
  "operation",
  "provider",
  "model",
  "responseModel",
  "target",
  "tool",
  "agent",
  "actor",
  "outcome",
  "detectors",
  "reason",
  "conversation",
  "thread",
  "root",
  "subject",
] as const;

/** One of them. */
export type StringField = (typeof STRINGS)[number];

const NUMBERS = ["at", "latencyMs", "inputTokens", "outputTokens"] as const;

const ENDS: readonly OutcomeClass[] = ["ok", "blocked", "error", "stopped"];

/** Bits of an entry's flags; the lowest two are the index in `ENDS`. */
const FLAG = { duplicate: 4, event: 8, passed: 16, content: 32 } as const;

/** Entries may become readable this much later than their time: their process commits first. */
const LATE_MS = 10_000;

/** Separates names of detectors: no name holds it. */
const SEPARATOR = "\u0000";

/** The index. Rows are numbers from 0; `order` has them by time. */
export class EntryIndex {
  readonly #storage: Pick<AuditStorage, "pages">;
  #capacity = 1024;
  #size = 0;
  #ids: string[] = [];
  #order: Uint32Array = new Uint32Array(this.#capacity);
  #flags: Uint8Array = new Uint8Array(this.#capacity);
  readonly #numbers: Record<(typeof NUMBERS)[number], Float64Array>;
  readonly #strings: Record<StringField, Uint32Array>;
  /** Distinct strings; 0 stands for an absent one. */
  readonly #texts: string[] = [""];
  readonly #codes = new Map<string, number>();
  readonly #recent = new Set<string>();
  readonly #reviews: AuditEntry[] = [];
  #findings: Findings = NO_FINDINGS;
  #covered: Coverage = { rows: 0, before: -Infinity };
  #share = 0;

  constructor(storage: Pick<AuditStorage, "pages">) {
    this.#storage = storage;
    const numbers = (): Float64Array => new Float64Array(this.#capacity);
    this.#numbers = {
      at: numbers(),
      latencyMs: numbers(),
      inputTokens: numbers(),
      outputTokens: numbers(),
    };
    const codes = STRINGS.map((field) => [field, new Uint32Array(this.#capacity)]);
    this.#strings = Object.fromEntries(codes);
  }

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** Share of the log that was read, from 0 to 1. */
  get share(): number {
    return this.#share;
  }

  /** Entries that ask for a person's decision, and the decisions, oldest first. */
  get reviews(): readonly AuditEntry[] {
    return this.#reviews;
  }

  /**
   * The entries that a verification covers which begins now: those that were read before, or, while
   * the log is still being read, those of an earlier time.
   */
  coverage(): Coverage {
    const isRead = this.#share === 1;
    return isRead
      ? { rows: this.#size, before: -Infinity }
      : { rows: 0, before: Date.now() - LATE_MS };
  }

  /** Takes in what a verification found about the entries that it covers. */
  judge(findings: Findings, covered: Coverage): void {
    this.#findings = findings;
    this.#covered = covered;
  }

  /** Reads the log, or what was added to it. Resolves to the number of new entries. */
  async refresh(): Promise<number> {
    const before = this.#size;
    const isFirst = this.#share < 1;
    const range = isFirst ? {} : { from: this.timeAt(this.#size - 1) - LATE_MS };
    const onProgress = (share: number): void => {
      if (isFirst) this.#share = Math.min(share, 0.999);
    };
    const seen = new Set<string>();
    for await (const page of this.#storage.pages(range, "oldest-first", onProgress)) {
      for (const line of page) {
        const entry = lineToEntry(line);
        if (entry === undefined) continue;
        if (!isFirst) seen.add(entry.id);
        if (this.#recent.has(entry.id)) continue;
        this.#add(entry);
        this.#recent.add(entry.id);
        if (mayConcernReview(line)) this.#reviews.push(entry);
      }
      if (isFirst) this.#forgetOld();
    }
    this.#share = 1;
    if (!isFirst) this.#forgetOld();
    return this.#size - before;
  }

  /** Only entries that a later refresh reads again are remembered. */
  #forgetOld(): void {
    const limit = this.timeAt(this.#size - 1) - 2 * LATE_MS;
    let from = this.#size;
    while (from > 0 && this.timeAt(from - 1) >= limit) from -= 1;
    this.#recent.clear();
    for (let place = from; place < this.#size; place += 1) this.#recent.add(this.idAt(place));
  }

  #add(entry: AuditEntry): void {
    if (this.#size === this.#capacity) this.#grow();
    const row = this.#size;
    this.#size += 1;
    this.#ids.push(entry.id);
    const at = Date.parse(entry.timestamp);
    this.#numbers.at[row] = at;
    this.#numbers.latencyMs[row] = entry.latencyMs ?? Number.NaN;
    this.#numbers.inputTokens[row] = entry.inputTokens ?? Number.NaN;
    this.#numbers.outputTokens[row] = entry.outputTokens ?? Number.NaN;
    this.#flags[row] =
      ENDS.indexOf(outcomeClass(entry)) |
      (isDuplicate(entry) ? FLAG.duplicate : 0) |
      (isEvent(entry) ? FLAG.event : 0) |
      (entry.safetyPassed ? FLAG.passed : 0) |
      (entry.inputContent !== null || entry.outputContent !== null ? FLAG.content : 0);
    const strings: Readonly<Record<StringField, string | null | undefined>> = {
      operation: entry.operation,
      provider: entry.provider,
      model: entry.model,
      responseModel: entry.responseModel,
      target: targetOf(entry),
      tool: toolOf(entry),
      agent: agentOf(entry),
      actor: actorOf(entry),
      outcome: outcomeOf(entry),
      detectors: entry.detectorsTriggered.join(SEPARATOR) || undefined,
      reason: entry.blockReason,
      conversation: entry.conversationId,
      thread: entry.run?.threadId,
      root: entry.run?.rootId,
      subject: entry.subject,
    };
    for (const field of STRINGS) this.#strings[field][row] = this.#codeOf(strings[field]);
    let place = row;
    for (; place > 0 && this.timeAt(place - 1) > at; place -= 1)
      this.#order[place] = this.#order[place - 1] ?? 0;
    this.#order[place] = row;
  }

  #codeOf(text: string | null | undefined): number {
    if (text === null || text === undefined) return 0;
    const code = this.#codes.get(text);
    if (code !== undefined) return code;
    this.#texts.push(text);
    this.#codes.set(text, this.#texts.length - 1);
    return this.#texts.length - 1;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#order = larger(new Uint32Array(this.#capacity), this.#order);
    this.#flags = larger(new Uint8Array(this.#capacity), this.#flags);
    for (const name of NUMBERS)
      this.#numbers[name] = larger(new Float64Array(this.#capacity), this.#numbers[name]);
    for (const name of STRINGS)
      this.#strings[name] = larger(new Uint32Array(this.#capacity), this.#strings[name]);
  }

  /** Time of the entry at a place of the order, in milliseconds since the epoch. */
  timeAt(place: number): number {
    return this.#numbers.at[this.#order[place] ?? 0] ?? 0;
  }

  /** Id of the entry at a place. */
  idAt(place: number): string {
    return this.#ids[this.#order[place] ?? 0] ?? "";
  }

  /** A string of the entry at a place. */
  textAt(place: number, field: StringField): string | undefined {
    const code = this.#strings[field][this.#order[place] ?? 0] ?? 0;
    return code === 0 ? undefined : this.#texts[code];
  }

  /** Whether the content of the entry at a place is kept, not only its hashes. */
  hasContentAt(place: number): boolean {
    return ((this.#flags[this.#order[place] ?? 0] ?? 0) & FLAG.content) !== 0;
  }

  /** The facts that figures count. */
  factsAt(place: number): FigureFacts {
    const row = this.#order[place] ?? 0;
    const flags = this.#flags[row] ?? 0;
    return {
      isDuplicate: (flags & FLAG.duplicate) !== 0,
      isEvent: (flags & FLAG.event) !== 0,
      ended: ENDS[flags & 3] ?? "ok",
      safetyPassed: (flags & FLAG.passed) !== 0,
      latencyMs: known(this.#numbers.latencyMs[row]),
      inputTokens: known(this.#numbers.inputTokens[row]),
      outputTokens: known(this.#numbers.outputTokens[row]),
    };
  }

  /** The entry at a place, as a row of a list. */
  rowAt(place: number): EntryRow {
    const { ended, safetyPassed, latencyMs, inputTokens, outputTokens } = this.factsAt(place);
    const text = (field: StringField): string | null => this.textAt(place, field) ?? null;
    const id = this.idAt(place);
    const { marks, unknown, isComplete } = this.#findings;
    const mark = marks.get(id);
    const { rows, before } = this.#covered;
    const isCovered = (this.#order[place] ?? 0) < rows || this.timeAt(place) < before;
    return {
      id,
      timestamp: new Date(this.timeAt(place)).toISOString(),
      operation: text("operation"),
      provider: text("provider"),
      model: text("model"),
      target: text("target"),
      agent: text("agent"),
      actor: text("actor"),
      outcome: text("outcome") ?? "-",
      ended,
      safetyPassed,
      detectors: text("detectors")?.split(SEPARATOR) ?? [],
      reason: text("reason"),
      latencyMs,
      inputTokens,
      outputTokens,
      conversation: text("conversation"),
      root: text("root"),
      subject: text("subject"),
      ...(mark && { mark }),
      isAsSealed: isComplete && isCovered && mark === undefined && !unknown.has(id),
    };
  }

  /** The place of an entry; undefined if it is not in the index. */
  placeOf(id: string, timestamp: string): number | undefined {
    const at = Date.parse(timestamp);
    for (let place = this.placeFrom(at); place < this.#size; place += 1) {
      if (this.timeAt(place) > at) return undefined;
      if (this.idAt(place) === id) return place;
    }
    return undefined;
  }

  /** The first place at or after a time. */
  placeFrom(at: number): number {
    let [low, high] = [0, this.#size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timeAt(middle) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Places of the entries of a time range that meet conditions on clear fields, by time. */
  select(conditions: IndexConditions, { from, to }: { from?: number; to?: number }): Uint32Array {
    const begin = from === undefined ? 0 : this.placeFrom(from);
    const end = to === undefined ? this.#size : this.placeFrom(to + 1);
    const tests = this.#testsOf(conditions);
    const found = new Uint32Array(Math.max(0, end - begin));
    let count = 0;
    for (let place = begin; place < end; place += 1) {
      const row = this.#order[place] ?? 0;
      if (!tests.every((test) => test(row))) continue;
      found[count] = place;
      count += 1;
    }
    return found.subarray(0, count);
  }

  /** Codes of the invocations in which a person decided something. */
  #decidedRoots(): ReadonlySet<number> {
    const rootOf = new Map(
      this.#reviews.flatMap((entry) =>
        keysOf(entry).map((key) => [key, entry.run?.rootId ?? entry.run?.id] as const),
      ),
    );
    const roots = this.#reviews.flatMap(({ review, run }) =>
      review === undefined ? [] : [run?.rootId, rootOf.get(review.of)],
    );
    return new Set(roots.flatMap((root) => this.#codes.get(root ?? "") ?? []));
  }

  #testsOf(conditions: IndexConditions): readonly ((row: number) => boolean)[] {
    const { flagged, marked, detector, model, subjectIds, blocked, failed, undecided, ...equal } =
      conditions;
    const tests: ((row: number) => boolean)[] = [];
    for (const [field, wanted] of Object.entries(equal)) {
      if (wanted === undefined || !isStringField(field)) continue;
      const [column, code] = [this.#strings[field], this.#codes.get(wanted)];
      tests.push(code === undefined ? () => false : (row) => column[row] === code);
    }
    if (model !== undefined) {
      const { model: asked, responseModel: served } = this.#strings;
      const code = this.#codes.get(model) ?? -1;
      tests.push((row) => asked[row] === code || served[row] === code);
    }
    if (subjectIds !== undefined) {
      const codes = new Set(subjectIds.map((id) => this.#codes.get(id)));
      const column = this.#strings.subject;
      tests.push((row) => codes.has(column[row]));
    }
    if (detector !== undefined) {
      const column = this.#strings.detectors;
      const codes = new Set(
        this.#texts.flatMap((text, code) =>
          text.split(SEPARATOR).includes(detector) ? [code] : [],
        ),
      );
      codes.delete(0);
      tests.push((row) => codes.has(column[row] ?? 0));
    }
    if (flagged) tests.push((row) => ((this.#flags[row] ?? 0) & FLAG.passed) === 0);
    if (blocked) tests.push((row) => ENDS[(this.#flags[row] ?? 0) & 3] === "blocked");
    if (failed) tests.push((row) => ENDS[(this.#flags[row] ?? 0) & 3] === "error");
    if (undecided) {
      const { operation, root } = this.#strings;
      const [tool, decided] = [this.#codes.get("execute_tool"), this.#decidedRoots()];
      tests.push((row) => operation[row] === tool && !decided.has(root[row] ?? 0));
    }
    if (marked) tests.push((row) => this.#findings.marks.has(this.#ids[row] ?? ""));
    return tests;
  }
}

/** Keys by which decisions find a request. */
function keysOf(entry: AuditEntry): readonly string[] {
  return [entry.id, ...(entry.run?.id === undefined ? [] : [entry.run.id]), ...interruptsOf(entry)];
}

/** The entries that a verification covers: the first `rows` that were read, and those of a time. */
export interface Coverage {
  readonly rows: number;
  /** Milliseconds since the epoch. */
  readonly before: number;
}

/** Conditions that the index answers. */
export interface IndexConditions extends Pick<
  FilterConditions,
  | "provider"
  | "model"
  | "operation"
  | "tool"
  | "agent"
  | "actor"
  | "outcome"
  | "flagged"
  | "detector"
  | "conversation"
  | "subjectIds"
  | "thread"
> {
  /** Root of the invocation. */
  readonly root?: string | undefined;
  readonly blocked?: true | undefined;
  /** Failed or timed out. */
  readonly failed?: true | undefined;
  /** Calls of tools in invocations in which no person decided anything. */
  readonly undecided?: true | undefined;
  /** With a finding of the verifier. */
  readonly marked?: true | undefined;
}

function isStringField(name: string): name is StringField {
  return STRINGS.some((field) => field === name);
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

function larger<T extends Float64Array | Uint32Array | Uint8Array>(to: T, from: T): T {
  to.set(from);
  return to;
}
