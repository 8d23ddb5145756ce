// Verifies a log by where it lies.
import type { Verification } from "../verify/verification.ts";
import { type VerifySourceOptions, verifySources } from "../verify/verifier.ts";
import { logSourcesAt } from "./location.ts";
import type { S3Connection } from "../storage/s3/options.ts";

/** What to verify against, and how to get there. */
export interface VerifyOptions extends VerifySourceOptions {
  /** How to reach the bucket of an `s3://` location. @default the AWS SDK's own settings */
  readonly s3?: S3Connection;
}

/**
 * Verifies the log in a directory, or in a bucket (`s3://bucket/prefix`): integrity, completeness, anchoring. Findings,
 * and also that nothing could be read (exit code 3), are returned, not thrown.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` or `AUDIT_CONFIG_INVALID` when a trusted key or a pin is malformed.
 */
export async function verifyLog(
  location: string,
  options: VerifyOptions = {},
): Promise<Verification> {
  return verifySources(
    (now) => logSourcesAt(location, { ...(options.s3 && { s3: options.s3 }), now }),
    options,
  );
}
