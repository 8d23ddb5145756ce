// Tables over the same objects for engines that read S3 themselves. Control lines are hidden by a
// view.
import { AuditConfigError } from "../errors.ts";
import { parseLocation } from "../storage/s3/options.ts";
import { columnLines, ZONED } from "./columns.ts";

/** The place of the log and the name of its table. */
export interface TableOptions {
  /** `s3://bucket/prefix` */
  readonly location: string;
  /** @default "audit_entries" */
  readonly table?: string;
  /** The first day of the log, for engines that count days: `2026-11-01`. */
  readonly firstDay?: string;
}

/**
 * Statements for Amazon Athena, which is Trino: a table over the objects, one partition a day
 * without a crawler (partition projection), and a view of the entries alone. Objects are JSON text:
 * `json_extract` reads them. Throws `AUDIT_CONFIG_INVALID`.
 */
export function athenaDdl(options: TableOptions): string {
  const { url, table, firstDay } = resolve(options);
  const types = {
    text: "string",
    timestamp: "string",
    boolean: "boolean",
    integer: "bigint",
    number: "double",
    texts: "array<string>",
    json: "string",
  };
  return `CREATE EXTERNAL TABLE IF NOT EXISTS ${table}_lines (
${columnLines(types, "`")}
)
PARTITIONED BY (\`day\` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
LOCATION '${url}'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy-MM-dd',
  'projection.day.range' = '${firstDay},NOW',
  'storage.location.template' = '${url}\${day}/'
);

CREATE OR REPLACE VIEW ${table} AS
SELECT from_iso8601_timestamp(if(regexp_like("timestamp", '${ZONED}'), "timestamp", "timestamp" || 'Z')) AS recorded, *
FROM ${table}_lines
WHERE type IS NULL AND id IS NOT NULL;
`;
}

/**
 * Statements for ClickHouse: a table over the objects and a view of the entries alone. \`_path\`
 * prunes by day. Throws `AUDIT_CONFIG_INVALID`.
 */
export function clickhouseDdl(options: TableOptions): string {
  const { bucket, prefix, table } = resolve(options);
  const types = {
    text: "Nullable(String)",
    timestamp: "Nullable(String)",
    boolean: "Nullable(Bool)",
    integer: "Nullable(Int64)",
    number: "Nullable(Float64)",
    texts: "Array(String)",
    json: "Nullable(String)",
  };
  return `CREATE TABLE IF NOT EXISTS ${table}_lines (
${columnLines(types, "`")}
)
ENGINE = S3('https://${bucket}.s3.amazonaws.com/${prefix}**.{json,jsonl}', 'JSONEachRow')
SETTINGS input_format_skip_unknown_fields = 1,
  input_format_json_read_objects_as_strings = 1,
  input_format_null_as_default = 1;

CREATE VIEW IF NOT EXISTS ${table} AS
SELECT parseDateTime64BestEffort(assumeNotNull(timestamp), 3, 'UTC') AS recorded, *
FROM ${table}_lines
WHERE type IS NULL AND id IS NOT NULL;
`;
}

function resolve({ location, table = "audit_entries", firstDay = "2024-01-01" }: TableOptions): {
  readonly bucket: string;
  readonly prefix: string;
  readonly url: string;
  readonly table: string;
  readonly firstDay: string;
} {
  const { bucket, prefix } = parseLocation(location);
  if (!/^[a-z_][a-z0-9_]*$/.test(table))
    throw new AuditConfigError("table must be a lower-case SQL name");
  if (!/^\d{4}-\d\d-\d\d$/.test(firstDay))
    throw new AuditConfigError("firstDay must look like 2026-11-01");
  if (/['\\]/.test(prefix))
    throw new AuditConfigError("prefix must not hold quotes or backslashes");
  return { bucket, prefix, url: `s3://${bucket}/${prefix}`, table, firstDay };
}
