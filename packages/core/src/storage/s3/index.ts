// The log in a bucket: @ai-audit/core/s3. Needs the package @aws-sdk/client-s3.
export { S3Storage } from "./s3.ts";
export { S3Archive, type S3ArchiveOptions } from "./archive.ts";
export { type LifecycleRule, lifecycleRule } from "./lifecycle.ts";
export { openS3Client } from "./connection.ts";
export {
  parseLocation,
  type S3ClientLike,
  type S3Connection,
  type S3ObjectOptions,
  type S3StorageOptions,
} from "./options.ts";
