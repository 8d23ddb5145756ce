// Aligned columns.
import { safeLine } from "@ai-audit/core/format";
import type { Output, Style } from "./output.ts";
import { cellsOf, cutTo, padTo } from "./width.ts";

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  /** The cell's plain text. */
  readonly value: (row: Row) => string;
  readonly style?: (row: Row) => Style | undefined;
  /** Alignment in the column. @default "left" */
  readonly align?: "left" | "right";
  /** Cells at least, so that pages of one table align. @default the widest cell */
  readonly width?: number;
  /** Cells at most; longer text is cut on a terminal. @default no limit */
  readonly maxWidth?: number;
}

const GAP = "  ";

/** A table in the making: pages of rows under one heading. */
export class Table<Row> {
  readonly #out: Output;
  readonly #columns: readonly Column<Row>[];
  #widths: number[];
  #headed = false;

  constructor(out: Output, columns: readonly Column<Row>[]) {
    this.#out = out;
    this.#columns = columns;
    this.#widths = columns.map(({ title, width = 0 }) => Math.max(title.length, width));
  }

  /** Writes rows. Columns are as wide as their widest cell so far. */
  async rows(rows: readonly Row[]): Promise<void> {
    const cells = rows.map((row) => this.#columns.map((column) => this.#text(column, row)));
    this.#widths = this.#widths.map((width, at) =>
      Math.max(width, ...cells.map((texts) => cellsOf(texts[at] ?? ""))),
    );
    if (!this.#headed) {
      this.#headed = true;
      await this.#write(
        this.#columns.map(({ title }) => title),
        () => ["bold"],
      );
    }
    for (const [at, row] of rows.entries()) {
      await this.#write(cells[at] ?? [], (column) => column.style?.(row));
    }
  }

  #text(column: Column<Row>, row: Row): string {
    const text = safeLine(column.value(row));
    return column.maxWidth !== undefined && this.#out.isTerminal
      ? cutTo(text, column.maxWidth)
      : text;
  }

  async #write(
    texts: readonly string[],
    styleOf: (column: Column<Row>) => Style | undefined,
  ): Promise<void> {
    const cells = this.#columns.map((column, at) => {
      const text = texts[at] ?? "";
      const padded = padTo(text, this.#widths[at] ?? 0, column.align);
      const style = styleOf(column);
      return style === undefined
        ? padded
        : padded.replace(text, () => this.#out.style(style, text));
    });
    await this.#out.line(cells.join(GAP).trimEnd());
  }
}
