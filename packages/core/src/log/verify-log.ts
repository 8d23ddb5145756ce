// Verifies a log by where it lies.
import { requireNode } from "../runtime.ts";
import type { Verification } from "../verify/verification.ts";
import { type VerifySourceOptions, verifySources } from "../verify/verifier.ts";
import { logSourcesAt } from "./location.ts";
import type { S3Connection } from "../storage/s3/options.ts";

/** Keys, pins and rules to verify against, and the way to the log. */
export interface VerifyOptions extends Omit<VerifySourceOptions, "archive"> {
  /**
   * The archive that files were moved to (`s3://bucket/prefix`): they are read there.
   * @default the archive is not read
   */
  readonly archive?: string;
  /**
   * Skip the versions of a bucket's objects; the verdict then says so.
   * @default false
   */
  readonly withoutVersions?: boolean;
  /** Settings for the bucket of an `s3://` location. @default the AWS SDK's own settings */
  readonly s3?: S3Connection;
}

/**
 * Verifies the log in a directory, or in a bucket (`s3://bucket/prefix`): integrity, completeness,
 * anchoring. Findings, and also that nothing could be read (exit code 3), are returned, not thrown.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` or `AUDIT_CONFIG_INVALID` when a trusted key or a
 * pin is malformed.
 */
export async function verifyLog(
  location: string,
  options: VerifyOptions = {},
): Promise<Verification> {
  requireNode();
  const { archive, s3, withoutVersions = false, ...rest } = options;
  const access = { ...(s3 && { s3 }), withoutVersions };
  return verifySources((now) => logSourcesAt(location, { ...access, now }), {
    ...rest,
    ...(archive !== undefined && { archive: () => logSourcesAt(archive, access) }),
  });
}
