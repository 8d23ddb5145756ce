// Writing objects: each method is one attempt, whole or in parts. put-once.ts decides what a failed one means.
import { hash } from "node:crypto";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import type { Opened } from "./connection.ts";
import type { NewObject, UploadedPart } from "./objects.ts";
import type { ResolvedObjectOptions } from "./options.ts";

/** Where objects go. */
interface Place {
  readonly open: () => Promise<Opened>;
  readonly target: (key: string) => { readonly Bucket: string; readonly Key: string };
}

type ObjectInput = Omit<PutObjectCommandInput, "Body" | "ChecksumAlgorithm">;

export class Uploads {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Stores an object where there is none; rejects with the server's 412 where there is one. */
  async put(
    object: NewObject,
    body: Buffer,
    options: ResolvedObjectOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const { sdk, client } = await this.#place.open();
    const input = {
      ...this.#newObject(object, options),
      Body: body,
      ChecksumAlgorithm: "SHA256" as const, // said besides the checksum itself: some servers ask for it with a lock
      ChecksumSHA256: hash("sha256", body, "base64"),
      IfNoneMatch: "*",
    };
    await client.send(new sdk.PutObjectCommand(input), { abortSignal: signal });
  }

  /** Begins an object of several parts. Resolves to the upload's id. */
  async beginParts(
    object: NewObject,
    options: ResolvedObjectOptions,
    signal: AbortSignal,
  ): Promise<string> {
    const { sdk, client } = await this.#place.open();
    const input = { ...this.#newObject(object, options), ChecksumAlgorithm: "SHA256" as const };
    const { UploadId = "" } = await client.send(new sdk.CreateMultipartUploadCommand(input), {
      abortSignal: signal,
    });
    return UploadId;
  }

  async putPart(
    key: string,
    uploadId: string,
    number: number,
    body: Buffer,
    signal: AbortSignal,
  ): Promise<UploadedPart> {
    const { sdk, client } = await this.#place.open();
    const sha256 = hash("sha256", body, "base64");
    const input = {
      ...this.#place.target(key),
      UploadId: uploadId,
      PartNumber: number,
      Body: body,
      ChecksumSHA256: sha256,
    };
    const { ETag = "" } = await client.send(new sdk.UploadPartCommand(input), {
      abortSignal: signal,
    });
    return { number, etag: ETag, sha256 };
  }

  /** Makes the object of its parts; rejects with the server's 412 where there is one, and 404 for an unknown upload. */
  async finishParts(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    signal: AbortSignal,
  ): Promise<void> {
    const { sdk, client } = await this.#place.open();
    const input = {
      ...this.#place.target(key),
      UploadId: uploadId,
      MultipartUpload: {
        Parts: parts.map(({ number, etag, sha256 }) => ({
          PartNumber: number,
          ETag: etag,
          ChecksumSHA256: sha256,
        })),
      },
      IfNoneMatch: "*",
    };
    await client.send(new sdk.CompleteMultipartUploadCommand(input), { abortSignal: signal });
  }

  async abandonParts(key: string, uploadId: string): Promise<void> {
    const { sdk, client } = await this.#place.open();
    await client.send(
      new sdk.AbortMultipartUploadCommand({ ...this.#place.target(key), UploadId: uploadId }),
    );
  }

  #newObject(
    { key, metadata, contentType, lockedUntil }: NewObject,
    options: ResolvedObjectOptions,
  ): ObjectInput {
    const { objectLock, legalHold, serverSideEncryption, storageClass } = options;
    return {
      ...this.#place.target(key),
      Metadata: { ...metadata },
      ContentType: contentType,
      ...(objectLock && {
        ObjectLockMode: objectLock.mode,
        ObjectLockRetainUntilDate: lockedUntil,
      }),
      ...(legalHold === true && { ObjectLockLegalHoldStatus: "ON" as const }),
      ...(serverSideEncryption === "sse-s3" && { ServerSideEncryption: "AES256" as const }),
      ...(typeof serverSideEncryption === "object" && {
        ServerSideEncryption: "aws:kms" as const,
        SSEKMSKeyId: serverSideEncryption.kmsKeyId,
      }),
      // The SDK's list of classes grows with its versions; the server knows which there are.
      ...(storageClass !== undefined && {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
        StorageClass: storageClass as NonNullable<ObjectInput["StorageClass"]>,
      }),
    };
  }
}
