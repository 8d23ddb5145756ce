// SQL over the log, by engines that exist: @ai-audit/core/sql.
export { AuditSql, type SqlOptions } from "./sql/duckdb.ts";
export type { SqlRow } from "./sql/rows.ts";
export type { SqlParameters } from "./sql/statement.ts";
export { athenaDdl, clickhouseDdl, type TableOptions } from "./sql/ddl.ts";
export { type Column, COLUMNS, type ColumnType } from "./sql/columns.ts";
