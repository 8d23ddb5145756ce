// The rule for statements: they read, and do nothing else.
import type { DuckDBConnection, DuckDBResult } from "@duckdb/node-api";
import { AuditInputError } from "../errors.ts";
import { importDuckDb } from "./database.ts";

/** Values for `$1`, `$2` … of a statement. */
export type SqlParameters = readonly (string | number | boolean | null)[];

const READING = ["SELECT", "WITH", "FROM", "VALUES", "DESCRIBE", "SUMMARIZE", "SHOW", "EXPLAIN"];
// Blanks, brackets and comments may stand before the first word. No two alternatives begin alike:
// there is no backtracking.
const FIRST_WORD = /^(?:\s|\(|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*([a-z]+)/i;
// EXPLAIN ANALYZE runs its statement, so that must read too. Options are words alone: a comment in
// them could hide an end.
const EXPLAINED =
  /^\s*EXPLAIN\s+(?:ANALYZE\s+)?(?:\(\s*(?:ANALYZE|FORMAT)\b[\w\s,]*\))?(?<explained>.*)$/is;

/**
 * Begins a statement after checking that it is a single one and only reads. Rows are computed as
 * they are fetched.
 */
export async function startReading(
  connection: DuckDBConnection,
  statement: string,
  parameters: SqlParameters,
): Promise<DuckDBResult> {
  const [, word = ""] = FIRST_WORD.exec(statement) ?? [];
  if (!READING.includes(word.toUpperCase())) throw notReading();
  const { StatementType } = await importDuckDb();
  const found = await connection.extractStatements(statement);
  if (found.count !== 1) throw new AuditInputError(`one statement at a time, not ${found.count}`);
  const prepared = await found.prepare(0);
  try {
    if (prepared.statementType === StatementType.EXPLAIN) {
      const explained = await connection.extractStatements(
        EXPLAINED.exec(statement)?.groups?.["explained"] ?? "",
      );
      const inner = await explained.prepare(0);
      const { statementType } = inner;
      inner.destroySync();
      if (explained.count !== 1 || statementType !== StatementType.SELECT) throw notReading();
    } else if (prepared.statementType !== StatementType.SELECT) {
      throw notReading();
    }
    prepared.bind([...parameters]);
    return await prepared.stream();
  } finally {
    prepared.destroySync();
  }
}

function notReading(): AuditInputError {
  return new AuditInputError(`SQL over the log takes statements that read: ${READING.join(", ")}`);
}
