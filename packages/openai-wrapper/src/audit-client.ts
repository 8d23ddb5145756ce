// Recording of a client that the application constructed.
import { AuditConfigError } from "@ai-audit/core";
import { type Audit, attachAudit, auditSettingsOf, resolveAudit } from "./options.ts";
import { installSeam } from "./seam.ts";

/**
 * Records every call of this client from now on, and returns it. It stays the same object of the
 * same class; its methods are defined on it, not on its class, so other clients are untouched.
 * Calls by other holders of this client are recorded as well, and so are those of its clones by
 * `withOptions()`.
 *
 * @throws `AUDIT_CONFIG_INVALID` when it is already recorded, or is not a client of openai 5, 6 or
 * 7
 */
export function auditClient<T extends object>(client: T, audit: Audit): T {
  if (auditSettingsOf(client))
    throw new AuditConfigError("auditClient(): this client is already audited");
  if (!Object.isExtensible(client))
    throw new AuditConfigError("auditClient(): this client cannot be changed");
  const settings = resolveAudit(audit);
  const prototype: unknown = Object.getPrototypeOf(client);
  if (typeof prototype !== "object" || prototype === null)
    throw new AuditConfigError("auditClient() takes a client");
  installSeam(client, prototype);
  attachAudit(client, settings);
  const clone: unknown = Reflect.get(client, "withOptions");
  if (typeof clone !== "function") return client;
  Object.defineProperty(client, "withOptions", {
    value: (...args: readonly unknown[]): unknown => {
      const copy: unknown = Reflect.apply(clone, client, args);
      return typeof copy === "object" && copy !== null && !auditSettingsOf(copy)
        ? auditClient(copy, audit)
        : copy;
    },
    configurable: true,
    writable: true,
  });
  return client;
}
