// The mixin: a client class of the SDK's, recording.
import { type Audit, attachAudit, resolveAudit } from "./options.ts";
import { installSeam } from "./seam.ts";

/** A client class of any supported version of openai, or a subclass of one. */
export type ClientClass = new (...args: never[]) => object;

/** The class's own options, and `audit`. */
export type AuditedOptions<C extends ClientClass> = NonNullable<ConstructorParameters<C>[0]> & {
  /** The record of calls: a logger, or `{ logger, … }`. Clones by `withOptions()` keep it. */
  readonly audit: Audit;
};

/** `C` with an `audit` option: its instances, statics and types are those of `C`. */
export type Audited<C extends ClientClass> = { readonly [K in keyof C]: C[K] } & (new (
  options: AuditedOptions<C>,
) => InstanceType<C>);

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
        ),
      );
    }
  }
  const original: object = Base.prototype;
  installSeam(AuditedClient.prototype, original);
  Object.defineProperty(AuditedClient, "name", { value: Base.name });
  return AuditedClient;
}
