// What a verifier cannot look at, or is told to look at elsewhere: archives, refused objects, versions
// that may not be listed, files that the system does not give. It is said, and it counts.
import { readFileSync } from "node:fs";
import { readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type Fault, FaultProxy } from "@ai-audit/test-support/fault-proxy";
import { type S3Server, s3Server, serverAt } from "@ai-audit/test-support/s3-servers";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { beforeAll, describe, expect, it } from "vitest";
import { verifyLog, type VerifyOptions } from "../../src/log/verify-log.ts";
import { FileStorage } from "../../src/storage/file/file.ts";
import { S3Archive } from "../../src/storage/s3/index.ts";
import type { Pin, Verification } from "../../src/verify/verification.ts";
import { testEntry } from "../../src/testing.ts";
import { daysAgo, write } from "../support/attacked-log.ts";
import { appendCommits, S3Log } from "../support/s3-log.ts";

const DENIED: Fault = { kind: "refuse", status: 403, code: "AccessDenied" };

function textOf({ verdict, files }: Verification): string {
  const found = files.flatMap(({ file, problems }) =>
    problems.map(({ state, message }) => `${state} ${file}: ${message}`),
  );
  return [verdict, ...found].join("\n");
}

function expectVerdict(result: Verification, exitCode: number, says: string): void {
  expect({ exitCode: result.exitCode, text: textOf(result) }).toEqual({
    exitCode,
    text: expect.stringContaining(says),
  });
}

interface Row {
  readonly what: string;
  readonly act?: () => Promise<VerifyOptions | void>;
  readonly exitCode: number;
  readonly says: string;
}

