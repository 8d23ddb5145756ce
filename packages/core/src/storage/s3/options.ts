// The options of S3Storage, checked once. Over 300 lines, half of them docstrings of public
// options.
import { AuditConfigError } from "../../errors.ts";
import { MAX_SPAN_MS } from "./keys.ts";
import { checkSigner, type Signer } from "../../seal/signer.ts";
import { checkTrustedKeys } from "../../retention/trust.ts";
import { resolveMark } from "../mark.ts";
import { anything, atLeast, type OptionChecks, optionsOf } from "../../options.ts";

/**
 * An `S3Client` of `@aws-sdk/client-s3`, as this package's types describe it. They do not name the
 * SDK's own class: programs without the SDK would not compile then.
 */
export interface S3ClientLike {
  send(command: never): Promise<unknown>;
  destroy(): void;
}

/** The way to a bucket. Credentials come from the SDK's own chain, or from a `client`. */
export interface S3Connection {
  /**
   * @default the SDK's: AWS_REGION or the shared configuration; us-east-1 where neither has one and
   * there is an endpoint
   */
  readonly region?: string;
  /**
   * A ready client, with credentials, proxies and time-outs of its own. Excludes `region`,
   * `endpoint`, `pathStyle`.
   */
  readonly client?: S3ClientLike;
  /**
   * URL of a server that speaks S3.
   * @default AWS_ENDPOINT_URL_S3, or AWS_ENDPOINT_URL, or else AWS
   */
  readonly endpoint?: string;
  /**
   * `http://host/bucket/key` instead of `http://bucket.host/key`. @default true with an endpoint of
   * the option or the environment, else false
   */
  readonly pathStyle?: boolean;
  /**
   * Milliseconds without a sign of life after which a request is aborted and retried. A write has a
   * second more for each 256 KiB. @default 15000
   */
  readonly requestTimeoutMs?: number;
}

/** A connection with every default in its place. */
export interface ResolvedConnection extends S3Connection {
  readonly pathStyle: boolean;
  readonly requestTimeoutMs: number;
}

/** Attributes of new objects. */
export interface S3ObjectOptions {
  /**
   * Days during which an object cannot be removed, with GOVERNANCE except by a special permission.
   */
  readonly objectLock?: { readonly mode: "GOVERNANCE" | "COMPLIANCE"; readonly days: number };
  /** Puts a legal hold on every object: it stays until the hold is lifted. @default false */
  readonly legalHold?: boolean;
  /** Encryption by the server: `"sse-s3"`, or a KMS key. @default the bucket's */
  readonly serverSideEncryption?: "sse-s3" | { readonly kmsKeyId: string };
  /** `STANDARD`, `STANDARD_IA`, `INTELLIGENT_TIERING`, `GLACIER_IR` … @default the bucket's */
  readonly storageClass?: string;
  /**
   * Objects larger than this go in parts of this size; at least 5 MiB. @default 16777216 (16 MiB)
   */
  readonly partBytes?: number;
  /** Milliseconds during which a write is retried before it fails. @default 60000 */
  readonly writeTimeoutMs?: number;
}

/** Options of an `S3Storage`: the place of the log, and how objects are written and protected. */
export interface S3StorageOptions extends S3Connection, S3ObjectOptions {
  readonly bucket: string;
  /** @default "audit/" */
  readonly prefix?: string;
  /**
   * Signs every checkpoint. Without one the log finds accidents, not an attacker who recomputes it.
   */
  readonly signer?: Signer;
  /**
   * `vkey`s of earlier keys of this log. Segments that they sealed are recorded by new ones and may
   * be removed by retention. Their records count as much as those of the `signer`. Segments of any
   * other key stay.
   * @default none
   */
  readonly trustedKeys?: readonly string[];
  /**
   * Days after which a lifecycle rule of the bucket removes objects; see `lifecycleRule()`. It is
   * recorded and sealed in the log: the verifier then reports older objects as removed, not as
   * missing.
   * @default none
   */
  readonly expiresDays?: number;
  /**
   * A directory on this machine, where the writer notes the state of its open segment. A segment
   * that is shorter at the next start gets a sealed `segment.gap` line.
   * @default none: a cut looks like a crash
   */
  readonly mark?: string;
  /** Limits of one object with several entries. */
  readonly commit?: {
    /** @default 5000 */
    readonly maxEntries?: number;
    /** @default 8388608 (8 MiB) */
    readonly maxBytes?: number;
    /**
     * Milliseconds for which an entry may wait for others. More saves requests and makes each
     * `log()` slower by as much. Entries that arrive while an object is being stored share the next
     * one in any case. @default 0
     */
    readonly maxDelayMs?: number;
  };
}

