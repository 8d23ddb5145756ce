// A verdict's line, its first word in the colour of its exit code.
import { safeLine } from "@ai-audit/core";
import type { Output, Style } from "./output/output.ts";

/** The verdict, styled. */
export function styledVerdict(
  result: { readonly verdict: string; readonly exitCode: 0 | 1 | 2 | 3 },
  out: Output,
): string {
  const [word = "", ...rest] = safeLine(result.verdict).split(":");
  return [out.style(["bold", COLOURS[result.exitCode]], word), ...rest].join(":");
}

const COLOURS = { 0: "green", 1: "red", 2: "yellow", 3: "red" } as const satisfies Record<0 | 1 | 2 | 3, Style>;
