// Entries as Parquet files, sorted, in memory that does not grow with them. DuckDB would sort whole
// rows of all days at once; here they are first copied unsorted, and then sorted in small ranges of
// time.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { OnProgress } from "../storage/storage.ts";
import { COLUMNS } from "./columns.ts";
import { ownFile } from "./mirror.ts";
import { quoted } from "./view.ts";

/** Bytes that are sorted at once and become one file. */
const SORTED_BYTES = 12 * 2 ** 20;
/** Approximate bytes of a row beside its strings. */
const ROW_BYTES = 500;
/**
 * Rows wait in memory until they are as many, however long: their number says nothing of their
 * size.
 */
const ROW_GROUP_BYTES = 4 * 2 ** 20;
/** Size of a file of the copy: a day is read only from the files that hold a part of it. */
const COPY_FILE_BYTES = 128 * 2 ** 20;
/**
 * Freed memory above this goes back to the system at once: otherwise the process holds twice what
 * DuckDB uses, as measured.
 */
const HELD_BYTES = 2 ** 20;
const SLICES = 1024;
const DAY_US = 86_400_000_000;

const TEXTS = COLUMNS.filter(({ type }) => type === "text" || type === "json");
const BYTES = [
  `${ROW_BYTES}`,
  ...TEXTS.map(({ name }) => `coalesce(strlen(${name}::VARCHAR), 0)`),
].join(" + ");
const NAMES = COLUMNS.map(({ name }) => name).join(", ");

/** Microseconds since the epoch, `to` excluded, and the bytes of the entries between. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

/**
 * Copies the entries, unsorted, to `copy`, which must not exist, and resolves when `writeDays()`
 * can read them. Both take a connection's whole instance: its settings are changed.
 */
export async function copyEntries(connection: DuckDBConnection, copy: string): Promise<void> {
  await connection.run(
    `SET preserve_insertion_order = false; -- or row groups are counted in rows
     SET allocator_flush_threshold = '${HELD_BYTES}B';
     SET allocator_bulk_deallocation_flush_threshold = '${HELD_BYTES}B'`,
  );
  await connection.run(
    `COPY (SELECT strftime(timestamp, '%Y-%m-%d') AS day, ${BYTES} AS bytes, * FROM entries) TO ${quoted(copy)}
     (FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE_BYTES ${ROW_GROUP_BYTES}, FILE_SIZE_BYTES ${COPY_FILE_BYTES})`,
  );
}

/**
 * Writes what was copied to `<folder>/day=YYYY-MM-DD/ai-audit_<n>.parquet`, sorted by time and id
 * within a day, through its files. Entries of one microsecond are never split. Resolves to their
 * number.
 */
export async function writeDays(
  connection: DuckDBConnection,
  copy: string,
  folder: string,
  onProgress: OnProgress,
): Promise<number> {
  const found = await connection.runAndReadAll(
    `SELECT day, filename, epoch_us(min(day::TIMESTAMPTZ)) AS "from", sum(bytes) AS bytes
     FROM read_parquet(${quoted(`${copy}/*.parquet`)}, filename = true) GROUP BY day, filename ORDER BY day`,
  );
  const rows = found.getRows().map(([day, file, from, bytes]) => {
    if (typeof day !== "string" || typeof file !== "string")
      throw new TypeError("DuckDB gave a value of another type for a string");
    return { day, file, from: Number(from), bytes: Number(bytes) };
  });
  const total = rows.reduce((sum, { bytes }) => sum + bytes, 0);
  let entries = 0;
  let done = 0;
  for (const [day, parts] of Map.groupBy(rows, (row) => row.day)) {
    const files = parts.map(({ file }) => quoted(file)).join(", ");
    const source = `read_parquet([${files}])`;
    const from = parts[0]?.from ?? 0;
    await mkdir(join(folder, `day=${day}`));
    let number = 0;
    for (const span of await spansOf(connection, source, from, from + DAY_US)) {
      const target = join(folder, `day=${day}`, ownFile(number));
      const written = await connection.runAndReadAll(
        `COPY (SELECT ${NAMES} FROM ${source} WHERE ${within(span)} ORDER BY timestamp, id) TO ${quoted(target)}
         (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES ${ROW_GROUP_BYTES})`,
      );
      entries += Number(written.getRowsJS()[0]?.[0] ?? 0);
      number += 1;
      done += span.bytes;
      onProgress(done / total);
    }
  }
  return entries;
}

/** Consecutive time ranges, each small enough to be sorted at once. */
async function spansOf(
  connection: DuckDBConnection,
  source: string,
  from: number,
  to: number,
): Promise<Span[]> {
  const width = Math.ceil((to - from) / SLICES);
  const reader = await connection.runAndReadAll(
    `SELECT (epoch_us(timestamp) - ${from}) // ${width} AS slice, sum(bytes) AS bytes
     FROM ${source} WHERE ${within({ from, to })} GROUP BY slice ORDER BY slice`,
  );
  const spans: Span[] = [];
  for (const [slice, sum] of reader.getRowsJS()) {
    const begin = from + Number(slice) * width;
    const next = { from: begin, to: Math.min(to, begin + width), bytes: Number(sum) };
    const last = spans.at(-1);
    if (next.bytes > SORTED_BYTES && width > 1) {
      spans.push(...(await spansOf(connection, source, next.from, next.to)));
    } else if (last !== undefined && last.bytes + next.bytes <= SORTED_BYTES) {
      spans.splice(-1, 1, { from: last.from, to: next.to, bytes: last.bytes + next.bytes });
    } else {
      spans.push(next);
    }
  }
  return spans;
}

/** Compared with constants: row groups of other times are not read. */
function within({ from, to }: Pick<Span, "from" | "to">): string {
  return `timestamp >= make_timestamptz(${from}) AND timestamp < make_timestamptz(${to})`;
}