/** The options with every default in its place. */
export interface ResolvedOptions {
  readonly bucket: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
  readonly connection: ResolvedConnection;
  readonly objects: ResolvedObjectOptions;
  readonly signer: Signer | undefined;
  readonly trustedKeys: readonly string[];
  readonly expiresDays: number | undefined;
  /** Absolute. */
  readonly mark: string | undefined;
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxDelayMs: number;
}

export interface ResolvedObjectOptions extends S3ObjectOptions {
  readonly partBytes: number;
  readonly writeTimeoutMs: number;
}

/** Options of a direct writer and of an archive. */
export const PLACE_OPTIONS: OptionChecks<
  S3Connection & S3ObjectOptions & { readonly bucket: string; readonly prefix?: string }
> = {
  bucket: anything,
  prefix: anything,
  region: anything,
  client: anything,
  endpoint: anything,
  pathStyle: anything,
  requestTimeoutMs: anything,
  objectLock: anything,
  legalHold: anything,
  serverSideEncryption: anything,
  storageClass: anything,
  partBytes: anything,
  writeTimeoutMs: anything,
};

const checkOptions: (given: unknown) => void = optionsOf<S3StorageOptions>("S3Storage", {
  ...PLACE_OPTIONS,
  signer: anything,
  trustedKeys: anything,
  expiresDays: anything,
  mark: anything,
  commit: anything,
});

const checkCommit: (given: unknown) => void = optionsOf<NonNullable<S3StorageOptions["commit"]>>(
  "S3Storage.commit",
  { maxEntries: atLeast(1), maxBytes: atLeast(1), maxDelayMs: atLeast(0) },
);

/** S3 accepts no smaller part, except as the last. */
const MIN_PART_BYTES = 5 * 2 ** 20;

/** Throws `AUDIT_CONFIG_INVALID`, and `AUDIT_KEY_INVALID` for an invalid trusted key. */
export function resolveOptions(options: S3StorageOptions): ResolvedOptions {
  checkOptions(options);
  const { signer, trustedKeys = [], expiresDays, commit = {} } = options;
  checkSigner(signer);
  checkTrustedKeys(trustedKeys);
  checkCommit(commit);
  const { maxEntries = 5000, maxBytes = 8 * 2 ** 20, maxDelayMs = 0 } = commit;
  // Entries of one object lie within this span, so an entry that waits longer could not share one
  // anyway.
  if (maxDelayMs > MAX_SPAN_MS)
    throw new AuditConfigError(`commit.maxDelayMs must be at most ${MAX_SPAN_MS}`);
  checkExpiresDays(expiresDays);
  return {
    ...resolvePlace(options),
    expiresDays,
    mark: resolveMark(options.mark),
    connection: resolveConnection(options),
    objects: resolveObjectOptions(options),
    signer,
    trustedKeys,
    maxEntries,
    maxBytes,
    maxDelayMs,
  };
}

/** Throws `AUDIT_CONFIG_INVALID`. */
export function checkExpiresDays(expiresDays: number | undefined): void {
  if (expiresDays !== undefined && !Number.isInteger(expiresDays)) {
    throw new AuditConfigError("expiresDays must be a whole number");
  }
  checkNumber("expiresDays", expiresDays ?? 1, 1);
}

