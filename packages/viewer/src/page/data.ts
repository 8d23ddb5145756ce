// The data of an audit.html: entries, their audit paths and their checkpoints, each node once. The
// page's own script reads it (browser/verifier.ts), and so does `ai-audit check` (check.ts).

/** The name of the format, and its version. */
export const PAGE_FORMAT = "ai-audit-page@v1";

/** The data of a page. Nothing in it is verified yet. */
export interface PageData {
  readonly format: typeof PAGE_FORMAT;
  /** Version of ai-audit that made the page. */
  readonly version: string;
  /** Time when the page was made, RFC 3339. */
  readonly made: string;
  /** The conditions that selected the entries, in the words of the command. */
  readonly selection: string;
  /** Entries that met the conditions and could not be proven, so that they are not here. */
  readonly unproven: number;
  /** Notes of checkpoints, verbatim. */
  readonly checkpoints: readonly string[];
  /** Hashes of tree nodes, in base64. */
  readonly nodes: readonly string[];
  readonly entries: readonly PageEntry[];
}

/** An entry and its proof. */
export interface PageEntry {
  /** The entry's line, without its line feed. */
  readonly line: string;
  /** Index of the line in its tree, from 0. */
  readonly index: number;
  /** Its checkpoint: a place in `checkpoints`. */
  readonly checkpoint: number;
  /** Its audit path from the sibling up to the root's child: places in `nodes`. */
  readonly path: readonly number[];
}

/**
 * The data as the content of a script element. No `<` is in it, so that nothing that a user or a
 * model wrote ends the element or begins a comment.
 */
export function formatPageData(data: PageData): string {
  return JSON.stringify(data).replaceAll("<", String.raw`\u003c`);
}

/**
 * The data that a text holds; undefined for anything else. Every byte counts: another spelling of
 * the same data, an unknown member, a node and a checkpoint that no entry uses are refused.
 */
export function parsePageData(text: string): PageData | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // not JSON: the caller says so
  }
  return isPageData(value) && formatPageData(value) === text && isUsed(value) ? value : undefined;
}

function isUsed({ checkpoints, nodes, entries }: PageData): boolean {
  const used = { checkpoints: new Set<number>(), nodes: new Set<number>() };
  for (const { checkpoint, path } of entries) {
    used.checkpoints.add(checkpoint);
    for (const node of path) used.nodes.add(node);
  }
  return used.checkpoints.size === checkpoints.length && used.nodes.size === nodes.length;
}

function isPageData(value: unknown): value is PageData {
  if (!hasMembers(value, PAGE_MEMBERS)) return false;
  const { format, version, made, selection, unproven, checkpoints, nodes, entries } = value;
  return (
    format === PAGE_FORMAT &&
    [version, made, selection].every((text) => typeof text === "string") &&
    isPlace(unproven, Infinity) &&
    isListOf(checkpoints, (note) => typeof note === "string") &&
    isListOf(nodes, (node) => typeof node === "string" && NODE.test(node)) &&
    isListOf(entries, (entry) => isEntry(entry, checkpoints.length, nodes.length))
  );
}

/** 32 bytes in base64, in the one spelling that has no stray bits. */
const NODE = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

const PAGE_MEMBERS = [
  "format",
  "version",
  "made",
  "selection",
  "unproven",
  "checkpoints",
  "nodes",
  "entries",
];

function isEntry(value: unknown, checkpoints: number, nodes: number): boolean {
  return (
    hasMembers(value, ["line", "index", "checkpoint", "path"]) &&
    typeof value["line"] === "string" &&
    isPlace(value["index"], Infinity) &&
    isPlace(value["checkpoint"], checkpoints) &&
    isListOf(value["path"], (node) => isPlace(node, nodes))
  );
}

function hasMembers(value: unknown, names: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const found = Object.keys(value);
  return found.length === names.length && names.every((name) => found.includes(name));
}

function isListOf(value: unknown, is: (item: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && value.every(is);
}

function isPlace(value: unknown, end: number): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value < end;
}
