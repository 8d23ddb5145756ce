// The AWS SDK, which is loaded when a bucket is first used.
import type { S3Client } from "@aws-sdk/client-s3";
import { missingPeer, withClass } from "../../errors.ts";
import type { ResolvedConnection } from "./options.ts";

type Sdk = typeof import("@aws-sdk/client-s3");

/** The SDK's commands, and a client to send them with. */
export interface Opened {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

/**
 * Loads the SDK and makes a client, unless the caller has one.
 *
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` naming the package that is missing
 */
export async function openClient({
  client,
  region,
  endpoint,
  pathStyle,
}: ResolvedConnection): Promise<Opened> {
  const sdk = await loadSdk();
  const settings = {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && {
      endpoint,
      ...(region === undefined && { region: "us-east-1" }),
    }),
    forcePathStyle: pathStyle,
    maxAttempts: 1, // request.ts retries: with one key, one deadline, and its own reading of a 412
    requestChecksumCalculation: "WHEN_REQUIRED" as const, // checksums are given where they count
    responseChecksumValidation: "WHEN_REQUIRED" as const,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- S3ClientLike stands for it
  return { sdk, client: (client as S3Client | undefined) ?? new sdk.S3Client(settings) };
}

async function loadSdk(): Promise<Sdk> {
  try {
    return withClass(await import("@aws-sdk/client-s3"), "S3Client");
  } catch (cause) {
    throw missingPeer("@aws-sdk/client-s3", cause);
  }
}
