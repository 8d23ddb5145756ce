// Proves an entry of a log by where the log lies.
import { proveEntryIn } from "./integrity/proof.ts";
import { sourcesAt } from "./log-location.ts";
import type { S3Connection } from "./storage/s3/options.ts";

/**
 * The proof of one entry, as `proveEntryIn` makes it, from the log in a directory or in the bucket of
 * `s3://bucket/prefix`. Undefined when there is no such entry.
 * @param id The entry's id.
 * @param options `s3`: how to reach a bucket. @default the AWS SDK's own settings
 * @throws {AuditInputError} `AUDIT_INPUT_INVALID` when `id` cannot be one.
 * @throws {AuditError} `AUDIT_READ_FAILED` when the log cannot be read, or no checkpoint covers the entry.
 */
export async function proveEntry(
  location: string,
  id: string,
  { s3 = {} }: { readonly s3?: S3Connection } = {},
): Promise<string | undefined> {
  for (const source of await sourcesAt(location, s3, new Date())) {
    const proof = await proveEntryIn(source, id);
    if (proof !== undefined) return proof;
  }
  return undefined;
}
