import { ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { AuditLogger, FileStorage, Signer } from "@ai-audit/core";
import { entryToLine } from "@ai-audit/core/format";
import { S3Archive, S3Storage } from "@ai-audit/core/s3";
import { beforeAll, describe, expect, it } from "vitest";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { buildBundle } from "../../viewer/test/support/viewer.ts";
import { type S3Server, s3Server } from "@ai-audit/test-support/s3-servers";
import { cli, printed, start, withAllKeys } from "./support/cli.ts";
import { serve } from "./support/view.ts";
import { type SampleLog, writeSampleLog } from "./support/sample-log.ts";
import { sharedSample } from "./support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const ORIGINAL = join(ORIGINAL_LOGS, "plain");

/**
 * Commands that read, with `LOG` for the location. What they print of a directory they print of its
 * archive.
 */
const READERS: readonly (readonly string[])[] = [
  ["list", "LOG"],
  ["list", "LOG", "--json", "-n", "2"],
  ["show", "ID", "LOG"],
  ["show", "ID", "LOG", "-d"],
  ["show", "ID", "LOG", "-d", "--json"],
  ["query", "LOG", "--outcome", "blocked"],
  ["query", "LOG", "--text", "france", "-d", "--full"],
  ["query", "LOG", "--subject", "Grace Hopper", "-c"],
  ["query", "LOG", "-r", "--since", "1d", "--json"],
  ["tail", "LOG", "-n", "3"],
  ["conversation", "geography", "LOG", "-d"],
  ["conversation", "geography", "LOG", "--json"],
  ["stats", "LOG", "--by", "model"],
  ["stats", "LOG", "--by", "actor", "--json"],
  ["export", "LOG"],
  ["export", "LOG", "-d", "--redact", "metadata.user_id"],
  ["export", "LOG", "-f", "csv"],
  ["export", "LOG", "-f", "otel"],
  ["export", "LOG", "-f", "jsonl", "--conversation", "locks"],
  ["export-subject", "Grace Hopper", "LOG"],
  ["prove", "ID", "LOG"],
  ["prove", "ID", "LOG", "--json"],
  ["pin", "LOG", "-t", "VKEY"],
  ["pin", "LOG", "-t", "VKEY", "--json"],
];

describe.skipIf(isLeftOut("moto"))("On a bucket", { timeout: 120_000 }, () => {
  let server: S3Server;
  let sample: SampleLog;
  let archive: string;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    server = await s3Server("moto");
    sample = await sharedSample();
    const bucket = await server.makeBucket();
    archive = `s3://${bucket}/archive`;
    env = {
      ...withAllKeys(sample),
      AWS_ENDPOINT_URL_S3: server.endpoint,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "testtest",
    };
    const shipping = new S3Archive({ bucket, prefix: "archive", client: server.client() });
    await new FileStorage({ path: sample.directory, archive: shipping }).close(); // which ships what the archive lacks
  }, 120_000);

  /** A log of its own, with an entry at noon of each of two days long ago. */
  async function freshLog(): Promise<string> {
    const bucket = await server.makeBucket();
    const signer = Signer.fromPem("example.com/audit", sample.signingKey);
    for (const timestamp of ["2024-01-01T12:00:00.000Z", "2024-01-02T12:00:00.000Z"]) {
      const storage = new S3Storage({ bucket, prefix: "app", client: server.client(), signer });
      const hex = Date.parse(timestamp).toString(16).padStart(12, "0");
      const id = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
      const hashes = { inputHash: "0".repeat(64), outputHash: "0".repeat(64) };
      await storage.append(entryToLine({ id, timestamp, ...hashes, conversationId: "old" }), id);
      await storage.close();
    }
    return `s3://${bucket}/app`;
  }

  it.for(READERS)("%s %s %s %s %s prints what it prints of the directory", async (words) => {
    const on = (location: string): string[] =>
      words.map(
        (word) => ({ LOG: location, ID: sample.ids[0] ?? "", VKEY: sample.vkey })[word] ?? word,
      );

    const ofBucket = await cli(on(archive), { env });

    const ofDirectory = await cli(on(sample.directory), { env });
    expect(ofBucket.code).toBe(0);
    expect(ofBucket.stdout).not.toBe("");
    // A pin has the time at which it was noted.
    const [bucketText, directoryText] = [ofBucket, ofDirectory].map(({ stdout }) =>
      stdout.replace(/^# noted .*$/gm, "# noted"),
    );
    expect({ code: ofBucket.code, stdout: bucketText }).toEqual({
      code: ofDirectory.code,
      stdout: directoryText,
    });
  });

  it("view serves what it serves of the directory", async () => {
    await buildBundle();
    const [id = ""] = sample.ids;
    const words = ["-t", sample.vkey, "-d"];
    const [ofBucket, ofDirectory] = await Promise.all(
      [archive, sample.directory].map((location) => serve([location, ...words], { env })),
    );
    for (const viewer of [ofBucket, ofDirectory]) {
      await viewer?.get(`next/${id}`); // once all is read
      await viewer?.get("verdict"); // and verified: rows say so
    }
    for (const path of [
      "overview",
      "entries",
      "entries?blocked=1",
      `entry/${id}`,
      `content/${id}`,
      `conversation/geography?reveal=1`,
      "reviews",
      "people",
      "people?name=Grace+Hopper",
      "facts",
    ]) {
      const answer = await ofBucket?.get(path);
      expect(answer).not.toHaveProperty("error");
      expect(answer).toEqual(await ofDirectory?.get(path));
    }
    expect(await ofBucket?.get(`proof/${id}`)).toMatchObject({ state: "proven" });
    expect(await ofBucket?.get("verdict")).toMatchObject({ exitCode: 0, entries: 7 });
    expect(await Promise.all([ofBucket?.end(), ofDirectory?.end()])).toEqual([0, 0]);
  });

  it("export -f rotalabs-comply writes what it writes of the directory, encrypted anew", async () => {
    const ofBucket = await originalFields(archive, env);
    expect(ofBucket).toHaveLength(7);
    expect(ofBucket).toEqual(await originalFields(sample.directory, env));
  });

  it("what is not there is said to be so, with the same exit codes", async () => {
    const none = "00000000-0000-7000-8000-000000000000";
    const exits = { show: 1, prove: 1, conversation: 1 };
    for (const [name, code] of Object.entries(exits)) {
      expect(await cli([name, none, archive], { env })).toMatchObject({
        code,
        stdout: "",
      });
    }
    expect((await cli(["query", archive, "--model", "none"], { env })).code).toBe(1);
    expect((await cli(["export", archive, "--model", "none"], { env })).code).toBe(1);
  });

  it("foreign objects are named once by what reads them, and results stay what they are", async () => {
    const location = await freshLog();
    const { bucket } = /^s3:\/\/(?<bucket>[^/]+)/.exec(location)?.groups ?? {};
    const [Body = ""] = (await readFile(join(ORIGINAL, "audit_20261123.jsonl"), "utf8")).split(
      "\n",
      1,
    );
    const { id } = JSON.parse(Body) as { id: string };
    await server
      .client()
      .send(new PutObjectCommand({ Bucket: bucket, Key: `app/2024-01-02/${id}.json`, Body }));
    const line = `there are foreign objects without any proof: entry ${id}; see: ai-audit verify\n`;
    for (const words of [
      ["list", location, "--json"],
      ["query", location, "--json"],
      ["export", location],
      ["show", id, location, "--json"],
      ["sql", "SELECT id FROM entries", location, "--json"],
    ]) {
      const { code, stdout, stderr } = await cli(words, { env });
      expect({ words, code, stderr }).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(`^${line}`) as string,
      });
      expect(stderr.split(line)).toHaveLength(2);
      expect(stdout.trimEnd().split("\n")).toHaveLength(words[0] === "show" ? 1 : 3);
    }
    expect(
      (
        await cli(["query", location, "--since", "2024-01-01", "--until", "2024-01-01", "--json"], {
          env,
        })
      ).stderr,
    ).toBe("");
  });

  it("a pin is held against it", async () => {
    const location = await freshLog();
    const pins = join(await temporaryDirectory(), "pins");
    expect((await cli(["pin", location, "-t", sample.vkey, "-o", pins], { env })).code).toBe(0);
    const { code, stdout } = await cli(["verify", location, "-t", sample.vkey, "-p", pins], {
      env,
    });
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/; anchored to /) as string,
    });
  });

  it("tail -f shows entries as they come", async () => {
    const location = await freshLog();
    const { bucket } = /^s3:\/\/(?<bucket>[^/]+)/.exec(location)?.groups ?? {};
    const tail = start(["tail", location, "-f", "--json"], { env });
    await tail.until("2024-01-02T12:00:00.000Z");
    await sleep(100);
    const storage = new S3Storage({ bucket: bucket ?? "", prefix: "app", client: server.client() });
    const logger = new AuditLogger(storage);
    const id = await logger.log({ input: "fresh", output: "" });
    await logger.close();
    await tail.until(id);
    expect(tail.process.exitCode).toBeNull();
  });

  it("the original's log is imported, once, and verifies", async () => {
    const location = `s3://${await server.makeBucket()}/imported`;
    const words = ["import", ORIGINAL, location];
    expect(await printed(words, { env })).toBe("12 entries imported, 0 were already there\n");
    expect(await printed(words, { env })).toBe("0 entries imported, 12 were already there\n");
    const { code, stdout } = await cli(["verify", location, "-t", sample.vkey], { env });
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^OK: 12 entries in /) as string,
    });
  });

  it("a hold keeps what it touches from cleanup, until it is released", async () => {
    const location = await freshLog();
    const by = ["--reason", "case 12", "--actor", "legal"];

    const placed = await cli(
      ["hold", "place", location, "--until", "2024-01-01", ...by, "--json"],
      { env },
    );

    const { hold } = JSON.parse(placed.stdout) as { hold: string };
    expect((await cli(["hold", "list", location], { env })).stdout).toContain(
      `${hold}  the beginning`,
    );
    expect((await cli(["doctor", location], { env })).stdout).toMatch(
      /^look +retention .*; 1 hold in force/m,
    );
    const cleaned = await printed(["cleanup", location], { env });
    expect(cleaned.replace(hold, "HOLD").replace(/than \S+ \S+ UTC/, "than TIME UTC"))
      .toMatchInlineSnapshot(`
      "retention 365 days (the default): removes entries older than TIME UTC
      FILE         FROM                      TO                        ENTRIES  FATE
      2024-01-01/  2024-01-01T00:00:00.000Z  2024-01-01T23:59:59.999Z        ?  stays: hold HOLD by legal: case 12
      2024-01-02/  2024-01-02T00:00:00.000Z  2024-01-02T23:59:59.999Z        1  removed
      1 entry in 1 day removed
      "
    `);
    const released = await printed(["hold", "release", hold, location, ...by], { env });
    expect(released).toBe(`released ${hold}\n`);
    expect((await cli(["hold", "list", location], { env })).stderr).toBe("no hold is in force\n");
    const json = await cli(["cleanup", location, "--before", "2024-02-01", "--json"], { env });
    expect(JSON.parse(json.stdout)).toMatchObject({
      entries: 1,
      held: [],
      expired: [{ file: "2024-01-01/", entries: 1, fate: "removed" }],
    });
    const { code, stdout } = await cli(["verify", location, "-t", sample.vkey], { env });
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect((await cli(["list", location], { env })).code).toBe(1);
  });

  it("a hold is not placed without the key", async () => {
    const keyless = Object.fromEntries(
      Object.entries(env).filter(([name]) => !name.startsWith("AUDIT_SIGNING")),
    );
    const words = ["hold", "place", archive, "--all", "--reason", "x"];
    expect(await printed(words, { env: keyless, code: 78 })).toMatchInlineSnapshot(`
      "--- stderr
      error: no signing key is set, and records in a bucket must be signed
        set AUDIT_SIGNING_NAME, and AUDIT_SIGNING_KEY or AUDIT_SIGNING_KEY_FILE
      "
    `);
  });

  it("a person is erased: nothing kept of them opens any more, here and in no copy", async () => {
    const own = await writeSampleLog(await temporaryDirectory());
    const keys = { ...env, ...withAllKeys(own) };
    const bucket = await server.makeBucket();
    const location = `s3://${bucket}/archive`;
    const shipping = new S3Archive({ bucket, prefix: "archive", client: server.client() });
    await new FileStorage({ path: own.directory, archive: shipping }).close();
    const words = ["erase-subject", "Grace Hopper", location, "--reason", "request 7", "--yes"];

    expect(await printed(words, { env: keys })).toMatch(
      /^erased: 1 entry of [\w-]{16} can no longer be opened\n$/,
    );

    const shown = await cli(["show", own.ids[5] ?? "", location, "-d"], { env: keys });
    expect(shown.stdout).toMatch(/^input +\(encrypted: The data subject "[\w-]{16}" was erased/m);
    expect((await cli(["verify", location, "-t", own.vkey], { env: keys })).code).toBe(0);
  });

  it("what only a directory can have is refused with the next step", async () => {
    for (const [words, code] of [
      [["ship", archive], 64],
      [["import", archive], 64],
    ] as const) {
      const { code: exit, stderr } = await cli(words, { env });
      expect({ words, exit, stderr }).toMatchObject({
        exit: code,
        stderr: expect.stringMatching(/works on a directory, not on a bucket/) as string,
      });
    }
  });
});

/**
 * What the original's export says of a log, but for contents, which are encrypted anew each time.
 */
async function originalFields(
  location: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly object[]> {
  const { stdout } = await cli(["export", location, "-f", "rotalabs-comply"], { env });
  const lines = stdout.trimEnd().split("\n");
  return lines.map((line) => ({
    ...(JSON.parse(line) as object),
    input_content: "",
    output_content: "",
  }));
}
