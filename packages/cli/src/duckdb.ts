// DuckDB within the memory that the command allows itself.
import { setFlagsFromString } from "node:v8";
import type { AuditSql, SqlOptions } from "@ai-audit/core/sql";
import { InvalidArgumentError } from "commander";

const MIB = 2 ** 20;
const LEAST_MIB = 100;
/** With what Node.js and the rows take it stays under 300 MiB, whatever the size of the log (benchmarks/cli.ts). */
export const DEFAULT_MIB = 160;

/** SQL over a directory. DuckDB takes `memoryMib` at most. */
export async function openSql({
  memoryMib = DEFAULT_MIB,
  ...options
}: SqlOptions & { readonly memoryMib?: number | undefined }): Promise<AuditSql> {
  // A chunk of a result is released when its JavaScript object is collected, of which V8 knows nothing but the few bytes:
  // with a young generation that does not grow that happens in time. No effect on Node.js versions without the flag.
  setFlagsFromString("--semi-space-growth-factor=1");
  const sql = await import("@ai-audit/core/sql");
  return sql.AuditSql.open({ ...options, memoryBytes: memoryMib * MIB });
}

/** Mebibytes that DuckDB can work with. */
export function parseMemory(text: string): number {
  const mib = Number(text);
  if (!Number.isSafeInteger(mib) || mib < LEAST_MIB)
    throw new InvalidArgumentError(`It must be a whole number of MiB, ${LEAST_MIB} or more.`);
  return mib;
}
