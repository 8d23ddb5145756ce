// The columns of an entry, once: every engine's table is made of these. Names are those of the lines (docs/format.md).

/** What a column holds, in no engine's own words. */
export type ColumnType = "text" | "timestamp" | "boolean" | "integer" | "number" | "texts" | "json";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

function column(type: ColumnType, ...names: readonly string[]): Column[] {
  return names.map((name) => ({ name, type }));
}

/** In the order of the line. `json` members differ between entries: they stay JSON text. */
export const COLUMNS: readonly Column[] = [
  ...column("text", "id"),
  ...column("timestamp", "timestamp"),
  ...column("text", "input_hash", "output_hash", "input_content", "output_content"),
  ...column("text", "provider", "model", "conversation_id"),
  ...column("boolean", "safety_passed"),
  ...column("texts", "detectors_triggered"),
  ...column("text", "block_reason"),
  ...column("texts", "alerts"),
  ...column("number", "latency_ms"),
  ...column("integer", "input_tokens", "output_tokens"),
  ...column("json", "metadata"),
  ...column("text", "operation", "outcome"),
  ...column("texts", "safety_checks"),
  ...column("json", "error"),
  ...column("text", "response_id", "response_model", "request_id"),
  ...column("texts", "finish_reasons"),
  ...column("json", "usage"),
  ...column("number", "time_to_first_token_ms"),
  ...column("integer", "attempts"),
  ...column("boolean", "streamed"),
  ...column("json", "parameters", "run", "trace"),
  ...column("text", "subject", "call", "kid", "input_format", "output_format"),
];

/**
 * A pattern of every engine's: a timestamp that says its offset from UTC. One that does not is the Python original's
 * and means UTC.
 */
export const ZONED = "(Z|[+-][0-9]{2}:?[0-9]{2})$";

/** Column definitions in one engine's spelling, one a line. `type` is the member that tells control lines apart. */
export function columnLines(types: Readonly<Record<ColumnType, string>>, quote: string): string {
  const lines = COLUMNS.map(({ name, type }) => `  ${quote}${name}${quote} ${types[type]}`);
  return [...lines, `  ${quote}type${quote} ${types.text}`].join(",\n");
}
