// SQL over the log, by engines that exist: @ai-audit/core/sql.
export { AuditSql, type SqlOptions } from "./duckdb.ts";
export type { SqlRow } from "./rows.ts";
export type { SqlParameters } from "./statement.ts";
export { athenaDdl, clickhouseDdl, type TableOptions } from "./ddl.ts";
export { type Column, COLUMNS, type ColumnType } from "./columns.ts";
