// A part of a whole, in words.
import { formatCount } from "../data/format.ts";

/** `12 (48 %)`. Whole percentages, and never 0 % or 100 % for a part. */
export function share(part: number, whole: number): string {
  if (whole === 0) return "0";
  const percent = Math.round((100 * part) / whole);
  const text = part === 0 || part === whole ? percent : Math.min(99, Math.max(1, percent));
  return `${formatCount(part)} (${text} %)`;
}
