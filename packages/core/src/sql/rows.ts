// The rows of a result.
import type { DuckDBDataChunk, DuckDBValueConverter, JS } from "@duckdb/node-api";

/** One row of a result, by column. */
export type SqlRow = Readonly<Record<string, JS>>;

/**
 * The rows of a chunk, each made when it is asked for. DuckDB's memory for the chunk is released
 * after the last row: V8 does not know its size and would let hundreds of chunks wait for a
 * collection.
 *
 * @param assertOpen throws when the chunk must not be touched any more
 */
export function* rowsOf(
  chunk: DuckDBDataChunk,
  columnNames: readonly string[],
  convert: DuckDBValueConverter<JS>,
  assertOpen: () => void,
): Generator<SqlRow, void, undefined> {
  const { rowCount } = chunk;
  for (let at = 0; at < rowCount; at += 1) {
    assertOpen();
    const row: Record<string, JS> = {};
    chunk.visitRowValues(at, (value, _, column, type) => {
      row[columnNames[column] ?? ""] = convert(value, type, convert);
    });
    yield row;
  }
  chunk.reset();
}
