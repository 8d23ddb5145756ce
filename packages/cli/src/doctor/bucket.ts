// Examines a bucket that holds a log: its existence, its protection, and the rights of the
// credentials.
import type { _Object } from "@aws-sdk/client-s3";
import { DEFAULT_RETENTION_DAYS } from "../keeping/retention.ts";
import type { Settings } from "../settings/settings.ts";
import { s3Connection } from "../log/storage.ts";
import { plural } from "../output/format.ts";
import { examineRights } from "./bucket-rights.ts";
import { ask, type BucketAccess, type Keeping, openBucket, unlearnt } from "./bucket-settings.ts";
import { type Finding, good, look, wrong } from "./finding.ts";
import { examineLifecycle } from "./lifecycle.ts";
import { DAY_MS } from "@ai-audit/core/format";

/** The time for which an object cannot be removed. */
interface Lock {
  /** `GOVERNANCE` or `COMPLIANCE`. */
  readonly mode: string;
  readonly days: number;
}

/** All findings about the bucket itself. `isThere`: its log can be read. */
export async function examineBucket(
  location: string,
  settings: Settings,
): Promise<{ readonly findings: readonly Finding[]; readonly isThere: boolean }> {
  const access = await openBucket(location, s3Connection(settings));
  const { sdk, client, bucket: Bucket } = access;
  const keeping = {
    days: settings.days("AUDIT_RETENTION_DAYS") ?? DEFAULT_RETENTION_DAYS,
    floor: settings.days("AUDIT_RETENTION_FLOOR_DAYS"),
  };
  const listed = await ask(
    client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix: access.prefix, MaxKeys: 1 })),
  );
  if (listed.state === "unknown") {
    const remedy = "check the bucket's name, and AWS_ENDPOINT_URL_S3 where it is not on AWS";
    return {
      isThere: false,
      findings: [wrong("bucket", `${location} cannot be listed: ${listed.reason}`, remedy)],
    };
  }
  const newest = listed.state === "answered" ? await newestRetention(access) : undefined;
  const rights = await examineRights(access, listed);
  const findings = [
    ...(await examineVersioning(access)),
    ...(await examineLock(access, keeping, newest)),
    ...(await examineLifecycle(access, keeping)),
    ...(await examineEncryptionAtRest(access)),
    rights,
  ];
  return { isThere: listed.state === "answered", findings };
}

async function examineVersioning({
  sdk,
  client,
  bucket: Bucket,
}: BucketAccess): Promise<Finding[]> {
  const answer = await ask(client.send(new sdk.GetBucketVersioningCommand({ Bucket })));
  if (answer.state !== "answered")
    return [unlearnt("versioning", answer, "s3:GetBucketVersioning")];
  const status = answer.value?.Status;
  if (status === "Enabled")
    return [good("versioning", "an overwritten or deleted object is kept as a version")];
  return [
    look(
      "versioning",
      `${status === "Suspended" ? "suspended" : "not enabled"}: an overwritten or deleted object is lost permanently`,
      `aws s3api put-bucket-versioning --bucket ${Bucket} --versioning-configuration Status=Enabled`,
    ),
  ];
}

/** The lock of the newest object: writers may give each object its own. */
async function newestRetention(access: BucketAccess): Promise<Lock | "refused" | undefined> {
  const { sdk, client, bucket: Bucket } = access;
  const newest = await newestObject(access);
  if (newest?.Key === undefined || newest.LastModified === undefined) return undefined;
  const answer = await ask(
    client.send(new sdk.GetObjectRetentionCommand({ Bucket, Key: newest.Key })),
    "NoSuchObjectLockConfiguration",
    "InvalidRequest", // AWS, of a bucket without Object Lock
  );
  if (answer.state === "refused") return "refused";
  const { Mode: mode, RetainUntilDate: until } =
    (answer.state === "answered" && answer.value?.Retention) || {};
  if (mode === undefined || until === undefined) return undefined;
  return { mode, days: Math.round((until.getTime() - newest.LastModified.getTime()) / DAY_MS) };
}

