// A detector made of patterns.
import type { JsonValue } from "../../format/canonical.ts";
import { AuditConfigError } from "../../errors.ts";
import { type ContentSide, type Detector, type DetectorFinding, textsOf } from "./detector.ts";

/** A pattern to look for. */
export interface NamedPattern {
  /** Name of the finding in the entry, which never holds the text itself. */
  readonly name: string;
  /** A regular expression, or a string, found in any case. */
  readonly pattern: RegExp | string;
  /** Separates real matches from look-alikes, by a check digit for example. */
  readonly accept?: ((match: string) => boolean) | undefined;
}

/** The patterns of a detector, and its action when one is found. */
export interface PatternDetectorOptions {
  /** A pattern without a name is called by its place in the list: `pattern 1`. */
  readonly patterns: readonly (RegExp | string | NamedPattern)[];
  /** @default "patterns" */
  readonly name?: string | undefined;
  /** @default "block" */
  readonly action?: DetectorFinding["action"] | undefined;
  /** @default both sides */
  readonly sides?: readonly ContentSide[] | undefined;
}

/**
 * A detector that looks for patterns in every text of a content. Its findings name the patterns,
 * not the matched text. Your own regular expressions should be linear: they run over text that an
 * attacker may choose.
 *
 * @example
 * const detectors = [patternDetector({ patterns: SECRET_PATTERNS, name: "secrets" })];
 * @throws `AUDIT_CONFIG_INVALID` for an empty list or pattern
 */
export function patternDetector(options: PatternDetectorOptions): Detector {
  const { patterns, name = "patterns", action = "block", sides = ["input", "output"] } = options;
  if (!Array.isArray(patterns) || patterns.length === 0)
    throw new AuditConfigError("patternDetector: no patterns");
  const searches = options.patterns.map(compile);
  const check = (value: JsonValue): DetectorFinding | undefined => {
    const texts = [...textsOf(value)];
    const found = searches.filter(({ finds }) => texts.some(finds)).map(({ category }) => category);
    if (found.length === 0) return undefined;
    return { action, reason: `${name}: ${found.join(", ")}`, categories: found };
  };
  return {
    name,
    ...(sides.includes("input") && { checkInput: check }),
    ...(sides.includes("output") && { checkOutput: check }),
  };
}

function compile(
  given: RegExp | string | NamedPattern,
  at: number,
): { readonly category: string; readonly finds: (text: string) => boolean } {
  const { name, pattern, accept }: NamedPattern =
    typeof given === "string" || given instanceof RegExp
      ? { name: `pattern ${at + 1}`, pattern: given }
      : given;
  if (typeof pattern === "string") {
    if (pattern.trim() === "") throw new AuditConfigError(`patternDetector: ${name} is empty`);
    const wanted = pattern.toLowerCase();
    return { category: name, finds: (text) => text.toLowerCase().includes(wanted) };
  }
  if (!(pattern instanceof RegExp))
    throw new AuditConfigError(`patternDetector: ${name} is neither a string nor a RegExp`);
  // Our own copies: a global or sticky expression remembers where its owner's last search ended.
  const flags = pattern.flags.replace("y", "").replace("g", "");
  if (!accept) {
    const search = new RegExp(pattern.source, flags);
    return { category: name, finds: (text) => search.test(text) };
  }
  const every = new RegExp(pattern.source, `${flags}g`);
  return {
    category: name,
    finds: (text) => [...text.matchAll(every)].some(([match]) => accept(match)),
  };
}
