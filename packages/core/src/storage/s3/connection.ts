// The AWS SDK, which is loaded when a bucket is first used.
import type { S3Client } from "@aws-sdk/client-s3";
import { missingPeer, withClass } from "../../errors.ts";
import {
  resolveConnection,
  type ResolvedConnection,
  type S3ClientLike,
  type S3Connection,
} from "./options.ts";

type Sdk = typeof import("@aws-sdk/client-s3");

/** The SDK's commands, and a client to send them with. */
export interface Opened {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

/**
 * The client of `@aws-sdk/client-s3` that a storage with this connection uses, for requests of your
 * own. It does not retry.
 *
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID`, also when the package is missing
 */
export async function openS3Client(connection: S3Connection = {}): Promise<S3ClientLike> {
  const { client } = await openClient(resolveConnection(connection));
  return client;
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
    ...(endpoint !== undefined && { endpoint }),
    forcePathStyle: pathStyle,
    maxAttempts: 1, // request.ts retries: with one key, one deadline, and its own reading of a 412
    requestChecksumCalculation: "WHEN_REQUIRED" as const, // checksums are given where they count
    responseChecksumValidation: "WHEN_REQUIRED" as const,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- S3ClientLike stands for it
  if (client) return { sdk, client: client as S3Client };
  const own = new sdk.S3Client(settings);
  if (endpoint === undefined || (await hasRegion(own))) return { sdk, client: own };
  own.destroy();
  return { sdk, client: new sdk.S3Client({ ...settings, region: "us-east-1" }) };
}

/** Whether the options, the environment or the shared configuration name a region. */
async function hasRegion(client: S3Client): Promise<boolean> {
  try {
    await client.config.region();
    return true;
  } catch {
    return false; // the SDK's only error here: the region is missing
  }
}

async function loadSdk(): Promise<Sdk> {
  try {
    return withClass(await import("@aws-sdk/client-s3"), "S3Client");
  } catch (cause) {
    throw missingPeer("@aws-sdk/client-s3", cause);
  }
}
