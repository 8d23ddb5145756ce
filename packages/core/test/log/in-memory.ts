// What the tests of a logger share.
import { createHash } from "node:crypto";
import { AuditLogger, type AuditLoggerOptions, MemoryStorage } from "../../src/index.ts";

export function inMemory(options?: AuditLoggerOptions): AuditLogger {
  return new AuditLogger(new MemoryStorage(), options);
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
