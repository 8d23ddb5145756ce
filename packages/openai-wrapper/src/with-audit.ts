// The mixin: a client class of the SDK's, recording.
import { auditedClass, type AuditedClass, type ClientClass } from "@ai-audit/core/sdk";
import { openai } from "./host.ts";
import type { Audit } from "./options.ts";

/** The class's own options, and `audit`. */
export type AuditedOptions<C extends ClientClass> = ConstructorParameters<Audited<C>>[0];

/** `C` with an `audit` option: its instances, statics and types are those of `C`. */
export type Audited<C extends ClientClass> = AuditedClass<C, Audit>;

/**
 * A subclass of an openai client class whose instances leave an entry for every call. All else
 * stays the same: types, results, errors, events, bytes on the wire and, since the name is kept,
 * the User-Agent.
 *
 * The constructor throws `AUDIT_CONFIG_INVALID`, as this function does for a class that is not of
 * openai 5, 6 or 7.
 *
 * @example
 * import { BedrockOpenAI } from "openai";
 * const AuditedBedrock = withAudit(BedrockOpenAI);
 * const client = new AuditedBedrock({ awsRegion: "eu-central-1", audit: logger });
 */
export function withAudit<C extends ClientClass>(Base: C): Audited<C>;
export function withAudit(Base: new (...args: readonly unknown[]) => object): ClientClass {
  return auditedClass(Base, openai);
}
