// Prints a call tree: as a transcript, as a table, or as lines of JSON.
import {
  actorOf,
  type CallNode,
  type ContentOpener,
  endingOf,
  flagsOf,
  type PassageOptions,
  passagesOf,
  type PlacedNode,
  titleOf,
  Transcript,
  walk,
} from "@ai-audit/core/reading";
import { entryToLine, safeLine, safeText } from "@ai-audit/core/format";
import { formatMs, formatTime, formatTokens } from "../output/format.ts";
import type { Output } from "../output/output.ts";
import { type Column, Table } from "../output/table.ts";
import { outcomeStyle } from "./entry-table.ts";

const INDENT = "    ";

/** Prints the passages of each call, indented below its caller. */
export async function printTranscript(
  out: Output,
  roots: readonly CallNode[],
  opener: ContentOpener,
): Promise<void> {
  const toldToolCalls = toolCallsOf(roots);
  const transcript = new Transcript();
  /** The innermost tool call at each depth. */
  const within: PassageOptions["within"][] = [];
  for (const { node, depth } of walk(roots)) {
    const { entry } = node;
    within[depth + 1] = entry?.operation === "execute_tool" ? entry : within[depth];
    const indent = INDENT.repeat(depth);
    const time = formatTime(new Date(node.beganAt).toISOString());
    await out.line(`${indent}${out.style("dim", `── ${time}`)}  ${headOf(node, out)}`);
    if (entry !== undefined) {
      const content = opener.open(entry);
      const options = { content, transcript, within: within[depth], toldToolCalls };
      for (const { label, text } of passagesOf(entry, options)) {
        const style = label === "blocked" || label === "error" ? "red" : "bold";
        await out.line(`${indent}${INDENT}${out.style(style, safeLine(label))}`);
        for (const line of safeText(text).split("\n"))
          await out.line(`${indent}${INDENT}${INDENT}${line}`.trimEnd());
      }
    }
    await out.line();
  }
}

function toolCallsOf(roots: readonly CallNode[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { node } of walk(roots)) {
    const { operation, run } = node.entry ?? {};
    if (operation === "execute_tool" && run?.toolCallId !== undefined) ids.add(run.toolCallId);
  }
  return ids;
}

/** Its kind, its outcome, and its id. */
function headOf(node: CallNode, out: Output): string {
  const title = out.style("bold", safeLine(titleOf(node)));
  const { entry } = node;
  if (entry === undefined) return title;
  const outcome = endingOf(entry);
  const style = outcomeStyle(entry);
  const facts = [
    style === undefined ? outcome : out.style(style, outcome),
    ...(entry.latencyMs === null ? [] : [formatMs(entry.latencyMs)]),
    ...(tokensOf(node) === "-" ? [] : [`${tokensOf(node)} tokens`]),
    ...(flagsOf(entry) === "" ? [] : [out.style("red", safeLine(flagsOf(entry)))]),
    out.style("dim", safeLine(entry.id)),
  ];
  return [title, ...facts].join("  ");
}

/** Prints the calls as a table, with lines from caller to callee. */
export async function printTree(out: Output, roots: readonly CallNode[]): Promise<void> {
  const table = new Table<PlacedNode>(out, TREE_COLUMNS);
  await table.rows([...walk(roots)]);
}

const TREE_COLUMNS: readonly Column<PlacedNode>[] = [
  { title: "TIME (UTC)", value: ({ node }) => formatTime(new Date(node.beganAt).toISOString()) },
  { title: "CALL", value: (place) => `${branchOf(place)}${titleOf(place.node)}` },
  { title: "ACTOR", value: ({ node: { entry } }) => (entry && actorOf(entry)) ?? "-" },
  {
    title: "OUTCOME",
    value: ({ node: { entry } }) => (entry === undefined ? "-" : endingOf(entry)),
    style: ({ node: { entry } }) => entry && outcomeStyle(entry),
  },
  {
    title: "FLAGS",
    value: ({ node: { entry } }) => (entry && flagsOf(entry)) || "-",
    style: ({ node: { entry } }) => (entry?.safetyPassed === false ? "red" : undefined),
  },
  {
    title: "LATENCY",
    value: ({ node: { entry } }) => formatMs(entry?.latencyMs),
    align: "right",
  },
  { title: "TOKENS", value: ({ node }) => tokensOf(node), align: "right" },
  { title: "ENTRY", value: ({ node: { entry } }) => entry?.id ?? "-" },
];

/** `│  └─ `, below the line of the parent. */
function branchOf({ depth, isLast }: PlacedNode): string {
  if (depth === 0) return "";
  const above = isLast.slice(1, depth).map((last) => (last ? "   " : "│  "));
  return `${above.join("")}${isLast[depth] ? "└─ " : "├─ "}`;
}

function tokensOf({ entry }: CallNode): string {
  if (entry === undefined || (entry.inputTokens === null && entry.outputTokens === null))
    return "-";
  return `${formatTokens(entry.inputTokens)}>${formatTokens(entry.outputTokens)}`;
}

/**
 * Prints a line of JSON for each call: its entry, with the contents that can be opened, `depth` and
 * `began`.
 */
export async function printTreeJson(
  out: Output,
  roots: readonly CallNode[],
  opener: ContentOpener,
): Promise<void> {
  for (const { node, depth } of walk(roots)) {
    const place = { depth, began: new Date(node.beganAt).toISOString() };
    const { entry, run } = node;
    if (entry === undefined) await out.json({ ...run, ...place });
    else {
      const record: unknown = JSON.parse(entryToLine(entry));
      const contents = opener.hasKeys ? opener.open(entry).values : {};
      await out.json(Object.assign({}, record, contents, place));
    }
  }
}
