// DuckDB within the memory limit of the command.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { AuditError } from "@ai-audit/core";
import { safeLine } from "@ai-audit/core/format";
import type { AuditSql, SqlOptions } from "@ai-audit/core/sql";
import { InvalidArgumentError } from "commander";
import { EXIT, Failure } from "../failure.ts";

const MIB = 2 ** 20;
const LEAST_MIB = 100;
/**
 * Node.js, the rows and DuckDB stay under 300 MiB together, for logs of any size
 * (benchmarks/cli.ts).
 */
export const DEFAULT_MIB = 160;

/** SQL over a directory. DuckDB takes `memoryMib` at most. */
export async function openSql({
  memoryMib = DEFAULT_MIB,
  ...options
}: SqlOptions & { readonly memoryMib?: number | undefined }): Promise<AuditSql> {
  const sql = await import("@ai-audit/core/sql");
  return sql.AuditSql.open({ ...options, memoryBytes: memoryMib * MIB });
}

/** The failure to report when DuckDB ran into its memory limit; undefined for any other error. */
export function shortOfMemory(error: unknown): Failure | undefined {
  if (!(error instanceof AuditError) || !/Out of Memory|maximum_object_size/.test(error.message))
    return undefined;
  const [first = ""] = error.message.split("\n");
  return new Failure(EXIT.io, safeLine(first), "allow DuckDB more memory, such as --memory 1024", {
    cause: error,
  });
}

/**
 * A function that collects garbage: V8 would not do so early enough by itself. It does nothing in
 * an engine without that function.
 */
export function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  return () => {
    if (typeof collect === "function") collect();
  };
}

/**
 * Values between two collections: each leaves about 1.5 kB of garbage, much of it outside V8's
 * heap.
 */
const COLLECT_VALUES = 25_000;

/**
 * Passes pages of rows on and collects their garbage early: V8 would let it grow beyond DuckDB's
 * own memory.
 */
export async function* collecting<Row extends object>(
  pages: AsyncIterable<readonly Row[]>,
): AsyncGenerator<readonly Row[], void, undefined> {
  setFlagsFromString("--semi-space-growth-factor=1");
  const collectGarbage = garbageCollector();
  let count = 0;
  for await (const rows of pages) {
    yield rows;
    count += rows.length * Object.keys(rows[0] ?? {}).length;
    if (count < COLLECT_VALUES) continue;
    collectGarbage();
    count = 0;
  }
}

/** Mebibytes that DuckDB can work with. */
export function parseMemory(text: string): number {
  const mib = Number(text);
  if (!Number.isSafeInteger(mib) || mib < LEAST_MIB)
    throw new InvalidArgumentError(`It must be a whole number of MiB, ${LEAST_MIB} or more.`);
  return mib;
}
