// Opens storages: a directory, or a bucket, whose SDK is loaded only then.
import { type AuditStorage, FileStorage, type OnProgress, type Signer } from "@ai-audit/core";
import { lineToEntry, safeLine } from "@ai-audit/core/format";
import { type LogSource, logSourcesAt } from "@ai-audit/core/verify";
import type { S3Archive, S3Connection } from "@ai-audit/core/s3";
import { EXIT, Failure } from "../failure.ts";
import { isBucket } from "./location.ts";
import type { Output } from "../output/output.ts";
import type { Settings } from "../settings/settings.ts";

/**
 * The storage at a location. Nothing is written there before the first append. `earlierKeys`: vkeys
 * of the log whose files may be removed as well as those of the signer.
 */
export async function openStorage(
  location: string,
  settings: Settings,
  signer?: Signer,
  earlierKeys: readonly string[] = [],
): Promise<AuditStorage> {
  const signing = signer && { signer };
  if (!isBucket(location))
    return new FileStorage({ path: location, ...signing, trustedKeys: earlierKeys });
  const { parseLocation, S3Storage } = await import("@ai-audit/core/s3");
  const place = { ...parseLocation(location), ...s3Connection(settings) };
  return new S3Storage({ ...place, ...signing, trustedKeys: earlierKeys });
}

/** The storage; readers of its pages report their progress. */
export function reportingReads(
  storage: AuditStorage,
  onProgress: OnProgress | undefined,
): AuditStorage {
  if (onProgress === undefined) return storage;
  return {
    ...delegating(storage),
    pages: (range, order) => storage.pages(range, order, onProgress),
    prune: (options) => storage.prune({ ...options, onProgress }),
  };
}

/** The beginning of a line that this library wrote: its id is a UUIDv7. */
const OWN_LINE = /^\{"id":"[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}"/;

/** The storage. It reports once on `log` that a line of another writer was read. */
export function namingForeign(storage: AuditStorage, log: Output): AuditStorage {
  let isNamed = false;
  const look = async (lines: readonly string[]): Promise<void> => {
    const foreign = isNamed ? undefined : lines.find((line) => !OWN_LINE.test(line));
    if (foreign === undefined) return;
    isNamed = true;
    const id = lineToEntry(foreign)?.id ?? "?";
    await log.line(
      `there are foreign objects without any proof: entry ${safeLine(id)}; see: ai-audit verify`,
    );
    await log.flush();
  };
  return {
    ...delegating(storage),
    get: async (id) => {
      const line = await storage.get(id);
      if (line !== undefined) await look([line]);
      return line;
    },
    pages: async function* (...words) {
      for await (const page of storage.pages(...words)) {
        await look(page);
        yield page;
      }
    },
  };
}

function delegating(storage: AuditStorage): AuditStorage {
  return {
    stream: storage.stream,
    durable: storage.durable,
    append: (line, id) => storage.append(line, id),
    lose: (id, reason) => storage.lose(id, reason),
    get: (id) => storage.get(id),
    pages: (...words) => storage.pages(...words),
    count: (range) => storage.count(range),
    prune: (options) => storage.prune(options),
    status: () => storage.status(),
    flush: () => storage.flush(),
    close: () => storage.close(),
  };
}

/**
 * The archive at `s3://bucket/prefix`. `onError` gets an error for each segment that could not be
 * shipped.
 */
export async function openArchive(
  location: string,
  settings: Settings,
  onError: (error: Error) => void,
): Promise<S3Archive> {
  const { parseLocation, S3Archive: Archive } = await import("@ai-audit/core/s3");
  return new Archive({ ...parseLocation(location), ...s3Connection(settings), onError });
}

/** Read access to the logs at a location. */
export async function logSources({
  location,
  settings,
}: {
  readonly location: string;
  readonly settings: Settings;
}): Promise<readonly LogSource[]> {
  return logSourcesAt(location, { s3: s3Connection(settings) });
}

/** The way to a bucket. */
export function s3Connection(settings: Settings): S3Connection {
  const endpoint = settings.get("AWS_ENDPOINT_URL_S3");
  if (endpoint === undefined) return {};
  if (/^https?:$/.test(URL.parse(endpoint.value)?.protocol ?? ""))
    return { endpoint: endpoint.value };
  throw new Failure(
    EXIT.config,
    `AWS_ENDPOINT_URL_S3 of ${endpoint.source} is not a URL: ${endpoint.value}`,
    "such as https://s3.example.com",
  );
}
