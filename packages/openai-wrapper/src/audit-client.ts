// Recording of a client that the application constructed.
import { auditedInstance } from "@ai-audit/core/sdk";
import { openai } from "./host.ts";
import type { Audit } from "./options.ts";

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
  return auditedInstance(client, audit, openai);
}
