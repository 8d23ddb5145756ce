// Safety findings of one payload, gathered while the providers' tables read it.
import type { ContentSide } from "./detector.ts";
import type { JsonValue } from "../../format/canonical.ts";
import type { CapturedFields } from "../fields.ts";
import { defined, isEmpty, textOf, undoubled } from "../payload/read.ts";
import { snapshot } from "../payload/snapshot.ts";
import { IN_DIAGNOSTICS, isWord } from "../words.ts";
import { judgeCode, type SafetyCodes } from "./codes.ts";

/** The content that a check looked at; undefined where the payload does not tell. */
export type Side = ContentSide | undefined;

/**
 * The kind of a finding. `block`: the content was stopped. `modify`: it was changed, by a redaction
 * for example. `flag`: it was let pass, and marked. `suspect`: an unknown code that looks like a
 * policy's.
 */
export type SafetyAction = "block" | "modify" | "flag" | "suspect";

interface Found {
  readonly detector: string;
  readonly action: SafetyAction;
  /** A code or a category; never content. */
  readonly reason: string;
  readonly at: Side;
  /** Index of the answer it concerns; undefined when it concerns the whole call. */
  readonly answer: number | undefined;
}

/** The vendor of a code, and the side it names: null where nothing tells. */
export interface CodeOwner {
  readonly vendor: string;
  readonly at: Side | null;
}

/** Codes and the vendor in whose words they are. */
export interface Vocabulary {
  readonly codes: SafetyCodes;
  /** The vendor of a code and the side it names, where a table lists it. */
  readonly ownerOf: (code: string) => CodeOwner | undefined;
  /** The vendor of codes that no table lists: whose protocol the host speaks. */
  readonly vendor: string;
}

/** The findings of one payload. Reading order is the order of the entry's lists. */
export class SafetyReport {
  readonly #vocabulary: Vocabulary;
  readonly #checks = new Set<string>();
  readonly #findings: Found[] = [];
  readonly #failed = new Set<string>();
  readonly #inferred = new Set<string>();
  readonly #raw: Record<string, JsonValue> = {};
  readonly #quotes: Record<string, JsonValue> = {};
  #message: string | undefined;
  /** Index of the answer that is being read; undefined while the rest of the payload is. */
  answer: number | undefined;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  /** A check ran. */
  ran(check: string): void {
    this.#checks.add(check);
  }

  /** A check should have run and did not. */
  failed(check: string, at: ContentSide): void {
    this.#failed.add(`ai-audit: ${check} (${at}) did not run`);
  }

  /** A check ran and found something. */
  found(
    check: string,
    finding: {
      readonly detector: string;
      readonly action: SafetyAction;
      readonly reason: string;
      readonly at: Side;
    },
  ): void {
    this.#checks.add(check);
    const { detector, reason } = finding;
    const isClear = isWord(reason) && isWord(detector);
    const named = isClear ? {} : { detector: `${check}:unnamed`, reason: "unnamed" };
    if (!isClear) this.quote("unnamed", reason);
    this.#findings.push({ ...finding, ...named, answer: this.answer });
  }

  /** A conclusion from missing members. No check reported it. */
  inferred(detector: string, at: Side): void {
    this.#inferred.add(detector);
    this.found(detector, { detector, action: "flag", reason: detector, at });
  }

  /**
   * A finish reason, an error code or an error type. Nothing, unless it is about safety. With
   * `changesOnly` a code that blocks says that content was changed.
   */
  code(value: unknown, at: Side, changesOnly = false): void {
    const text = textOf(value);
    if (text === undefined) return;
    const code = undoubled(text);
    const { codes } = this.#vocabulary;
    const verdict = judgeCode(code, codes);
    if (verdict === "block") return this.#coded(code, changesOnly ? "modify" : "block", at);
    // Gateways put the code of the model behind them after their own: `content_filter: SAFETY`.
    if (code.includes(": ")) {
      const part = code.split(": ").findLast((one) => judgeCode(one, codes) === "block");
      if (part !== undefined) return this.#coded(part, "block", at);
    }
    if (verdict === "suspect") this.#coded(code, "suspect", at);
  }