describe.skipIf(isLeftOut("moto"))("in a bucket", { timeout: 60_000 }, () => {
  let server: S3Server;
  let proxy: FaultProxy;
  let log: S3Log;

  beforeAll(async () => {
    server = await s3Server("moto");
  }, 60_000);

  /** Two closed streams, and a proxy in front of the server for the verifier. */
  async function bucket(): Promise<VerifyOptions> {
    log = await S3Log.make(server);
    for (const size of [2, 1]) {
      const storage = log.storage();
      await appendCommits(storage, [size]);
      await storage.close();
    }
    proxy = await FaultProxy.start(server.endpoint);
    return { s3: { client: serverAt(proxy.endpoint).client() } };
  }

  async function versioned(): Promise<void> {
    const VersioningConfiguration = { Status: "Enabled" as const };
    const input = { Bucket: log.bucket, VersioningConfiguration };
    await log.client.send(new PutBucketVersioningCommand(input));
    await log.write("2020-01-01/00000000-0000-4000-8000-000000000000.json", "{}"); // has a version
    await log.remove("2020-01-01/00000000-0000-4000-8000-000000000000.json");
  }

  async function entryKey(at: number): Promise<string> {
    return (await log.keys()).filter((key) => !key.includes("/control_"))[at] ?? "";
  }

  async function archivedKey(): Promise<string> {
    return (await log.keys()).toSorted()[0] ?? "";
  }

  const rows: readonly Row[] = [
    { what: "everything may be read", exitCode: 0, says: "OK: 3 entries" },
    {
      what: "an object that may not be read makes its segment UNREADABLE",
      act: async () => {
        const key = await entryKey(0);
        proxy.plan = ({ method, url }) =>
          method === "GET" && url.includes(key) ? DENIED : undefined;
      },
      exitCode: 2,
      says: "1 file unreadable",
    },
    {
      what: "it hides no alteration of another",
      act: async () => {
        const [hidden, altered] = [await entryKey(0), await entryKey(1)];
        const { body, metadata } = await log.read(altered);
        await log.write(altered, body.replace('"alerts":[]', '"alerts":["x"]'), metadata);
        proxy.plan = ({ method, url }) =>
          method === "GET" && url.includes(hidden) ? DENIED : undefined;
      },
      exitCode: 1,
      says: "TAMPERED",
    },
    {
      what: "versions that exist and may not be listed are UNCHECKED",
      act: async () => {
        await versioned();
        proxy.plan = ({ url }) => (/[?&]versions/.test(url) ? DENIED : undefined);
      },
      exitCode: 2,
      says: "UNCHECKED: 3 entries",
    },
    {
      what: "they are not looked at where the auditor says so, and the verdict repeats it",
      act: async () => {
        await versioned();
        proxy.plan = ({ url }) => (/[?&]version/.test(url) ? DENIED : undefined);
        return { withoutVersions: true };
      },
      exitCode: 0,
      says: "versions of objects were not read, as requested",
    },
    {
      what: "no sign of versions, and no right to ask, is said and does not count",
      act: async () => {
        proxy.plan = ({ url }) => (/[?&]version/.test(url) ? DENIED : undefined);
      },
      exitCode: 0,
      says: "the bucket's versioning status could not be read: no permission",
    },
  ];

  it.each(rows)("$what ($exitCode)", async ({ act, exitCode, says }) => {
    const options = await bucket();
    const more = await act?.();
    expectVerdict(await log.verify({ ...options, ...more }), exitCode, says);
  });

  describe("to which a directory moved its files", () => {
    let path: string;
    let pins: Pin[];

    /** A directory whose file of five days ago is in the archive alone. */
    async function moved(): Promise<VerifyOptions> {
      log = await S3Log.make(server);
      path = await temporaryDirectory();
      const { signer, prefix, client } = log;
      await daysAgo(5, () => write(new FileStorage({ path, signer })));
      pins = (await verifyLog(path, { trustedKeys: [signer.vkey] })).files.flatMap(
        ({ head }) => head ?? [],
      );
      const options = { bucket: log.bucket, prefix, client, keepLocalDays: 0 };
      const [old = ""] = await readdir(path);
      const storage = new FileStorage({ path, signer, archive: new S3Archive(options) });
      const { line, id } = testEntry(Date.now());
      await storage.append(line, id);
      await expect.poll(() => readdir(path), { timeout: 20_000 }).not.toContain(old);
      await storage.close();
      proxy = await FaultProxy.start(server.endpoint);
      return {
        trustedKeys: [signer.vkey],
        archive: `s3://${log.bucket}/${prefix}`,
        s3: { client: serverAt(proxy.endpoint).client() },
      };
    }

    const archived: readonly Row[] = [
      { what: "it is read there", exitCode: 0, says: "1 file read in the archive" },
      {
        what: "it is read there, and a pin of it is confirmed",
        act: async () => ({ pins }),
        exitCode: 0,
        says: "anchored to",
      },
      {
        what: "a copy that is gone is MISSING",
        act: async () => log.remove(await archivedKey()),
        exitCode: 1,
        says: "the archive given does not have it",
      },
      {
        what: "an altered copy is none",
        act: async () => {
          const key = await archivedKey();
          const { body, metadata } = await log.read(key);
          await log.write(key, body.replace('"alerts":[]', '"alerts":["x"]'), metadata);
        },
        exitCode: 1,
        says: "MISSING",
      },
      {
        what: "a copy that may not be read is UNREADABLE",
        act: async () => {
          const key = await archivedKey();
          proxy.plan = ({ method, url }) =>
            method === "GET" && url.includes(key) ? DENIED : undefined;
        },
        exitCode: 2,
        says: "UNREADABLE",
      },
    ];

    it.each(archived)("$what ($exitCode)", async ({ act, exitCode, says }) => {
      const options = await moved();
      const more = await act?.();
      expectVerdict(await verifyLog(path, { ...options, ...more }), exitCode, says);
    });
  });
});

it.each(["Archived files are judged in the archive.", "A bucket's versions are part of it."])(
  "docs/verification.md has the rule: %s",
  (sentence) => {
    const docs = new URL("../../../../docs/verification.md", import.meta.url);
    expect(readFileSync(docs, "utf8")).toContain(`**${sentence}`);
  },
);

describe("in a directory", () => {
  it("a file that the system does not give is UNREADABLE, and hides no alteration of another (EIO)", async () => {
    const path = await temporaryDirectory();
    await write(new FileStorage({ path }));
    await symlink("/proc/self/mem", join(path, "audit_20200101.jsonl")); // reading it fails so
    const result = await verifyLog(path);
    expectVerdict(result, 2, "UNREADABLE audit_20200101.jsonl: cannot be read: EIO");
    expect(result.files.map(({ state }) => state)).toEqual(["UNREADABLE", "UNSIGNED"]);
  });
});
