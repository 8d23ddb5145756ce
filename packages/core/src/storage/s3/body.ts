// Bodies as they come over a network: read through, and checked against what their own headers say.
import { getFips, hash } from "node:crypto";
import type { Readable } from "node:stream";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";

/** A body may take its time, as long as it keeps coming. */
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

/** Whether the bytes of a whole object have its ETag, where that is their MD5: not of parts, and not under a KMS key. */
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

/** Fewer bytes than announced. The name is S3's own for the same. */
export class IncompleteBody extends Error {
  override readonly name: string = "IncompleteBody";
  constructor(key: string) {
    super(`the body of ${key} ended early`);
  }
}
