// The progress of DuckDB with a statement.
import type { DuckDBConnection } from "@duckdb/node-api";
import type { OnProgress } from "../storage/storage.ts";

const POLL_MS = 50;
const SETTINGS = ["enable_progress_bar", "enable_progress_bar_print"];

/**
 * Setting that keeps progress reporting available after the configuration is locked. Empty before
 * DuckDB 1.4, which does not support it.
 */
export async function allowMeasuring(connection: DuckDBConnection): Promise<string> {
  const found = await connection.runAndReadAll(
    "SELECT 1 FROM duckdb_settings() WHERE name = 'allowed_configs'",
  );
  return found.currentRowCount === 0
    ? ""
    : `SET allowed_configs = [${SETTINGS.map((name) => `'${name}'`).join(", ")}];`;
}

/** Lets a connection measure its statements, and print nothing. */
export async function measure(connection: DuckDBConnection): Promise<void> {
  await connection.run("SET enable_progress_bar = true; SET enable_progress_bar_print = false");
}

/**
 * Reports the progress of the connection's statement until the returned function is called. Call it
 * before the connection closes.
 */
export function watchProgress(connection: DuckDBConnection, onProgress: OnProgress): () => void {
  let share = 0;
  const timer = setInterval(() => {
    const { percentage } = connection.progress; // -1 where it is unknown
    share = Math.min(1, Math.max(share, percentage / 100));
    onProgress(share);
  }, POLL_MS).unref();
  return () => clearInterval(timer);
}
