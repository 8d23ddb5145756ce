// The width of a string on a terminal, in cells.
import { stripVTControlCharacters } from "node:util";

let segmenter: Intl.Segmenter | undefined; // made when first used: it takes milliseconds

function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** East Asian wide and full-width ranges (UAX #11), and emoji: two cells each. */
const WIDE =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]|^\p{Emoji_Presentation}/u;

/** Cells that a string takes; styles take none. */
export function cellsOf(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (isPrintableAscii(plain)) return plain.length;
  let cells = 0;
  for (const { segment } of graphemesOf(plain)) cells += cellsOfGrapheme(segment);
  return cells;
}

/** The text, cut to this number of cells, with an ellipsis at the cut. For text without styles. */
export function cutTo(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of graphemesOf(text)) {
    used += cellsOfGrapheme(segment);
    if (used > cells - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** The text, filled with spaces to this number of cells. */
export function padTo(text: string, cells: number, side: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, cells - cellsOf(text)));
  return side === "left" ? text + space : space + text;
}

function isPrintableAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

function cellsOfGrapheme(grapheme: string): number {
  if (/^\p{Mark}/u.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}
