// Requests to the viewer's own server.
import type { EntryRow } from "../data/rows.ts";

/** Data of the server: not asked yet, there, or an error in words. */
export type Loaded<T> =
  | { readonly state: "loading" }
  | { readonly state: "ready"; readonly value: T }
  | { readonly state: "failed"; readonly message: string };

/** The answer at a path below `/api/`. Rejects with an error in words. */
export async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(`/api/${path}`, signal ? { signal } : {});
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body;
}

/** A line of a search in contents. */
export interface StreamedLine {
  /** An entry found, or the progress since. */
  readonly row?: EntryRow;
  readonly read?: number;
  readonly unopened?: number;
  readonly isDone?: true;
}

/** Calls `onLine` with each line of JSON that the server streams. */
export async function stream(
  path: string,
  signal: AbortSignal,
  onLine: (value: StreamedLine) => void,
): Promise<void> {
  const response = await fetch(`/api/${path}`, { signal });
  if (!response.ok || response.body === null) throw new Error((await response.json()).error);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(JSON.parse(line));
  }
}
