import { join } from "node:path";
import { AuditLogger, Signer } from "@ai-audit/core";
import { S3Storage } from "@ai-audit/core/s3";
import { beforeAll, describe, expect, test } from "vitest";
import { isAbsent, type S3Server, s3Server } from "../../core/test/support/s3-servers.ts";
import { cli, printed } from "./support/cli.ts";
import { ownSample } from "./support/samples.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";

describe.skipIf(isAbsent("moto"))("A log in a bucket", { timeout: 120_000 }, () => {
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
      ids.push(await logger.log({ input, output: "", model: input, safetyPassed: input !== "two" }));
    }
    await logger.close();
    location = `s3://${bucket}/app`;
    vkey = signer.vkey;
    pem = signer.toPem();
    env = {
      AUDIT_S3_ENDPOINT: server.endpoint,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "testtest",
    };
  }, 120_000);

  test("is verified as a directory is", async () => {
    const { code, stdout } = await cli(["verify", location, "-t", vkey], { env });
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^OK: 3 entries in 1 file; sealed by example\.com\/audit; /) as string,
    });
  });

  test("is listed, queried and counted", async () => {
    const listed = await cli(["list", location, "--json"], { env });
    const lines = listed.stdout.trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(ids);
    const flagged = await cli(["query", location, "--flagged", "--json"], { env });
    expect(JSON.parse(flagged.stdout)).toMatchObject({ id: ids[1], input_content: "two" });
    const counted = await cli(["stats", location, "--json"], { env });
    expect(JSON.parse(counted.stdout)).toMatchObject({ total: { calls: 3, flagged: 1 } });
  });

  test("is read where AUDIT_LOG names it", async () => {
    const { stdout } = await cli(["show", ids[2] ?? ""], { env: { ...env, AUDIT_LOG: location } });
    expect(stdout).toMatch(/^input\n {4}three$/m);
  });

  test("gives proofs that are checked without it", async () => {
    const proof = join(await temporaryDirectory(), "proof");
    expect((await cli(["prove", ids[0] ?? "", "--log", location, "-o", proof], { env })).code).toBe(0);
    expect((await cli(["check", proof, "-t", vkey])).code).toBe(0);
  });

  test("is cleaned up with its signing key, and not without", async () => {
    const refused = await printed(["cleanup", location], { env, code: 78 });
    expect(refused).toMatchInlineSnapshot(`
      "--- stderr
      error: no signing key is set, and what is recorded in a bucket must be signed
        set AUDIT_SIGNING_NAME, and AUDIT_SIGNING_KEY or AUDIT_SIGNING_KEY_FILE
      "
    `);
    const signing = { ...env, AUDIT_SIGNING_NAME: "example.com/audit", AUDIT_SIGNING_KEY: pem };
    const { code, stdout } = await cli(["cleanup", location, "--dry-run"], { env: signing });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "0 entries in 0 files older than 365 days would be removed\n",
    });
  });

  test("that does not exist is said to be missing", async () => {
    expect(await printed(["list", "s3://no-such-bucket/app"], { env, code: 66 })).toMatchInlineSnapshot(`
      "--- stderr
      error: the log could not be read: The specified bucket does not exist
        check the bucket's name, and AUDIT_S3_ENDPOINT where it is not on AWS
      "
    `);
    expect(await printed(["verify", "s3://no-such-bucket/app"], { env, code: 3 })).toMatchInlineSnapshot(`
      "NOT VERIFIED: The specified bucket does not exist
      "
    `);
  });

  test("must be named", async () => {
    expect(await printed(["list", "s3://"], { env, code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: no bucket is named: s3://
        such as s3://bucket/prefix
      "
    `);
  });

  test("has the segments that were shipped to it, once, and they verify there", async () => {
    const sample = await ownSample();
    const archive = `s3://${await server.makeBucket()}/archive`;
    const words = ["ship", sample.directory, "--to", archive];

    const first = await printed(words, { sample, env });
    const second = await printed(words, { sample, env });

    expect(first.replaceAll(archive, "ARCHIVE").replace(/[\w-]{16}\/audit/, "STREAM/audit")).toMatchInlineSnapshot(`
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

  test("that nothing can be shipped to is said to be so", async () => {
    const sample = await ownSample();
    const lost = await printed(["ship", sample.directory, "--to", "s3://no-such-bucket/x"], { sample, env, code: 66 });
    expect(lost.replace(/[\w-]{16}\/audit/, "STREAM/audit")).toMatchInlineSnapshot(`
      "0 segments shipped
      --- stderr
      error: audit_20260101.jsonl was not shipped: s3://no-such-bucket/x/2026-01-01/STREAM/audit_20260101.jsonl was not stored: 404 NoSuchBucket: The specified bucket does not exist
        check the bucket's name, and AUDIT_S3_ENDPOINT where it is not on AWS
      "
    `);
    expect(await printed(["ship", sample.directory], { sample, env, code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: no archive is named
        give --to s3://bucket/prefix, or set AUDIT_ARCHIVE
      "
    `);
    expect(await printed(["ship", sample.directory, "--to", "/mnt"], { sample, env, code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: an archive is in a bucket: /mnt
        such as s3://bucket/prefix
      "
    `);
  });

  test("knows no holds and makes no bundle", async () => {
    const hold = await printed(["hold", "list", location], { env, code: 64 });
    expect(hold.replace(location, "LOCATION")).toMatchInlineSnapshot(`
      "--- stderr
      error: hold works on a directory, not on a bucket: LOCATION
      "
    `);
    const bundle = await printed(["export", location, "-f", "bundle", "-o", "never"], { env, code: 64 });
    expect(bundle.replace(location, "LOCATION")).toMatchInlineSnapshot(`
      "--- stderr
      error: a bundle is made from a directory, not from a bucket: LOCATION
      "
    `);
  });
});
