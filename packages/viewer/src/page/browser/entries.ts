// Entries of a page as rows, facts and content. An entry may be anything that a log's writer, a
// model or an attacker wrote: every value becomes text.
import type { PageEntry } from "../data.ts";
import { idOf } from "./verifier.ts";

/** A row of the list. */
export interface Row {
  /** Place in the data. */
  readonly index: number;
  readonly id: string;
  readonly time: string;
  readonly operation: string;
  readonly target: string;
  readonly actor: string;
  readonly outcome: string;
  readonly line: string;
}

/** A part of a content. */
interface Block {
  /** The role of a message; empty for text that is none. */
  readonly role: string;
  readonly text: string;
}

type Members = Readonly<Record<string, unknown>>;

/** The row of an entry. */
export function rowOf({ line }: PageEntry, index: number): Row {
  const entry = membersOf(parse(line));
  const run = membersOf(entry["run"]);
  const actor = membersOf(entry["actor"]);
  const isTool = entry["operation"] === "execute_tool";
  const outcome = text(entry["outcome"]) || (entry["safety_passed"] === false ? "flagged" : "");
  return {
    index,
    id: idOf(line) ?? "?",
    time: safe(text(entry["timestamp"])),
    operation: safe(text(entry["operation"])),
    target: safe(
      (isTool && (text(run["toolName"]) || text(run["tool_name"]))) ||
        text(entry["model"]) ||
        text(run["name"]),
    ),
    actor: safe(text(actor["id"]) || text(membersOf(entry["metadata"])["user_id"])),
    outcome: safe(outcome),
    line,
  };
}

/** The text that the search looks in. */
export function searchText({ line }: Row): string {
  return line.toLowerCase();
}

/** The clear fields of an entry: name and value. */
export function facts({ line }: Row): [string, string][] {
  return Object.entries(membersOf(parse(line)))
    .filter(([name, value]) => !CONTENT.includes(name) && !isEmpty(value))
    .map(([name, value]) => [safe(name.replaceAll("_", " ")), safe(text(value))]);
}

/** Contents of an entry, as messages where they are a chat. */
export function contentSections({ line }: Row): { title: string; blocks: Block[] }[] {
  const entry = membersOf(parse(line));
  return CONTENT.flatMap((name) => {
    const value = entry[name];
    if (value === undefined) return [];
    const title = TITLES[name] ?? name;
    return [{ title, blocks: blocksOf(value, entry[name.replace("_content", "_format")]) }];
  });
}

const CONTENT: readonly string[] = ["input_content", "output_content", "diagnostics_content"];
const TITLES: Readonly<Partial<Record<string, string>>> = {
  input_content: "Input",
  output_content: "Output",
  diagnostics_content: "Diagnostics",
};

/** Compact JWE with a direct key. */
const JWE = /^eyJ[\w-]+\.\.[\w-]+\.[\w-]*\.[\w-]+$/;

function blocksOf(value: unknown, format: unknown): Block[] {
  if (typeof value !== "string") return [{ role: "", text: "Not kept: the hash alone." }];
  if (JWE.test(value)) return [{ role: "", text: "Encrypted. This page has no key to content." }];
  if (value === "") return [{ role: "", text: "(empty)" }];
  const parsed = format === "json" ? parse(value) : value;
  if (!Array.isArray(parsed)) return [{ role: "", text: safe(textOfContent(parsed)) }];
  return parsed.map((item: unknown) => {
    const { role, content, ...rest } = membersOf(item);
    if (typeof role !== "string") return { role: "", text: safe(textOfContent(item)) };
    const more = Object.keys(rest).length === 0 ? "" : `\n${JSON.stringify(rest, null, 2)}`;
    return { role: safe(role), text: safe(`${textOfContent(content)}${more}`.trim()) };
  });
}

function textOfContent(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined; // shown as it is, without facts
  }
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    (Array.isArray(value) && value.length === 0) ||
    (typeof value === "object" && Object.keys(value).length === 0)
  );
}

/** Control and bidirectional characters spelled out: they could hide or reverse text. */
function safe(value: string): string {
  return value.replaceAll(UNSAFE, (char) =>
    char === "\n" || char === "\t"
      ? char
      : String.raw`\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

const UNSAFE =
  // oxlint-disable-next-line no-control-regex -- control characters are the subject
  /[\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069\uD800-\uDFFF]/gu;
