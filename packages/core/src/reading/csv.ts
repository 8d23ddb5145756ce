// Cells of CSV tables: RFC 4180.

/** A cell. Objects are JSON in it; what is absent is empty. */
export function csvCell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // Spreadsheets run a cell that begins like a formula, and attackers can write prompts (OWASP, CSV
  // injection). The last four are the full-width forms, which some take for the others.
  const tame = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(tame) ? `"${tame.replaceAll('"', '""')}"` : tame;
}