/** Throws `AUDIT_CONFIG_INVALID`. */
export function resolvePlace({
  bucket,
  prefix = "audit/",
}: {
  readonly bucket: string;
  readonly prefix?: string;
}): {
  readonly bucket: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
} {
  checkBucket(bucket);
  return { bucket, prefix: normalizePrefix(prefix) };
}

/** Throws `AUDIT_CONFIG_INVALID`. */
export function resolveObjectOptions(options: S3ObjectOptions): ResolvedObjectOptions {
  const { objectLock, legalHold, serverSideEncryption, storageClass } = options;
  const { partBytes = 16 * 2 ** 20, writeTimeoutMs = 60_000 } = options;
  checkNumber("partBytes", partBytes, MIN_PART_BYTES);
  checkNumber("writeTimeoutMs", writeTimeoutMs, 1);
  if (objectLock) {
    checkNumber("objectLock.days", objectLock.days, 1);
    if (objectLock.mode !== "GOVERNANCE" && objectLock.mode !== "COMPLIANCE") {
      throw new AuditConfigError("objectLock.mode must be 'GOVERNANCE' or 'COMPLIANCE'");
    }
  }
  if (typeof serverSideEncryption === "string" && serverSideEncryption !== "sse-s3") {
    throw new AuditConfigError("serverSideEncryption must be 'sse-s3' or { kmsKeyId }");
  }
  return {
    partBytes,
    writeTimeoutMs,
    ...(objectLock && { objectLock }),
    ...(legalHold !== undefined && { legalHold }),
    ...(serverSideEncryption && { serverSideEncryption }),
    ...(storageClass !== undefined && { storageClass }),
  };
}

/** Variables of the AWS SDK for the address of a server, the one that counts first. */
const ENDPOINT_VARIABLES = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] as const;

/**
 * Throws `AUDIT_CONFIG_INVALID`. An endpoint of the environment is resolved here and not by the
 * SDK: the SDK would put the bucket's name before the host, and `bucket.localhost` is no host.
 */
export function resolveConnection(
  connection: S3Connection,
  env: Readonly<Partial<Record<string, string>>> = process.env,
): ResolvedConnection {
  const { client, region, pathStyle, requestTimeoutMs = 15_000 } = connection;
  checkNumber("requestTimeoutMs", requestTimeoutMs, 1);
  if (client && (region ?? connection.endpoint ?? pathStyle) !== undefined) {
    throw new AuditConfigError("client excludes region, endpoint and pathStyle: it has its own");
  }
  const variable = client ? undefined : ENDPOINT_VARIABLES.find((name) => env[name]);
  const endpoint = connection.endpoint ?? (variable && env[variable]);
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
    const source =
      connection.endpoint === undefined ? `${variable} of the environment` : "endpoint";
    throw new AuditConfigError(`${source} must be a URL, such as https://s3.example.com`);
  }
  return {
    ...(client && { client }),
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    pathStyle: pathStyle ?? endpoint !== undefined,
    requestTimeoutMs,
  };
}

/** The bucket and prefix of `s3://bucket/prefix`. Throws `AUDIT_CONFIG_INVALID`. */
export function parseLocation(location: string): {
  readonly bucket: string;
  readonly prefix: string;
} {
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(location) ?? [];
  return resolvePlace({ bucket, prefix });
}

/** Empty, or with a slash at its end. */
export function normalizePrefix(prefix: string): string {
  if (typeof prefix !== "string") throw new AuditConfigError("prefix must be a string");
  return prefix === "" ? "" : `${prefix.replace(/\/+$/, "")}/`;
}

function checkBucket(bucket: string): void {
  if (typeof bucket !== "string" || !/^[\w.:-]+(?:\/[\w.:-]+)*$/.test(bucket)) {
    throw new AuditConfigError("bucket must name a bucket");
  }
}

function checkNumber(name: string, value: number, least: number): void {
  if (typeof value !== "number" || !(value >= least))
    throw new AuditConfigError(`${name} must be a number >= ${least}`);
}