/** Of the newest day, among its first thousand objects. */
async function newestObject(access: BucketAccess): Promise<_Object | undefined> {
  const { sdk, client, bucket: Bucket, prefix: Prefix } = access;
  let newestDay = Prefix;
  for await (const page of sdk.paginateListObjectsV2(
    { client },
    { Bucket, Prefix, Delimiter: "/" },
  )) {
    const days = (page.CommonPrefixes ?? []).flatMap((folder) => folder.Prefix ?? []);
    newestDay = days.findLast((day) => /\d{4}-\d\d-\d\d\/$/.test(day)) ?? newestDay;
  }
  const { Contents = [] } = await client.send(
    new sdk.ListObjectsV2Command({ Bucket, Prefix: newestDay }),
  );
  return Contents.toSorted((a, b) => Number(a.LastModified) - Number(b.LastModified)).at(-1);
}

async function examineLock(
  { sdk, client, bucket: Bucket }: BucketAccess,
  keeping: Keeping,
  newest: Lock | "refused" | undefined,
): Promise<Finding[]> {
  const answer = await ask(
    client.send(new sdk.GetObjectLockConfigurationCommand({ Bucket })),
    "ObjectLockConfigurationNotFoundError",
  );
  if (answer.state !== "answered")
    return [unlearnt("lock", answer, "s3:GetBucketObjectLockConfiguration")];
  const configuration = answer.value?.ObjectLockConfiguration;
  if (configuration?.ObjectLockEnabled !== "Enabled") {
    return [
      look(
        "lock",
        "no Object Lock: anybody with the right to delete can delete the log",
        `aws s3api put-object-lock-configuration --bucket ${Bucket} --object-lock-configuration ObjectLockEnabled=Enabled, and objectLock for the writer`,
      ),
    ];
  }
  const { Mode: mode, Days, Years } = configuration.Rule?.DefaultRetention ?? {};
  const rule = mode === undefined ? undefined : { mode, days: Days ?? (Years ?? 0) * 365 };
  if (newest === "refused" && rule === undefined) {
    return [
      look(
        "lock",
        "Object Lock is enabled; these credentials may not ask how objects are locked",
        "allow s3:GetObjectRetention",
      ),
    ];
  }
  const own = newest === "refused" ? undefined : newest;
  const lock = own ?? rule;
  if (lock === undefined) {
    return [
      look(
        "lock",
        "Object Lock is enabled, and neither the bucket nor the newest object has a retention: nothing is locked",
        `give the writer objectLock: { mode: "COMPLIANCE", days: ${keeping.floor ?? keeping.days} }, or the bucket a default retention`,
      ),
    ];
  }
  return [
    lockFinding(
      lock,
      own === undefined ? "by default, new objects are" : "the newest object is",
      keeping,
    ),
  ];
}

function lockFinding({ mode, days }: Lock, subject: string, keeping: Keeping): Finding {
  const message = `${subject} locked for ${plural(days, "day")} (${mode})`;
  if (keeping.floor !== undefined && days < keeping.floor) {
    return look(
      "lock",
      `${message}, and ${keeping.floor} days are the legal minimum`,
      "lock them for as long as the law asks",
    );
  }
  if (days > keeping.days) {
    const remedy = "shorten the lock, or raise AUDIT_RETENTION_DAYS";
    return look(
      "lock",
      `${message}, and retention is ${keeping.days}: cleanup is refused until then`,
      remedy,
    );
  }
  return good(
    "lock",
    mode === "COMPLIANCE" ? message : `${message}: s3:BypassGovernanceRetention lifts it`,
  );
}

async function examineEncryptionAtRest({
  sdk,
  client,
  bucket: Bucket,
}: BucketAccess): Promise<Finding[]> {
  const answer = await ask(
    client.send(new sdk.GetBucketEncryptionCommand({ Bucket })),
    "ServerSideEncryptionConfigurationNotFoundError",
  );
  if (answer.state !== "answered")
    return [unlearnt("at rest", answer, "s3:GetEncryptionConfiguration")];
  const [rule] = answer.value?.ServerSideEncryptionConfiguration?.Rules ?? [];
  const { SSEAlgorithm: algorithm, KMSMasterKeyID: key } =
    rule?.ApplyServerSideEncryptionByDefault ?? {};
  if (algorithm === undefined) {
    const remedy = "set the bucket's default encryption, or serverSideEncryption for the writer";
    return [look("at rest", "the bucket has no default encryption by the server", remedy)];
  }
  return [
    good("at rest", `the server encrypts: ${algorithm}${key === undefined ? "" : `, key ${key}`}`),
  ];
}
