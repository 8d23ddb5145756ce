// The oldest Node that ai-audit runs on.
import { AuditConfigError } from "./errors.ts";

const LEAST: readonly [major: number, minor: number] = [22, 18];

/** Throws `AUDIT_CONFIG_INVALID` on an older Node, instead of a TypeError somewhere later. */
export function requireNode(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return;
  throw new AuditConfigError(`ai-audit needs Node ${LEAST.join(".")} or later; this is ${version}`);
}
