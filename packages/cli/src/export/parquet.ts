// Parquet, partitioned by day, for engines that read columns.
import { type Filter } from "@ai-audit/core/reading";
import type { OnProgress, TimeRange } from "@ai-audit/core";
import { garbageCollector, openSql, shortOfMemory } from "../sql/duckdb.ts";
import { withGathered } from "../sql/gathered.ts";
import { isBucket } from "../log/location.ts";
import { makeNewDirectory } from "../output/new-files.ts";
import { wholeOrNothing } from "../output/whole-or-nothing.ts";
import type { OpenLog } from "../log/open-log.ts";

export interface ParquetOptions {
  readonly log: OpenLog;
  readonly range: TimeRange;
  readonly filter: Filter;
  /** All entries: the log's own files are read in place. */
  readonly isWhole: boolean;
  /** Memory limit of DuckDB. */
  readonly memoryMib: number | undefined;
  readonly onPage: (read: number, found: number) => void;
  /** Called with the progress of writing. */
  readonly onProgress: OnProgress | undefined;
}

/**
 * Writes `<directory>/day=YYYY-MM-DD/*.parquet` into a new directory. Resolves to the number of
 * entries. A selection, or a bucket's log, is gathered in a temporary directory first, as the lines
 * that the log has.
 */
export async function writeParquet(directory: string, options: ParquetOptions): Promise<number> {
  const { log, isWhole } = options;
  const write = (source: string): Promise<number> => convert(source, directory, options);
  return isWhole && !isBucket(log.location)
    ? write(log.location)
    : withGathered(selectedPages(options), write);
}

async function* selectedPages({
  log,
  range,
  filter,
  onPage,
}: ParquetOptions): AsyncGenerator<readonly string[]> {
  let read = 0;
  let found = 0;
  for await (const page of log.storage.pages(range, "oldest-first")) {
    const lines = page.filter((line) => filter.entryOf(line) !== undefined);
    read += page.length;
    found += lines.length;
    onPage(read, found);
    yield lines;
  }
}

async function convert(
  source: string,
  directory: string,
  { memoryMib, onProgress }: Pick<ParquetOptions, "memoryMib" | "onProgress">,
): Promise<number> {
  garbageCollector()(); // collects the garbage of gathering before DuckDB takes its memory
  const sql = await openSql({ paths: source, memoryMib, onProgress });
  try {
    await makeNewDirectory(directory);
    return await wholeOrNothing(directory, () => sql.exportParquet(directory));
  } catch (error) {
    throw shortOfMemory(error) ?? error;
  } finally {
    await sql.close();
  }
}
