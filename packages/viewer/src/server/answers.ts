// Answers to requests: headers of every one, JSON, its CSV twin, errors.
import type { ServerResponse } from "node:http";
import { csvCell } from "@ai-audit/core/reading";

/** A request that cannot be answered. The message is for the reader of the page. */
export class RequestError extends Error {
  override readonly name: string = "RequestError";
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 421 | 503;

  constructor(status: RequestError["status"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/**
 * Headers of every answer. Scripts, styles and requests are the server's own alone, and no other
 * site may frame a page, open it or read it.
 */
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
    "require-trusted-types-for 'script'; trusted-types 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
};

/** Begins an answer. */
export function begin(
  response: ServerResponse,
  status: number,
  contentType: string,
  more: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...HEADERS, "content-type": contentType, ...more });
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  begin(response, status, "application/json; charset=utf-8");
  response.end(JSON.stringify(value));
}

/** A table of plain objects as CSV, RFC 4180. Members of members are JSON in their cell. */
export function csvOf(rows: readonly object[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => csvLineOf(row, columns));
  return [csvHeadOf(columns), ...lines].join("");
}

/** The first line of a table. */
export function csvHeadOf(columns: readonly string[]): string {
  return `${columns.map((column) => csvCell(column)).join(",")}\r\n`;
}

/** A line of a table. */
export function csvLineOf(row: object, columns: readonly string[]): string {
  const cells = new Map(Object.entries(row));
  return `${columns.map((column) => csvCell(cells.get(column))).join(",")}\r\n`;
}
