// Errors of the AWS SDK or the network for a bucket that cannot be used.
import { EXIT, type ExitCode, Failure } from "./failure.ts";

/** The failure for an operator; undefined if no cause in the chain is of these kinds. */
export function serviceFailure(error: Error): Failure | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
    const known = SERVICE_ERRORS[code];
    if (known !== undefined)
      return new Failure(known[0], error.message, known[1], { cause: error });
  }
  return undefined;
}

const CHECK_CREDENTIALS =
  "check the credentials: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
const CHECK_SERVER = "check AWS_ENDPOINT_URL_S3, the region and the network";

const SERVICE_ERRORS: Readonly<Partial<Record<string, readonly [ExitCode, string]>>> = {
  NoSuchBucket: [
    EXIT.missing,
    "check the bucket's name, and AWS_ENDPOINT_URL_S3 where it is not on AWS",
  ],
  AccessDenied: [EXIT.permission, CHECK_CREDENTIALS],
  InvalidAccessKeyId: [EXIT.permission, CHECK_CREDENTIALS],
  SignatureDoesNotMatch: [EXIT.permission, CHECK_CREDENTIALS],
  CredentialsProviderError: [EXIT.config, CHECK_CREDENTIALS],
  ECONNREFUSED: [EXIT.unavailable, CHECK_SERVER],
  ENOTFOUND: [EXIT.unavailable, CHECK_SERVER],
  ETIMEDOUT: [EXIT.unavailable, CHECK_SERVER],
  TimeoutError: [EXIT.unavailable, CHECK_SERVER],
};
