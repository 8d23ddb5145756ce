// The report about a bundle that was written.
import { plural } from "../output/format.ts";
import type { BundleContent } from "./bundle-proofs.ts";

/** With --json. `findings`: see `BundleContent`. */
export interface BundleResult {
  readonly entries: number;
  /** Entries that cannot be proven: left out of a selection, kept in whole files. */
  readonly unproven: number;
  readonly findings?: readonly string[];
  /** Null if no bundle was made. */
  readonly output: string | null;
}

/** For machines. */
export function bundleResult(
  output: string,
  { entries, unproven, findings }: BundleContent,
): BundleResult {
  const found = findings.length > 0 && { findings };
  return { entries, unproven: unproven.count, ...found, output: entries === 0 ? null : output };
}

/** Number of findings that the terminal shows. */
const TOLD = 5;

/** The report as lines; with JSON output, only the unproven entries. */
export function bundleRemarks(output: string, content: BundleContent, isJson: boolean): string[] {
  const { entries, unproven, findings } = content;
  const done =
    entries === 0
      ? "nothing exported, and no bundle made"
      : `${plural(entries, "entry", "entries")} exported`;
  const lines = isJson ? [] : [done];
  const unanchored = content.anchors?.unanchored ?? 0;
  if (unanchored > 0) lines.push(`${plural(unanchored, "entry", "entries")} not anchored yet`);
  if (findings.length > 0) {
    const count =
      unproven.count === 0 ? "" : ` (${plural(unproven.count, "entry", "entries")} not)`;
    lines.push(
      `not everything in the bundle is proven${count}:`,
      ...findings.slice(0, TOLD).map((text) => `  ${text}`),
    );
    if (findings.length > TOLD) lines.push(`  … all: ${output}/findings.txt`);
    return lines;
  }
  if (unproven.count === 0) return lines;
  lines.push(`${plural(unproven.count, "entry", "entries")} left out without proof:`);
  lines.push(...unproven.first.map((text) => `  ${text}`));
  if (unproven.count > unproven.first.length && entries > 0)
    lines.push(`  … all: ${output}/unproven.txt`);
  return lines;
}
