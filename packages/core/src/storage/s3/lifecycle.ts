// The bucket's own rule instead of cleanupExpired().
import { AuditConfigError } from "../../errors.ts";
import { normalizePrefix } from "./options.ts";

/**
 * One rule of a bucket's lifecycle configuration, as `PutBucketLifecycleConfiguration` takes it.
 */
export interface LifecycleRule {
  readonly ID: string;
  readonly Status: "Enabled";
  readonly Filter: { readonly Prefix: string };
  readonly Expiration: { readonly Days: number };
  readonly NoncurrentVersionExpiration: { readonly NoncurrentDays: number };
  readonly AbortIncompleteMultipartUpload: { readonly DaysAfterInitiation: number };
}

/**
 * The rule by which a bucket itself removes objects older than `retentionDays`, for `Rules` of a
 * lifecycle configuration. It costs no request. But no sealed record names the removed objects: to
 * the verifier, the bucket's owner removed those days. Throws `AUDIT_CONFIG_INVALID`.
 *
 * @param prefix as of the storage. @default "audit/"
 */
export function lifecycleRule(retentionDays: number, prefix = "audit/"): LifecycleRule {
  if (!Number.isInteger(retentionDays) || retentionDays < 1) {
    throw new AuditConfigError("retentionDays must be a whole number >= 1");
  }
  return {
    ID: `ai-audit retention ${retentionDays} days`,
    Status: "Enabled",
    Filter: { Prefix: normalizePrefix(prefix) }, // `audit` alone would match `audit-finance/` too
    // An object expires this many days after it was written, at the next midnight UTC: never before
    // its entries do.
    Expiration: { Days: retentionDays + 1 },
    NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
  };
}
