// Makes strings of a log safe to show. Their authors are users, models and attackers who can write
// to its place. On a terminal an escape sequence could hide lines, forge a verdict or type
// commands; a bidirectional override could reverse text. Both are spelled out.

/** One line of text: every control and bidirectional formatting character is spelled out. */
export function safeLine(text: string): string {
  return text.replaceAll(UNSAFE, spell);
}

/** Text of several lines: line feeds and tabs stay. */
export function safeText(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll(UNSAFE, (char) => (char === "\n" || char === "\t" ? char : spell(char)));
}

/**
 * C0, DEL, C1, line and paragraph separators; marks, embeddings, overrides and isolates of UAX #9;
 * lone surrogates.
 */
const UNSAFE =
  // oxlint-disable-next-line no-control-regex -- control characters are the subject
  /[\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069\uD800-\uDFFF]/gu;

const NAMES: Readonly<Partial<Record<string, string>>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** As JSON escapes it, so that JSON stays the same JSON. */
function spell(char: string): string {
  return NAMES[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
