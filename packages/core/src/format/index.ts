// The bytes of a log, written and read: @ai-audit/core/format.
export { type AuditEntry, entryToLine, lineToEntry } from "./entry.ts";
export { canonicalJson, type JsonValue } from "./canonical.ts";
export { safeLine, safeText } from "./safe-text.ts";
