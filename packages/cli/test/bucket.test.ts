import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AuditLogger, Signer } from "@ai-audit/core";
import { lifecycleRule, S3Storage } from "@ai-audit/core/s3";
import {
  type LifecycleRule,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutObjectLockConfigurationCommand,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type S3Server, s3Server } from "@ai-audit/test-support/s3-servers";
import { cli, printed } from "./support/cli.ts";
import { ownSample, sharedSample } from "./support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

describe.skipIf(isLeftOut("moto"))("A log in a bucket", { timeout: 120_000 }, () => {
  let server: S3Server;
  let location: string;
  let vkey: string;
  let pem: string;
  let env: Readonly<Record<string, string>>;
  const ids: string[] = [];

  beforeAll(async () => {
    server = await s3Server("moto");
    const bucket = await server.makeBucket();
    const signer = await Signer.generate("example.com/audit");
    const storage = new S3Storage({ bucket, prefix: "app", client: server.client(), signer });
    const logger = new AuditLogger(storage, { storeContent: true });
    for (const input of ["one", "two", "three"]) {
      ids.push(
        await logger.log({ input, output: "", model: input, safetyPassed: input !== "two" }),
      );
    }
    await logger.close();
    location = `s3://${bucket}/app`;
    vkey = signer.vkey;
    pem = signer.toPem();
    env = {
      AWS_ENDPOINT_URL_S3: server.endpoint,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "testtest",
    };
  }, 120_000);

  /** What doctor prints of a bucket, to somebody who must keep the log for half a year. */
  const doctor = async (bucket: string, code: number): Promise<string> => {
    const legal = { ...env, AUDIT_RETENTION_FLOOR_DAYS: "184", AUDIT_TRUSTED_KEYS: vkey };
    const output = await printed(["doctor", `s3://${bucket}/app`], { env: legal, code });
    return output.replaceAll(bucket, "BUCKET");
  };

  it("is found by the SDK's variables and by a settings file, also at localhost", async () => {
    const { AWS_ENDPOINT_URL_S3: url = "", ...others } = env;
    const endpoint = url.replace("127.0.0.1", "localhost");
    const cwd = await temporaryDirectory();
    const verdict = async (words: string[], own: Record<string, string>): Promise<unknown> => {
      const { code, stdout } = await cli([...words, location, "--json"], {
        cwd,
        env: { ...others, AUDIT_TRUSTED_KEYS: vkey, ...own },
      });
      return { code, ...(words[0] === "verify" && { ok: stdout.includes('"verdict":"OK') }) };
    };
    const wanted = { code: 0, ok: true };
    expect(await verdict(["verify"], { AWS_ENDPOINT_URL: endpoint })).toEqual(wanted);
    expect(await verdict(["doctor"], { AWS_ENDPOINT_URL: endpoint })).toEqual({ code: 0 });
    await writeFile(join(cwd, "ai-audit.env"), `AWS_ENDPOINT_URL_S3=${endpoint}\n`);
    expect(await verdict(["verify"], { AWS_ENDPOINT_URL: "http://127.0.0.1:1" })).toEqual(wanted);
  });

  it("is verified as a directory is", async () => {
    const { code, stdout } = await cli(["verify", location, "-t", vkey], { env });
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^OK: 3 entries in 1 file; sealed by example\.com\/audit\+[0-9a-f]{8} \(trusted by --trust\); /,
      ) as string,
    });
  });

  it("is listed, queried and counted", async () => {
    const listed = await cli(["list", location, "--json"], { env });
    const lines = listed.stdout.trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(ids);
    const flagged = await cli(["query", location, "--flagged", "--json"], { env });
    expect(JSON.parse(flagged.stdout)).toMatchObject({ id: ids[1], input_content: "two" });
    const counted = await cli(["stats", location, "--json"], { env });
    expect(JSON.parse(counted.stdout)).toMatchObject({ total: { calls: 3, flagged: 1 } });
  });

  it("answers SQL over what is downloaded of it, which is said", async () => {
    const words = ["sql", "SELECT model FROM entries ORDER BY id", location];
    const { code, stdout, stderr } = await cli([...words, "--since", "1d"], { env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "model\none\ntwo\nthree\n" });
    expect(stderr).toMatch(/^3 entries downloaded, \d\.\d KiB\n$/);
    expect(await cli([...words, "--until", "2020-01-01"], { env })).toEqual({
      code: 1,
      stdout: "",
      stderr: "0 entries downloaded, 0 B\nno rows\n",
    });
  });

  it("is read where AUDIT_LOG names it", async () => {
    const { stdout } = await cli(["show", ids[2] ?? ""], { env: { ...env, AUDIT_LOG: location } });
    expect(stdout).toMatch(/^input\n {4}three$/m);
  });

  it("gives proofs that are checked without it", async () => {
    const proof = join(await temporaryDirectory(), "proof");
    expect((await cli(["prove", ids[0] ?? "", location, "-o", proof], { env })).code).toBe(0);
    expect((await cli(["check", proof, "-t", vkey])).code).toBe(0);
  });

  it("is cleaned up with its signing key, and not without", async () => {
    const refused = await printed(["cleanup", location], { env, code: 78 });
    expect(refused).toMatchInlineSnapshot(`
      "--- stderr
      error: no signing key is set, and records in a bucket must be signed
        set AUDIT_SIGNING_NAME, and AUDIT_SIGNING_KEY or AUDIT_SIGNING_KEY_FILE
      "
    `);
    const signing = { ...env, AUDIT_SIGNING_NAME: "example.com/audit", AUDIT_SIGNING_KEY: pem };
    const { code, stdout } = await cli(["cleanup", location, "--dry-run"], { env: signing });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^retention 365 days \(the default\): removes entries older than \S+ \S+ UTC\n0 entries in 0 days would be removed\n$/,
      ) as string,
    });
    const keyless = await cli(["cleanup", location, "--dry-run"], { env });
    expect(keyless).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^the run itself would be refused: /) as string,
    });
  });

  it("that does not exist is said to be missing", async () => {
    expect(await printed(["list", "s3://no-such-bucket/app"], { env, code: 66 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: the log could not be read: The specified bucket does not exist
        check the bucket's name, and AWS_ENDPOINT_URL_S3 where it is not on AWS
      "
    `);
    expect(await printed(["verify", "s3://no-such-bucket/app"], { env, code: 3 }))
      .toMatchInlineSnapshot(`
      "NOT VERIFIED: The specified bucket does not exist
      --- stderr
      check the bucket's name, and AWS_ENDPOINT_URL_S3 where it is not on AWS
      "
    `);
  });

  it("must be named", async () => {
    expect(await printed(["list", "s3://"], { env, code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: no bucket is named: s3://
        such as s3://bucket/prefix
      "
    `);
  });

  it("has the segments that were shipped to it, once, and they verify there", async () => {
    const sample = await ownSample();
    const archive = `s3://${await server.makeBucket()}/archive`;
    const words = ["ship", sample.directory, "--to", archive];

    const first = await printed(words, { sample, env });
    const second = await printed(words, { sample, env });

    expect(first.replaceAll(archive, "ARCHIVE").replace(/[\w-]{16}\/audit/, "STREAM/audit"))
      .toMatchInlineSnapshot(`
      "audit_20260101.jsonl  ARCHIVE/2026-01-01/STREAM/audit_20260101.jsonl
      1 segment shipped
      "
    `);
    expect(second).toBe("0 segments shipped\n");
    const verified = await cli(["verify", archive, "-t", sample.vkey], { env });
    expect(verified.stdout).toMatch(/^OK: 7 entries in 1 file; /);
    const listed = await cli(["list", archive, "--json"], { env });
    expect(listed.stdout).toBe((await cli(["list", sample.directory, "--json"])).stdout);
  });

  it("that nothing can be shipped to is said to be so", async () => {
    const sample = await ownSample();
    const lost = await printed(["ship", sample.directory, "--to", "s3://no-such-bucket/x"], {
      sample,
      env,
      code: 66,
    });
    expect(lost.replace(/[\w-]{16}\/audit/, "STREAM/audit")).toMatchInlineSnapshot(`
      "0 segments shipped
      --- stderr
      error: audit_20260101.jsonl was not shipped: s3://no-such-bucket/x/2026-01-01/STREAM/audit_20260101.jsonl was not stored: 404 NoSuchBucket: The specified bucket does not exist
        check the bucket's name, and AWS_ENDPOINT_URL_S3 where it is not on AWS
      "
    `);
    expect(await printed(["ship", sample.directory], { sample, env, code: 64 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: no archive is named
        give --to s3://bucket/prefix, or set AUDIT_ARCHIVE
      "
    `);
    expect(await printed(["ship", sample.directory, "--to", "/mnt"], { sample, env, code: 64 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: an archive is in a bucket: /mnt
        such as s3://bucket/prefix
      "
    `);
  });

  it("is examined by doctor: what protects it, and what the credentials may do", async () => {
    const [open, locked] = [
      await server.makeBucket(),
      await server.makeBucket({ withObjectLock: true }),
    ];
    const client = server.client();
    const rules = [
      lifecycleRule(30, "app/"),
      { ...lifecycleRule(1, "other/"), ID: "not ours" },
      ICE,
    ];
    await client.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket: open,
        LifecycleConfiguration: { Rules: rules },
      }),
    );
    const lock = {
      ObjectLockEnabled: "Enabled",
      Rule: { DefaultRetention: { Mode: "COMPLIANCE", Days: 184 } },
    } as const;
    await client.send(
      new PutObjectLockConfigurationCommand({ Bucket: locked, ObjectLockConfiguration: lock }),
    );
    const kms = {
      ApplyServerSideEncryptionByDefault: {
        SSEAlgorithm: "aws:kms",
        KMSMasterKeyID: "alias/audit",
      },
    } as const;
    const encryption = { Rules: [kms] };
    await client.send(
      new PutBucketEncryptionCommand({
        Bucket: locked,
        ServerSideEncryptionConfiguration: encryption,
      }),
    );
    expect(await doctor(open, 1)).toMatchInlineSnapshot(`
      "good   settings      from the environment only
      good   signing       no signing key here; 1 trusted for verifying
      good   log           s3://BUCKET/app
      look   versioning    not enabled: an overwritten or deleted object is lost permanently
                           → aws s3api put-bucket-versioning --bucket BUCKET --versioning-configuration Status=Enabled
      look   lock          no Object Lock: anybody with the right to delete can delete the log
                           → aws s3api put-object-lock-configuration --bucket BUCKET --object-lock-configuration ObjectLockEnabled=Enabled, and objectLock for the writer
      wrong  lifecycle     the rule "ai-audit retention 30 days" removes objects after 31 days, and 184 days are the legal minimum
                           → raise its days
      look   lifecycle     the rule "ice" moves objects to DEEP_ARCHIVE after 90 days: they cannot be read or verified there
                           → restore them before verifying, or move them to GLACIER_IR, which is read at once
      look   at rest       the bucket has no default encryption by the server
                           → set the bucket's default encryption, or serverSideEncryption for the writer
      look   rights        these credentials may list, read, delete versions; the server did not say whether they may write
                           → only cleanup needs to delete: give that right to its own credentials alone
      look   encryption    no key is set: encrypted content cannot be opened here
                           → set AUDIT_ENCRYPTION_KEY_FILE
      good   retention     365 days; the legal minimum is 184
      good   record        no loss, removal, hold, erasure or open call
      good   clock         2026-01-01T00:00:00.000Z; no entry to compare with
      "
    `);
    expect(await doctor(locked, 0)).toMatchInlineSnapshot(`
      "good   settings      from the environment only
      good   signing       no signing key here; 1 trusted for verifying
      good   log           s3://BUCKET/app
      good   versioning    an overwritten or deleted object is kept as a version
      good   lock          by default, new objects are locked for 184 days (COMPLIANCE)
      good   lifecycle     the bucket removes nothing of the log by itself
      good   at rest       the server encrypts: aws:kms, key alias/audit
      look   rights        these credentials may list, read, delete versions; the server did not say whether they may write
                           → only cleanup needs to delete: give that right to its own credentials alone
      look   encryption    no key is set: encrypted content cannot be opened here
                           → set AUDIT_ENCRYPTION_KEY_FILE
      good   retention     365 days; the legal minimum is 184
      good   record        no loss, removal, hold, erasure or open call
      good   clock         2026-01-01T00:00:00.000Z; no entry to compare with
      "
    `);
    expect(await doctor("no-such-bucket", 1)).toMatchInlineSnapshot(`
      "good   settings      from the environment only
      good   signing       no signing key here; 1 trusted for verifying
      good   log           s3://BUCKET/app
      wrong  bucket        s3://BUCKET/app cannot be listed: NoSuchBucket
                           → check the bucket's name, and AWS_ENDPOINT_URL_S3 where it is not on AWS
      look   encryption    no key is set: encrypted content cannot be opened here
                           → set AUDIT_ENCRYPTION_KEY_FILE
      good   retention     365 days; the legal minimum is 184
      "
    `);
  });

  it("whose credentials may not read it is wrong to doctor, and what may not be asked is said", async () => {
    const bucket = await server.makeBucket();
    const actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"];
    const statement = {
      Effect: "Deny",
      Principal: "*",
      Action: actions,
      Resource: `arn:aws:s3:::${bucket}/*`,
    };
    const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    await server.client().send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policy }));

    const { stdout, code } = await cli(["doctor", `s3://${bucket}/app`, "--json"], { env });

    expect(code).toBe(1);
    expect(
      (JSON.parse(stdout) as { about: string }[]).find(({ about }) => about === "rights"),
    ).toEqual({
      about: "rights",
      state: "wrong",
      message: "these credentials may list; they may not read, write, delete versions",
      remedy: "allow s3:GetObject: nothing can be read or verified without",
    });
  });

  it("that is the archive of a directory is examined with it", async () => {
    const sample = await sharedSample();
    const archive = `s3://${await server.makeBucket()}/archive`;
    const { stdout } = await cli(["doctor", sample.directory, "--json"], {
      env: { ...env, AUDIT_ARCHIVE: archive },
    });
    const findings = JSON.parse(stdout) as { about: string; message: string }[];
    expect(findings).toContainEqual({ about: "archive", state: "good", message: archive });
    expect(findings.map(({ about }) => about)).toEqual(
      expect.arrayContaining(["versioning", "lock", "lifecycle", "at rest", "rights", "files"]),
    );
  });

  it("that does not answer is said to be so, with what to check", async () => {
    const nowhere = { ...env, AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" };
    const { stdout, code } = await cli(["doctor", location, "--json"], { env: nowhere });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toContainEqual({
      about: "bucket",
      state: "wrong",
      message: "connect ECONNREFUSED 127.0.0.1:1",
      remedy: "check AWS_ENDPOINT_URL_S3, the region and the network",
    });
  });

  it("becomes Parquet as a directory does", async () => {
    const folder = join(await temporaryDirectory(), "parquet");
    const exported = await cli(["export", location, "-f", "parquet", "-o", folder, "--json"], {
      env,
    });
    expect(JSON.parse(exported.stdout)).toEqual({ entries: 3, output: folder });
    expect((await readdir(folder)).every((name) => name.startsWith("day="))).toBe(true);
  });
});

/** A rule that moves objects where they cannot be read. */
const ICE: LifecycleRule = {
  ID: "ice",
  Status: "Enabled",
  Filter: { Prefix: "" },
  Transitions: [{ Days: 90, StorageClass: "DEEP_ARCHIVE" }],
};
