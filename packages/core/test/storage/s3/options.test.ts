import { describe, expect, it } from "vitest";
import { S3Client } from "@aws-sdk/client-s3";
import {
  lifecycleRule,
  S3Archive,
  S3Storage,
  type S3StorageOptions,
} from "../../../src/storage/s3/index.ts";
import { resolveConnection } from "../../../src/storage/s3/options.ts";
import { dayOf, isDay, parseKey } from "../../../src/storage/s3/keys.ts";
import { rejected } from "@ai-audit/test-support/caught";

const ID = "01a207c5-8409-7000-800c-968a15ede54d";

describe("S3Storage's options", () => {
  it.each<[Partial<S3StorageOptions>, string]>([
    [{ bucket: "" }, "bucket must name a bucket"],
    [{ endpoint: "nowhere" }, "endpoint must be a URL, such as https://s3.example.com"],
    [{ endpoint: "s3.example.com:9000" }, "endpoint must be a URL"],
    [
      { client: new S3Client({}), region: "eu-central-1" },
      "client excludes region, endpoint and pathStyle",
    ],
    [{ commit: { maxEntries: 0 } }, "S3Storage.commit: maxEntries must be a number >= 1"],
    [{ commit: { maxBytes: Number.NaN } }, "S3Storage.commit: maxBytes must be a number >= 1"],
    [{ commit: { maxDelayMs: -1 } }, "S3Storage.commit: maxDelayMs must be a number >= 0"],
    [{ commit: { maxDelayMs: 1001 } }, "commit.maxDelayMs must be at most 1000"],
    [{ partBytes: 1000 }, "partBytes must be a number >= 5242880"],
    [{ writeTimeoutMs: 0 }, "writeTimeoutMs must be a number >= 1"],
    [{ requestTimeoutMs: 0 }, "requestTimeoutMs must be a number >= 1"],
    [{ objectLock: { mode: "COMPLIANCE", days: 0 } }, "objectLock.days must be a number >= 1"],
    [{ expiresDays: 1.5 }, "expiresDays must be a whole number"],
    [
      Object.assign({ bucket: "b" }, { Prefix: "logs/" }),
      'S3Storage: option "Prefix" is unknown: there are bucket, prefix',
    ],
    [
      { commit: Object.assign({ maxEntries: 1 }, { maxDelay: 5 }) },
      'S3Storage.commit: option "maxDelay" is unknown: there are maxEntries, maxBytes, maxDelayMs',
    ],
    [{ signer: JSON.parse('"a key"') }, "signer must be a Signer"],
  ])("refuse %o", async (options, message) => {
    const error = await rejected(() => new S3Storage({ bucket: "b", ...options }));
    expect(error).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: expect.stringContaining(message),
    });
  });

  it.each([
    [undefined, "s3://b/audit/"],
    ["", "s3://b/"],
    ["logs", "s3://b/logs/"],
    ["logs/audit///", "s3://b/logs/audit/"],
  ])("end the prefix %o in one slash, as the original does", (prefix, location) => {
    expect(new S3Storage({ bucket: "b", ...(prefix !== undefined && { prefix }) }).location).toBe(
      location,
    );
  });
});

describe("The endpoint", () => {
  const LOCAL = "http://localhost:9000";

  it.each([
    [{}, {}, undefined, false],
    [{}, { AWS_ENDPOINT_URL: "", AWS_ENDPOINT_URL_S3: "" }, undefined, false],
    [{}, { AWS_ENDPOINT_URL: LOCAL }, LOCAL, true],
    [{}, { AWS_ENDPOINT_URL: "http://other", AWS_ENDPOINT_URL_S3: LOCAL }, LOCAL, true],
    [{ pathStyle: false }, { AWS_ENDPOINT_URL: LOCAL }, LOCAL, false],
    [{ endpoint: LOCAL }, { AWS_ENDPOINT_URL_S3: "http://other" }, LOCAL, true],
    [{ client: new S3Client({}) }, { AWS_ENDPOINT_URL: LOCAL }, undefined, false],
  ])("of %o and the environment %o", (options, env, endpoint, pathStyle) => {
    expect(resolveConnection(options, env)).toMatchObject({ pathStyle });
    expect(resolveConnection(options, env).endpoint).toBe(endpoint);
  });

  it("of the environment that is not a URL is refused by its name", async () => {
    const env = { AWS_ENDPOINT_URL: "localhost:9000" };
    expect(await rejected(() => resolveConnection({}, env))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: "AWS_ENDPOINT_URL of the environment must be a URL, such as https://s3.example.com",
    });
  });
});

describe("S3Archive's options", () => {
  it("refuse what is unknown", async () => {
    const error = await rejected(
      () => new S3Archive({ bucket: "b", ...Object.assign({}, { keepLocal: 3 }) }),
    );
    const message = expect.stringContaining(
      'S3Archive: option "keepLocal" is unknown: there are bucket',
    );
    expect(error).toMatchObject({ code: "AUDIT_CONFIG_INVALID", message });
  });
});

describe("Keys", () => {
  it.each([
    [`2026-11-23/${ID}.json`, { kind: "direct", isSingle: true, id: ID }],
    [`2026-11-23/${ID}.jsonl`, { kind: "direct", isSingle: false, id: ID }],
    [`2026-11-23/${ID}-abcdefghijklmno_.jsonl`, { kind: "direct", isSingle: false, id: ID }],
    ["2026-11-23/6790d599-2aea-4eef-8fd2-0688895b5eb3.json", { kind: "foreign" }],
    ["2026-11-23/abc123.json", { kind: "foreign", id: "abc123" }],
    [
      "2026-11-23/stream/audit_20261123_001.jsonl",
      { kind: "shipped", file: "audit_20261123_001.jsonl" },
    ],
    ["2026-11-23/stream/control_0_12.jsonl", { kind: "control", stream: "stream" }],
  ])("tell what an object is: %s", (key, wanted) => {
    expect(parseKey(key)).toMatchObject(wanted);
  });

  it.each([
    "x.json",
    "2026-02-29/a.json",
    "2026-11-31/a.json",
    "2026-11-23/a.txt",
    "2026-11-23/a/b/c.json",
    "2026-11-23/",
  ])("are no part of a log: %s", (key) => {
    expect(parseKey(key)).toBeUndefined();
  });

  it("know leap days and months, and name the UTC day whatever the machine's zone", () => {
    expect(["2024-02-29", "2028-02-29", "2026-12-31"].every(isDay)).toBe(true);
    expect(["2023-02-29", "2100-02-29", "2026-04-31", "2026-13-01", "26-01-01"].some(isDay)).toBe(
      false,
    );
    expect(dayOf(Date.parse("2024-03-01T00:30:00+01:00"))).toBe("2024-02-29");
    expect(dayOf(8.64e15)).toBe("9999-12-31");
    expect(dayOf(-8.64e15)).toBe("1970-01-01");
  });
});

describe("lifecycleRule()", () => {
  it("is a rule of a bucket's lifecycle configuration", () => {
    expect(lifecycleRule(365, "logs/")).toEqual({
      ID: "ai-audit retention 365 days",
      Status: "Enabled",
      Filter: { Prefix: "logs/" },
      Expiration: { Days: 366 },
      NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
    });
  });

  it("refuses days that are none", async () => {
    expect(await rejected(() => lifecycleRule(0))).toMatchObject({ code: "AUDIT_CONFIG_INVALID" });
    expect(await rejected(() => lifecycleRule(1.5))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
    });
  });
});
