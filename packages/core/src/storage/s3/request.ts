// Requests to a bucket: retries, bodies read and checked, and several requests at once.
import { getFips, hash } from "node:crypto";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";

/** The number of tries of a request, and their time. */
export interface RetryPolicy {
  /** Milliseconds from the first attempt after which no further attempt begins. */
  readonly timeoutMs: number;
  /**
   * Milliseconds that one attempt may go without a sign of life; then it is aborted and repeated.
   */
  readonly attemptMs: number;
}

/** Every attempt failed before the deadline. `cause` is the last attempt's error. */
export class RetriesExhausted extends Error {
  override readonly name: string = "RetriesExhausted";
}

/** Full jitter up to here: writers refused at the same time must not retry at the same time. */
const FIRST_WAIT_MS = 50;
const MAX_WAIT_MS = 5000;

/** One attempt. It must stop at the signal, and may tell that it is alive. */
export type Attempt<T> = (signal: AbortSignal, alive: () => void) => Promise<T>;

/**
 * Runs `attempt` until it succeeds, fails permanently, or the time is up (`RetriesExhausted`).
 * Everything it does must be safe to do twice.
 */
export async function withRetries<T>(
  { timeoutMs, attemptMs }: RetryPolicy,
  attempt: Attempt<T>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (let count = 0; ; count += 1) {
    try {
      return await within(attemptMs, attempt);
    } catch (error) {
      if (!isPassing(error)) throw error;
      const wait = Math.random() * Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** count);
      if (Date.now() + wait >= deadline) {
        const seconds = Math.ceil(timeoutMs / 1000);
        throw new RetriesExhausted(`no success within ${seconds} s: ${reasonOf(error)}`, {
          cause: error,
        });
      }
      await sleep(wait);
    }
  }
}

/**
 * Abandons a request that hangs. Aborting alone is not enough: a body that trickles may not notice.
 */
async function within<T>(milliseconds: number, attempt: Attempt<T>): Promise<T> {
  const abort = new AbortController();
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new AttemptTimeout(`no answer within ${milliseconds} ms`));
    abort.abort();
  }, milliseconds);
  const attempted = attempt(abort.signal, () => timer.refresh());
  try {
    return await Promise.race([attempted, expired]);
  } finally {
    clearTimeout(timer);
    attempted.catch(() => undefined); // abandoned: its own error adds nothing
  }
}

class AttemptTimeout extends Error {
  override readonly name: string = "AttemptTimeout";
}

/** The server may accept the same request soon, or its answer is not about the request itself. */
const PASSING_NAMES: ReadonlySet<string> = new Set([
  "AttemptTimeout",
  "BadDigest", // bytes were damaged in transit
  "ExpiredToken", // the credential provider is asked again
  "ExpiredTokenException",
  "IncompleteBody",
  "IncompleteListing",
  "RequestTimeout",
  "RequestTimeTooSkewed", // the SDK has taken the server's clock from the answer
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "TimeoutError",
  "TokenRefreshRequired",
  "XAmzContentSHA256Mismatch",
]);

/** Whether the same request may succeed later. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (PASSING_NAMES.has(error.name)) return true;
  const status = statusOf(error);
  // HEAD has no body that could hold a code: a bad request may be one with expired credentials.
  if (status === 400 && /^(?:Unknown|UnknownError|BadRequest|400)$/.test(error.name)) return true;
  // An error despite a 2xx: the answer was truncated.
  if (status !== undefined)
    return status < 300 || status === 408 || status === 409 || status === 429 || status >= 500;
  return isNetworkError(error);
}

/** The connection failed: the server may or may not have carried out the request. */
function isNetworkError(error: Error): boolean {
  if (
    "code" in error &&
    typeof error.code === "string" &&
    /^(?:E[A-Z]+|HPE_\w+|UND_\w+)$/.test(error.code)
  )
    return true;
  return /socket hang up|aborted|deserialization|premature/i.test(error.message);
}

/** HTTP status of the SDK's error. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata))
    return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

/** A server's error in words, for a message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const status = statusOf(error);
  return `${status === undefined ? "" : `${status} `}${error.name}: ${error.message}`;
}

/** A body may be slow as long as bytes keep arriving. */
export async function readAll(body: Readable, alive: () => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) {
    chunks.push(Buffer.from(chunk));
    alive();
  }
  return Buffer.concat(chunks);
}

/** Whether there are fewer bytes than the answer's own headers say. */
export function isCut(
  { ContentLength, ContentRange = "" }: GetObjectCommandOutput,
  bytes: number,
): boolean {
  const [, from, to] = /^bytes (\d+)-(\d+)\//.exec(ContentRange) ?? [];
  const isOfRange =
    from === undefined || to === undefined || bytes === Number(to) - Number(from) + 1;
  return bytes !== (ContentLength ?? bytes) || !isOfRange;
}

/**
 * Whether the bytes of a whole object have its ETag, where that is their MD5: not of parts, and not
 * under a KMS key.
 */
export function hasItsETag(
  { ETag = "", ContentRange, ServerSideEncryption, SSECustomerAlgorithm }: GetObjectCommandOutput,
  body: Buffer,
): boolean {
  const [, md5] = /^"([0-9a-f]{32})"$/.exec(ETag) ?? [];
  const isOther =
    (ServerSideEncryption ?? "AES256") !== "AES256" || SSECustomerAlgorithm !== undefined;
  if (md5 === undefined || ContentRange !== undefined || isOther || getFips() === 1) return true;
  return hash("md5", body) === md5;
}

/** Fewer bytes than announced. S3 uses the same name for it. */
export class IncompleteBody extends Error {
  override readonly name: string = "IncompleteBody";
  constructor(key: string) {
    super(`the body of ${key} ended early`);
  }
}

/**
 * Maps with at most `limit` calls under way; results are in the order of the items. Rejects with
 * the first error.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for await (const result of mapInOrder(items, limit, map)) results.push(result);
  return results;
}

/** The same as a stream: at most `limit` results are under way or waiting to be taken. */
export async function* mapInOrder<T, R>(
  items: Iterable<T>,
  limit: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R, void, void> {
  const ahead: Promise<R>[] = [];
  try {
    for (const item of items) {
      const result = map(item);
      result.catch(() => undefined); // it rejects where it is taken
      ahead.push(result);
      const first = ahead.length >= limit ? ahead.shift() : undefined;
      if (first) yield await first;
    }
    while (ahead.length > 0) {
      const first = ahead.shift();
      if (first) yield await first;
    }
  } finally {
    await Promise.allSettled(ahead); // a consumer that leaves early leaves no request behind
  }
}
