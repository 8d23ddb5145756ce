// A benchmark's result as a table of Markdown, on the terminal and in docs/benchmarks.md.

/** One table: a heading, a sentence about it, and its rows. */
export interface Table {
  readonly title: string;
  readonly about: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Prints a table, and hands it to the process that collects all of them. */
export function publish(table: Table): void {
  console.log(`${asMarkdown(table)}\n`);
  process.send?.(table);
}

export function asMarkdown({ title, about, columns, rows }: Table): string {
  const rule = columns.map((_, at) => (at === 0 ? "---" : "--:"));
  return [`## ${title}`, "", about, "", ...[columns, rule, ...rows].map(line)].join("\n");
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** A figure in microseconds. */
export function us(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

/** A ratio. */
export function times(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)}×`;
}