  #coded(code: string, action: "block" | "modify" | "suspect", at: Side): void {
    const { ownerOf, vendor } = this.#vocabulary;
    const owner = ownerOf(code);
    const side = owner?.at === null ? undefined : (owner?.at ?? at);
    const whose = owner?.vendor ?? vendor;
    if (action === "suspect") {
      const detector = `${whose}:suspected:${code}`;
      this.found(`${whose}:policy`, { detector, action, reason: code, at: side });
      return;
    }
    const detector = `${whose}:${code}`;
    this.found(detector, { detector, action, reason: code, at: side });
  }

  /**
   * Keeps a verdict as it came, under the provider's name. Texts in it that are no words go to the
   * diagnostics.
   */
  keep(name: string, verdict: unknown): void {
    if (isEmpty(verdict)) return;
    const words = wordsIn(snapshot(verdict));
    this.#raw[name] = words.clear;
    if (words.quotes) this.quote(name, verdict);
  }

  /** Keeps a verdict that quotes content, as content. */
  quote(name: string, verdict: unknown): void {
    if (!isEmpty(verdict)) this.#quotes[name] = snapshot(verdict);
  }

  /** Keeps the provider's explanation of a block, as content. */
  explain(text: unknown): void {
    this.#message ??= textOf(text);
  }

  /** The entry's safety fields, and `outcome: "blocked"` where each of `answers` was stopped. */
  fields(answers: number): CapturedFields {
    const findings = this.#findings;
    if (this.#checks.size === 0 && this.#failed.size === 0 && isEmpty(this.#raw)) return {};
    const blocks = findings.filter(({ action }) => action === "block");
    const changes = findings.filter(({ action }) => action === "modify");
    const metadata = defined({
      blocked_at: sideOf(blocks),
      modified_at: sideOf(changes),
      inferred: listed(this.#inferred),
      safety: isEmpty(this.#raw) ? undefined : this.#raw,
    });
    return defined({
      safetyPassed: findings.length > 0 ? false : undefined,
      detectorsTriggered: listed(new Set(findings.map(({ detector }) => detector))),
      safetyChecks: listed(this.#checks),
      blockReason: listed(new Set(blocks.map(({ reason }) => reason)))?.join(", "),
      alerts: listed(this.#failed),
      outcome: stopsAll(blocks, answers) ? ("blocked" as const) : undefined,
      metadata: isEmpty(metadata) ? undefined : metadata,
      diagnostics: this.#diagnostics(),
    });
  }

  #diagnostics(): CapturedFields["diagnostics"] {
    const words = defined({
      blockMessage: this.#message,
      assessments: isEmpty(this.#quotes) ? undefined : this.#quotes,
    });
    return isEmpty(words) ? undefined : words;
  }
}

/** JSON with words alone, and whether something else was in it. */
function wordsIn(value: JsonValue): { readonly clear: JsonValue; readonly quotes: boolean } {
  let quotes = false;
  const clear = (part: JsonValue): JsonValue => {
    if (typeof part === "string") {
      if (part === "" || isWord(part)) return part;
      quotes = true;
      return IN_DIAGNOSTICS;
    }
    if (typeof part !== "object" || part === null) return part;
    if (Array.isArray(part)) return part.map((item: JsonValue) => clear(item));
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [name, clear(member)]));
  };
  return { clear: clear(value), quotes };
}

function listed(values: ReadonlySet<string>): readonly string[] | undefined {
  return values.size > 0 ? [...values] : undefined;
}

/** A prompt that was stopped has no answer that could have been. */
function sideOf(findings: readonly Found[]): JsonValue | undefined {
  if (findings.some(({ at }) => at === "input")) return "input";
  return findings.some(({ at }) => at === "output") ? "output" : undefined;
}

/** A block that concerns one of several answers leaves the others. */
function stopsAll(blocks: readonly Found[], answers: number): boolean {
  if (blocks.length === 0) return false;
  const stopped = new Set(blocks.map(({ answer }) => answer));
  return stopped.has(undefined) || stopped.size >= answers;
}
