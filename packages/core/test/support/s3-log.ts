// A log in a bucket to look at and to tamper with.
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Signer } from "../../src/seal/signer.ts";
import { verifyLog, type VerifyOptions } from "../../src/log/verify-log.ts";
import type { Verification } from "../../src/verify/verification.ts";
import { S3Storage, type S3StorageOptions } from "../../src/storage/s3/index.ts";
import { testEntry, type TestEntry } from "../../src/testing.ts";
import type { S3Server } from "@ai-audit/test-support/s3-servers";

let count = 0;

/** A prefix of its own in a bucket, with raw access beside the storage's. */
export class S3Log {
  readonly bucket: string;
  readonly prefix: string = `log-${(count += 1)}/`;
  readonly client: S3Client;
  readonly signer: Signer;

  private constructor(bucket: string, client: S3Client, signer: Signer) {
    this.bucket = bucket;
    this.client = client;
    this.signer = signer;
  }

  static async make(
    server: S3Server,
    options?: { readonly withObjectLock?: boolean },
  ): Promise<S3Log> {
    return new S3Log(
      await server.makeBucket(options),
      server.client(),
      await Signer.generate("test"),
    );
  }

  storage(options: Partial<S3StorageOptions> = {}): S3Storage {
    const { bucket, prefix, client, signer } = this;
    return new S3Storage({ bucket, prefix, client, signer, ...options });
  }

  async verify(options: VerifyOptions = {}): Promise<Verification> {
    const location = `s3://${this.bucket}/${this.prefix}`;
    return verifyLog(location, {
      trustedKeys: [this.signer.vkey],
      s3: { client: this.client },
      ...options,
    });
  }

  /** Keys without the prefix, in their order. */
  async keys(): Promise<string[]> {
    const keys: string[] = [];
    let after: string | undefined;
    for (;;) {
      const command = new ListObjectsV2Command({
        Bucket: this.bucket,
        Prefix: this.prefix,
        StartAfter: after,
      });
      const { Contents = [], IsTruncated } = await this.client.send(command);
      keys.push(...Contents.map(({ Key = "" }) => Key.slice(this.prefix.length)));
      after = Contents.at(-1)?.Key;
      if (IsTruncated !== true) return keys;
    }
  }

  async read(
    key: string,
  ): Promise<{ readonly body: string; readonly metadata: Record<string, string> }> {
    const { Body, Metadata = {} } = await this.client.send(new GetObjectCommand(this.#at(key)));
    return { body: (await Body?.transformToString()) ?? "", metadata: Metadata };
  }

  async write(key: string, body: string, metadata: Record<string, string> = {}): Promise<void> {
    await this.client.send(
      new PutObjectCommand({ ...this.#at(key), Body: body, Metadata: metadata }),
    );
  }

  async copy(from: string, to: string): Promise<void> {
    const source = `${this.bucket}/${this.prefix}${from}`;
    await this.client.send(new CopyObjectCommand({ ...this.#at(to), CopySource: source }));
  }

  async remove(key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand(this.#at(key)));
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.bucket, Key: this.prefix + key };
  }
}

/** Appends entries in several commits: what is appended together is one. */
export async function appendCommits(
  storage: S3Storage,
  sizes: readonly number[],
  time: number = Date.now(),
): Promise<TestEntry[]> {
  const all: TestEntry[] = [];
  for (const size of sizes) {
    const entries = Array.from({ length: size }, () => testEntry(time));
    await Promise.all(entries.map(({ line, id }) => storage.append(line, id)));
    all.push(...entries);
  }
  return all;
}
