// Clients of an SDK that record: a subclass of its client class, and a client that the application
// constructed.
import { AuditConfigError } from "../../errors.ts";
import type { SdkHost } from "./host.ts";
import { attachAudit, auditSettingsOf, resolveAudit } from "./options.ts";
import { installSeam } from "./seam.ts";

/** A client class of an SDK. */
export type ClientClass = new (...args: never[]) => object;

/** The options of a class; any of them, where it has four constructors as Bedrock's client has. */
type OptionsOf<C extends ClientClass> = NonNullable<
  C extends {
    new (...args: infer First): object;
    new (...args: infer Second): object;
    new (...args: infer Third): object;
    new (...args: infer Fourth): object;
  }
    ? (First | Second | Third | Fourth)[0]
    : ConstructorParameters<C>[0]
>;

/** `C` with an `audit` option of type `A`: instances, statics and types are those of `C`. */
export type AuditedClass<C extends ClientClass, A> = { readonly [K in keyof C]: C[K] } & (new (
  options: OptionsOf<C> & {
    /** The record of calls: a logger, or `{ logger, … }`. Clones by `withOptions()` keep it. */
    readonly audit: A;
  },
) => InstanceType<C>);

/**
 * A subclass of a client class whose instances leave an entry for every call. Its name stays, and
 * so does the User-Agent. Wrappers give it its type.
 *
 * Throws `AUDIT_CONFIG_INVALID`, as its constructor does, for a class of another SDK.
 */
export function auditedClass(
  Base: new (...args: readonly unknown[]) => object,
  host: SdkHost,
): ClientClass {
  class AuditedClient extends Base {
    constructor(...args: readonly unknown[]) {
      super(...args);
      const [options] = args;
      attachAudit(
        this,
        resolveAudit(
          typeof options === "object" && options !== null && "audit" in options
            ? options.audit
            : undefined,
          host,
        ),
      );
    }
  }
  const original: object = Base.prototype;
  installSeam(AuditedClient.prototype, original, host);
  Object.defineProperty(AuditedClient, "name", { value: Base.name });
  return AuditedClient;
}

/**
 * Records every call of this client from now on, and returns it. It stays the same object of the
 * same class; its methods are defined on it, not on its class, so other clients are untouched.
 * Calls by other holders of this client are recorded as well, and so are those of its clones by
 * `withOptions()`.
 *
 * @throws `AUDIT_CONFIG_INVALID` when it is already recorded, or is not a client of the SDK
 */
export function auditedInstance<T extends object>(client: T, audit: unknown, host: SdkHost): T {
  if (auditSettingsOf(client))
    throw new AuditConfigError("auditClient(): this client is already audited");
  if (!Object.isExtensible(client))
    throw new AuditConfigError("auditClient(): this client cannot be changed");
  const settings = resolveAudit(audit, host);
  const prototype: unknown = Object.getPrototypeOf(client);
  if (typeof prototype !== "object" || prototype === null)
    throw new AuditConfigError("auditClient() takes a client");
  installSeam(client, prototype, host);
  attachAudit(client, settings);
  const clone: unknown = Reflect.get(client, "withOptions");
  if (typeof clone !== "function") return client;
  Object.defineProperty(client, "withOptions", {
    value: (...args: readonly unknown[]): unknown => {
      const copy: unknown = Reflect.apply(clone, client, args);
      return typeof copy === "object" && copy !== null && !auditSettingsOf(copy)
        ? auditedInstance(copy, audit, host)
        : copy;
    },
    configurable: true,
    writable: true,
  });
  return client;
}
