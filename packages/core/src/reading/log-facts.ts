// Facts that a log records about itself: losses, calls under way, removals, holds, erasures. As
// recorded: not verified.
import type { ControlLineOf } from "../format/control-line.ts";
import { lineToEntry } from "../format/entry-line.ts";
import { safeLine } from "../format/safe-text.ts";
import { dayOfSegment, segmentDay } from "../format/segment-name.ts";
import type { TimeRange } from "../storage/storage.ts";
import type { LogSource } from "../verify/log-source.ts";
import { controlLines, type PlacedLine, timeOf } from "./control-lines.ts";

/** Control lines with facts for a reader. The others are about the structure of the log. */
const TOLD = [
  "loss",
  "again",
  "segment.gap",
  "retention.prune",
  "retention.archived",
  "retention.hold",
  "retention.release",
  "subject.erased",
  "call.started",
] as const;

/** One of them. */
export type ToldLine = ControlLineOf<(typeof TOLD)[number]>;

/** A fact, its file, and its time. */
export interface Fact {
  /** RFC 3339, or the UTC day of the file (`2026-11-23`) for a line without a time. */
  readonly at: string;
  readonly file: string;
  /** The line as it is in the file. */
  readonly text: string;
  readonly line: ToldLine;
}

/** Further calls are not followed to their end. */
const MAX_OPEN_CALLS = 1_000_000;

/**
 * The facts of a time range, oldest first, each once: lines are carried on into later files. A
 * `call.started` line is among them only while no entry of that call is on record.
 */
export async function readFacts(
  sources: readonly LogSource[],
  { from = -Infinity, to = Infinity }: TimeRange = {},
): Promise<Fact[]> {
  const facts = new Map<string, Fact>();
  const openCalls = new Map<string, string>();
  const onEntry = (bytes: Buffer, start: number, end: number): void => {
    if (openCalls.size === 0 || bytes.subarray(start, end).indexOf(CALL_MEMBER) === -1) return;
    const text = openCalls.get(lineToEntry(bytes.toString("utf8", start, end))?.call ?? "");
    if (text !== undefined) facts.delete(text);
  };
  const fromDay = from === -Infinity ? undefined : segmentDay(new Date(from));
  for (const source of sources) {
    for await (const placed of controlLines(source, TOLD, { fromDay, onEntry })) {
      const { line, text, file } = placed;
      const at = timeOf(line) ?? dayIn(placed);
      if (facts.has(text) || !(Date.parse(at) >= from && Date.parse(at) <= to)) continue;
      if (line.type === "call.started") {
        if (openCalls.size >= MAX_OPEN_CALLS) continue;
        openCalls.set(line.call, text);
      }
      facts.set(text, { at, file, text, line });
    }
  }
  return [...facts.values()].toSorted((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
}

const CALL_MEMBER = '"call":"';

function dayIn({ file }: Pick<PlacedLine, "file">): string {
  const day = dayOfSegment(file) ?? "";
  return `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
}

/** A fact without its time and file. Plain text, safe for a terminal. */
export function factText({ line }: Fact): string {
  return safeLine(textOf(line));
}

function textOf(line: ToldLine): string {
  switch (line.type) {
    case "loss":
      return `${lossText(line)}: ${line.reason}`;
    case "again":
      return `${plural(line.count, "line")} written again after ${line.reason} in ${line.file}`;
    case "segment.gap": {
      const found = line.found === null ? "it is gone" : `it has ${line.found}`;
      return `${line.file} had ${line.size} leaves and ${found}: a crash or a cut`;
    }
    case "retention.prune":
      return `${line.file} removed by ${line.actor}: ${line.policy}`;
    case "retention.archived":
      return `${line.file} removed here; the archive has it: ${line.location}`;
    case "retention.hold":
      return `hold ${line.hold} placed by ${line.actor}: ${line.reason}`;
    case "retention.release":
      return `hold ${line.hold} released by ${line.actor}: ${line.reason}`;
    case "subject.erased":
      return `subject ${line.subject} erased by ${line.actor}: ${line.reason}`;
    case "call.started":
    default:
      return `call ${line.call} begun (${line.operation} ${line.model ?? "-"}), with no end on record`;
  }
}

function lossText({ entries, certain = true }: ControlLineOf<"loss">): string {
  const count = plural(entries, "entry", "entries");
  return certain ? `${count} lost` : `${count} may be lost`;
}

/** A summary of the facts, a sentence for each kind and cause. */
export function summaryOf(facts: readonly Fact[]): string[] {
  const groups = new Map<string, { facts: Fact[]; text: (facts: readonly Fact[]) => string }>();
  const released = new Set(
    facts.flatMap(({ line }) => (line.type === "retention.release" ? [line.hold] : [])),
  );
  for (const fact of facts) {
    const { line } = fact;
    if (line.type === "retention.release") continue;
    if (line.type === "retention.hold" && released.has(line.hold)) continue;
    const [key, text] = groupOf(line);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { facts: [fact], text });
    else group.facts.push(fact);
  }
  return [...groups.values()].map((group) => safeLine(group.text(group.facts)));
}

type GroupText = (facts: readonly Fact[]) => string;

/** Facts that are reported together, and how. */
function groupOf(line: ToldLine): [key: string, text: GroupText] {
  switch (line.type) {
    case "loss": {
      const { certain = true, reason } = line;
      return [
        `loss ${certain} ${reason}`,
        (facts) => `${lossText({ ...line, entries: sumOf(facts) })} ${when(facts)}: ${reason}`,
      ];
    }
    case "again":
      return [
        `again ${line.reason}`,
        (facts) => `${plural(sumOf(facts), "line")} written again ${when(facts)}: ${line.reason}`,
      ];
    case "segment.gap":
      return [
        "gap",
        (facts) => `${plural(facts.length, "file")} shorter than written, ${when(facts)}`,
      ];
    case "retention.prune":
      return [
        `prune ${line.actor} ${line.policy}`,
        (facts) =>
          `${plural(facts.length, "file")} removed by ${line.actor} ${when(facts)}: ${line.policy}`,
      ];
    case "retention.archived":
      return [
        "archived",
        (facts) => `${plural(facts.length, "file")} moved to the archive ${when(facts)}`,
      ];
    case "retention.hold":
    case "retention.release":
      return ["hold", (facts) => `${plural(facts.length, "hold")} in force, placed ${when(facts)}`];
    case "subject.erased":
      return ["erased", (facts) => `${plural(facts.length, "subject")} erased ${when(facts)}`];
    case "call.started":
    default:
      return [
        "call",
        (facts) => `${plural(facts.length, "call")} begun ${when(facts)}, with no end on record`,
      ];
  }
}

function sumOf(facts: readonly Fact[]): number {
  return facts.reduce(
    (sum, { line }) =>
      sum + (line.type === "loss" ? line.entries : line.type === "again" ? line.count : 0),
    0,
  );
}

/** `on 2026-11-29`, or `from 2026-11-29 to 2026-11-30`. */
function when(facts: readonly Fact[]): string {
  const first = facts[0]?.at.slice(0, 10) ?? "";
  const last = facts.at(-1)?.at.slice(0, 10) ?? "";
  return first === last ? `on ${first}` : `from ${first} to ${last}`;
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}
