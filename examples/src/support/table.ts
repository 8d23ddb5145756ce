// Columns for a terminal.

const WIDEST = 34;

/** Rows as aligned text; long cells are cut. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = [header, ...rows].map((row) => row.map(fit));
  const widths = header.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  const [head = [], ...body] = cells;
  return [line(head), line(widths.map((width) => "─".repeat(width))), ...body.map(line)].join("\n");
}

function fit(cell: string): string {
  const flat = cell.replaceAll(/\s+/g, " ");
  return flat.length > WIDEST ? `${flat.slice(0, WIDEST - 1)}…` : flat;
}
