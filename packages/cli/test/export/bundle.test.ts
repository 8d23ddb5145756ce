import { ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { AuditLogger, FileStorage, Signer } from "@ai-audit/core";
import { S3Archive, S3Storage } from "@ai-audit/core/s3";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type S3Server, s3Server } from "@ai-audit/test-support/s3-servers";
import { cli, printed } from "../support/cli.ts";
import { firstFile } from "../support/first-file.ts";
import { ownSample, sharedSample } from "../support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const ORIGINAL = join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl");

/** What check.py says of a bundle. */
async function checked(bundle: string, vkeys: readonly string[]): Promise<string> {
  await run("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: bundle });
  return (await run("python3", [join(bundle, "check.py"), ...vkeys])).stdout;
}

describe("An evidence bundle of selected entries", { timeout: 60_000 }, () => {
  it("leaves out what nothing proves, says how many and which, and exits with 65", async () => {
    const sample = await ownSample();
    const file = await firstFile(sample);
    await cp(ORIGINAL, join(sample.directory, "audit_20240101.jsonl"));
    const altered = (await readFile(file, "utf8")).replace('"latency_ms":95', '"latency_ms":96');
    await writeFile(file, altered);
    const bundle = join(sample.root, "bundle");

    const output = await printed(
      ["export", sample.directory, "-f", "bundle", "-o", bundle, "--since", "2024-01-01"],
      {
        sample,
        code: 65,
      },
    );

    const lines = (await readFile(join(bundle, "entries.jsonl"), "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(
      sample.ids.slice(0, 2),
    );
    const unproven = (await readFile(join(bundle, "unproven.txt"), "utf8")).trimEnd().split("\n");
    expect(unproven).toHaveLength(17);
    expect(unproven).toContain(`${sample.ids[2]}: it does not match its seal`);
    expect(unproven.filter((text) => text.endsWith(": no checkpoint covers it"))).toHaveLength(12);
    expect(output).toMatch(
      /2 entries exported\n17 entries left out without proof:\n(?: {2}\S{36}: .+\n){5}/,
    );
    expect(output).toContain("  … all: ROOT/bundle/unproven.txt\n");
    expect(await readFile(join(bundle, "README.md"), "utf8")).toContain(
      "| `unproven.txt` | 17 more ",
    );
    expect(await checked(bundle, [sample.vkey])).toBe(
      sample.ids
        .slice(0, 2)
        .map((id) => `PROVEN     ${id}: sealed\n`)
        .join(""),
    );
  });

  it("of whole files that were altered says what is not proven, in it too, and exits with 65", async () => {
    const sample = await ownSample();
    const file = await firstFile(sample);
    await writeFile(file, (await readFile(file, "utf8")).replace('"eve"', '"bob"'));
    const words = ["export", sample.directory, "-f", "bundle", "-o"];

    const output = await printed([...words, join(sample.root, "bundle")], { sample, code: 65 });

    expect(output).toMatchInlineSnapshot(`
      "--- stderr
      7 entries exported
      not everything in the bundle is proven (5 entries not):
        TAMPERED audit_20260101.jsonl, lines 6 to 7, entry entry-3-0000000000000000000000000000: the lines are not those that were sealed; nothing after it can be checked
      "
    `);
    const bundle = join(sample.root, "bundle");
    const found = await readFile(join(bundle, "findings.txt"), "utf8");
    expect(found).toMatch(
      /^TAMPERED audit_\d{8}\.jsonl, lines 6 to 7, entry \S{36}: the lines are not those that were sealed;.*\n$/,
    );
    const readme = await readFile(join(bundle, "README.md"), "utf8");
    expect(readme).toContain(
      "| `findings.txt` | problems found when the files were verified for this bundle; 5 of",
    );
    expect(readme).toContain("**This does not apply to the files that `findings.txt` names.**");
    expect(await readFile(join(bundle, "SHA256SUMS"), "utf8")).toContain("  findings.txt\n");
    const json = await cli([...words, join(sample.root, "other"), "--json"], {
      env: { AUDIT_TRUSTED_KEYS: sample.vkey },
    });
    expect({ code: json.code, stderr: json.stderr }).toMatchObject({
      code: 65,
      stderr: expect.stringMatching(/^not everything /) as string,
    });
    expect(JSON.parse(json.stdout)).toEqual({
      entries: 7,
      unproven: 5,
      findings: [found.trimEnd()],
      output: join(sample.root, "other"),
    });
  });

  it("of whole files that a key seals which is not trusted, or a text that is no key, is not proven", async () => {
    const sample = await ownSample();
    const stranger = await Signer.generate("example.com/other");
    const words = ["export", sample.directory, "-f", "bundle", "-o"];
    const unknown = await cli([...words, join(sample.root, "a")], {
      env: { AUDIT_TRUSTED_KEYS: stranger.vkey },
    });
    expect(unknown.code).toBe(65);
    expect(unknown.stderr).toContain(
      "not everything in the bundle is proven (7 entries not):\n  UNKNOWN_KEY audit_",
    );
    const file = await firstFile(sample);
    await writeFile(file, (await readFile(file, "utf8")).replaceAll(sample.vkey, "nobody"));
    const none = await cli([...words, join(sample.root, "b")]);
    expect(none.code).toBe(65);
    expect(none.stderr).toContain("not everything in the bundle is proven (7 entries not):\n");
  });

  it("holds lines that end at line feeds alone, whatever the content", async () => {
    const sample = await ownSample();
    const logger = new AuditLogger(
      new FileStorage({
        path: sample.directory,
        signer: Signer.fromPem("example.com/audit", sample.signingKey),
      }),
      { storeContent: true },
    );
    await logger.log({ input: "a\u2028b\u2029c\u0085d\re", output: "" });
    await logger.close();
    const bundle = join(sample.root, "bundle");
    await printed(
      ["export", sample.directory, "-f", "bundle", "-o", bundle, "--since", "2024-01-01"],
      {
        sample,
      },
    );
    expect(await cli(["check", bundle, "--trust", sample.vkey])).toMatchObject({ code: 0 });
    expect((await checked(bundle, [sample.vkey])).match(/^PROVEN/gm)).toHaveLength(8);
  });

  it("that would be empty is not made", async () => {
    const sample = await ownSample();
    const bundle = join(sample.root, "bundle");
    const words = ["export", sample.directory, "-f", "bundle", "-o", bundle];

    expect(await printed([...words, "--model", "none"], { sample, code: 1 })).toBe(
      "--- stderr\nnothing exported, and no bundle made\n",
    );

    expect(existsSync(bundle)).toBe(false);
    await cp(ORIGINAL, join(sample.directory, "audit_20240101.jsonl"));
    await appendFile(
      join(sample.directory, "audit_20240101.jsonl"),
      '{"id":"x\\u001b[2J","timestamp":"2024-01-01T00:00:00"}\n',
    );
    const foreign = await cli([...words, "--until", "2024-01-02", "--json"]);
    expect(foreign).toMatchObject({
      code: 65,
      stdout: '{"entries":0,"unproven":1,"output":null}\n',
    });
    expect(foreign.stderr).toContain(
      "1 entry left out without proof:\n  x\\u001b[2J: no checkpoint covers it\n",
    );
    expect(existsSync(bundle)).toBe(false);
  });

  it("does not take the place of what exists, and is not left half made", async () => {
    const sample = await ownSample();
    const words = ["export", sample.directory, "-f", "bundle", "-o"];
    expect(await printed([...words, sample.root], { sample, code: 73 })).toMatchInlineSnapshot(`
      "--- stderr
      error: already exists: ROOT
        choose another name, or remove it first
      "
    `);
    const bundle = join(sample.root, "bundle");
    // A limit of 4 KiB a file stands for a disk that is full.
    const limited = ["-c", 'trap "" XFSZ; ulimit -f 4; exec "$@"', "bash", process.execPath];
    const command = ["--conditions=ai-audit-source", MAIN, ...words, bundle];
    await expect(run("bash", [...limited, ...command])).rejects.toMatchObject({
      code: 74,
      stderr: "error: EFBIG: file too large, write\n",
    });
    expect(existsSync(bundle)).toBe(false);
  });
});

describe.skipIf(isLeftOut("moto"))("An evidence bundle from a bucket", { timeout: 120_000 }, () => {
  let server: S3Server;
  let location: string;
  let bucket: string;
  let env: Readonly<Record<string, string>>;
  const signerOf = Signer.generate("example.com/bucket");
  const ids: string[] = [];

  beforeAll(async () => {
    server = await s3Server("moto");
    bucket = await server.makeBucket();
    location = `s3://${bucket}/app`;
    const storage = new S3Storage({
      bucket,
      prefix: "app",
      client: server.client(),
      signer: await signerOf,
    });
    const logger = new AuditLogger(storage, { storeContent: true });
    for (const input of ["one", "two", "three"])
      ids.push(await logger.log({ input, output: "", model: input }));
    await logger.close();
    env = {
      AWS_ENDPOINT_URL_S3: server.endpoint,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "testtest",
    };
    const sample = await sharedSample();
    const archive = new S3Archive({ bucket, prefix: "app", client: server.client() });
    await new FileStorage({ path: sample.directory, archive }).close(); // which ships what the archive lacks
  }, 120_000);

  it("holds the files that its objects make up, and those shipped there byte for byte", async () => {
    const sample = await sharedSample();
    const { vkey } = await signerOf;
    const bundle = join(await temporaryDirectory(), "bundle");

    expect(await printed(["export", location, "-f", "bundle", "-o", bundle], { env })).toBe(
      "--- stderr\n10 entries exported\n",
    );

    const said = await checked(bundle, [vkey, sample.vkey]);
    const file = /([^/]+)$/.exec(await firstFile(sample))?.[1] ?? "";
    expect(said).toMatch(
      /^PROVEN {5}audit_\d{8}_[\w-]{16}_0\.jsonl: 5 lines\nPROVEN {5}[\w-]+\/audit_\d{8}\.jsonl: 9 lines\n$/,
    );
    const [folder = ""] = (await readdir(join(bundle, "segments"))).filter(
      (name) => !name.endsWith(".jsonl"),
    );
    expect(await readFile(join(bundle, "segments", folder, file))).toEqual(
      await readFile(await firstFile(sample)),
    );
    expect(
      (await readFile(join(bundle, "keys.txt"), "utf8")).trimEnd().split("\n").toSorted(),
    ).toEqual([vkey, sample.vkey].toSorted());
  });

  it("holds the proofs of selected entries, of whoever wrote them", async () => {
    const sample = await sharedSample();
    const { vkey } = await signerOf;
    const bundle = join(await temporaryDirectory(), "bundle");

    await printed(["export", location, "-f", "bundle", "-o", bundle, "--model", "two"], { env });
    expect(await checked(bundle, [vkey])).toBe(`PROVEN     ${ids[1]}: sealed\n`);
    const other = join(await temporaryDirectory(), "bundle");
    await printed(["export", location, "-f", "bundle", "-o", other, "--outcome", "blocked"], {
      env,
    });
    expect(await checked(other, [sample.vkey])).toBe(`PROVEN     ${sample.ids[2]}: sealed\n`);
    expect(await readFile(join(other, "keys.txt"), "utf8")).toBe(`${sample.vkey}\n`);
  });

  it("stays within its directory, whatever an object says where it comes from", async () => {
    const root = await temporaryDirectory();
    const other = await server.makeBucket();
    const Body = await readFile(await firstFile(await sharedSample()));
    const Metadata = { "audit-directory": "../../outside", "audit-sha256": "x" };
    const Key = "app/2026-11-23/AAAAAAAAAAAAAAAA/audit_20261123.jsonl";
    await server.client().send(new PutObjectCommand({ Bucket: other, Key, Body, Metadata }));

    // And it has not the hash that is claimed for it.
    await printed(["export", `s3://${other}/app`, "-f", "bundle", "-o", join(root, "bundle")], {
      env,
      code: 65,
    });

    expect(await readdir(root)).toEqual(["bundle"]);
    expect(await readdir(join(root, "bundle/segments"))).toEqual(["%2E%2E%2F%2E%2E%2Foutside"]);
  });
});
