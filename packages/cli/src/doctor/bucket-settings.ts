// A bucket's settings, as its server reports them: one request for each.
import type { S3Client } from "@aws-sdk/client-s3";
import type { S3Connection } from "@ai-audit/core/s3";
import { type Finding, look } from "./finding.ts";

type Sdk = typeof import("@aws-sdk/client-s3");

/** Days for which entries are kept, and for which they must be. */
export interface Keeping {
  readonly days: number;
  readonly floor: number | undefined;
}

/** A bucket, and the means to ask about it. */
export interface BucketAccess {
  readonly bucket: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
  readonly sdk: Sdk;
  readonly client: S3Client;
}

/**
 * `refused`: the credentials lack the right. `unknown`: the server does not support the request, or
 * failed.
 */
export type Answer<T> =
  | { readonly state: "answered"; readonly value: T }
  | { readonly state: "refused" }
  | { readonly state: "unknown"; readonly reason: string };

/** @throws {AuditError} `AUDIT_CONFIG_INVALID` when the SDK is not installed */
export async function openBucket(
  location: string,
  connection: S3Connection,
): Promise<BucketAccess> {
  const { openS3Client, parseLocation } = await import("@ai-audit/core/s3");
  const client = await openS3Client(connection);
  return {
    ...parseLocation(location),
    sdk: await import("@aws-sdk/client-s3"),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- S3ClientLike stands for it
    client: client as S3Client,
  };
}

/**
 * Sends one request. `absent` names the errors that mean "nothing is set": the value is then
 * undefined.
 * @throws any other error: no network, no credentials
 */
export async function ask<T>(
  question: Promise<T>,
  ...absent: readonly string[]
): Promise<Answer<T | undefined>> {
  try {
    return { state: "answered", value: await question };
  } catch (error) {
    const status = statusOf(error);
    if (!(error instanceof Error) || status === undefined) throw error;
    if (absent.includes(error.name)) return { state: "answered", value: undefined };
    return status === 403 ? { state: "refused" } : { state: "unknown", reason: error.name };
  }
}

/** The HTTP status by which a server refused; undefined for any other error. */
function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  const { $metadata: metadata } = error;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata))
    return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

/** A setting that could not be read. */
export function unlearnt(
  about: string,
  answer: Exclude<Answer<unknown>, { state: "answered" }>,
  action: string,
): Finding {
  return answer.state === "refused"
    ? look(about, "these credentials may not ask", `allow ${action}, or ask an operator who may`)
    : look(about, `the server does not say: ${answer.reason}`, "ask the operator of the server");
}
