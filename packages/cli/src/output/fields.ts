// Labelled values, one below the other.
import { safeLine, safeText } from "@ai-audit/core/format";
import type { Output, Style } from "./output.ts";

/** A labelled value. */
export interface Field {
  readonly label: string;
  readonly text: string;
  readonly style?: Style | undefined;
  /** Text of several lines, indented below the label. */
  readonly block?: string;
}

/** Writes labels in one column, values in the next, blocks below. */
export async function printFields(out: Output, fields: readonly Field[]): Promise<void> {
  const width = Math.max(...fields.map(({ label }) => label.length));
  for (const { label, text, style, block } of fields) {
    const value = style === undefined ? safeLine(text) : out.style(style, safeLine(text));
    await out.line(`${out.style("bold", label.padEnd(width))}  ${value}`.trimEnd());
    if (block !== undefined)
      for (const line of safeText(block).split("\n")) await out.line(`    ${line}`.trimEnd());
  }
}
