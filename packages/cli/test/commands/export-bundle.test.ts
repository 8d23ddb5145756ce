import { execFile } from "node:child_process";
import {
  appendFile,
  mkdir,
  readFile,
  readdir,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { AuditLogger, FileStorage, Signer } from "@ai-audit/core";
import { cli, printed } from "../support/cli.ts";
import { writeOldLog } from "../support/old-log.ts";
import { ownSample } from "../support/samples.ts";

const run = promisify(execFile);

describe("An evidence bundle", { timeout: 60_000 }, () => {
  it("of the whole log is checked by sha256sum, python3 and openssl alone", async () => {
    const sample = await ownSample();
    const bundle = join(sample.root, "bundle");
    await printed(["export", sample.directory, "-f", "bundle", "-o", bundle]);

    expect((await readdir(bundle)).toSorted()).toEqual([
      "README.md",
      "SHA256SUMS",
      "audit.html",
      "check.py",
      "keys.txt",
      "segments",
    ]);
    await run("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: bundle });
    const { stdout } = await run("python3", [join(bundle, "check.py"), sample.vkey]);
    expect(stdout).toMatch(/^PROVEN {5}audit_\d{8}\.jsonl: 9 lines\n$/);
    const [segment = ""] = await readdir(join(bundle, "segments"));
    expect(await readFile(join(bundle, "segments", segment))).toEqual(
      await readFile(join(sample.directory, segment)),
    );
    expect(await readFile(join(bundle, "keys.txt"), "utf8")).toBe(`${sample.vkey}\n`);
  });

  it.each([
    ["whole files", []],
    ["selected entries", ["--flagged"]],
  ])("of %s is its owner's alone, whatever the umask", async (_, flags) => {
    const sample = await ownSample();
    await writeOldLog(sample.directory, ["2024-01-01"]); // without a signature: a finding, or unproven
    const bundle = join(sample.root, "bundle");
    const runner = ["sh", "-c", 'umask 000; exec "$@"', "sh"];
    const words = ["export", sample.directory, "-f", "bundle", "-o", bundle, ...flags];
    expect(await cli(words, { runner })).toMatchObject({ code: 0 });

    const items = await readdir(bundle, { recursive: true, withFileTypes: true });
    const paths = [bundle, ...items.map(({ parentPath, name }) => join(parentPath, name))];
    const wrong: string[] = [];
    for (const path of paths) {
      const found = await stat(path);
      const mode = (found.mode & 0o777).toString(8);
      if (mode !== (found.isDirectory() ? "700" : "600")) wrong.push(`${path} ${mode}`);
    }
    expect(wrong).toEqual([]);
    expect(items.length).toBeGreaterThan(5);
  });

  it("of selected entries holds their proofs and nothing of the others", async () => {
    const sample = await ownSample();
    const bundle = join(sample.root, "bundle");
    await printed(["export", sample.directory, "-f", "bundle", "-o", bundle, "--flagged"]);

    const id = sample.ids[2] ?? "";
    expect(await readdir(join(bundle, "proofs"))).toEqual([`${id}.tlog-proof`]);
    const { stdout } = await run("python3", [join(bundle, "check.py"), sample.vkey]);
    expect(stdout).toBe(`PROVEN     ${id}: sealed\n`);
    const checked = await cli([
      "check",
      join(bundle, "proofs", `${id}.tlog-proof`),
      "-t",
      sample.vkey,
    ]);
    expect(checked.code).toBe(0);
    const files = (await readdir(bundle, { recursive: true, withFileTypes: true })).filter((file) =>
      file.isFile(),
    );
    const texts = await Promise.all(
      files.map(({ parentPath, name: file }) => readFile(join(parentPath, file), "utf8")),
    );
    expect(texts.filter((text) => text.includes(sample.ids[1] ?? ""))).toEqual([]);
  });

  it("that was altered is found out, and one without a trusted key is not proven", async () => {
    const sample = await ownSample();
    const bundle = join(sample.root, "bundle");
    await printed(["export", sample.directory, "-f", "bundle", "-o", bundle]);
    const script = join(bundle, "check.py");
    await expect(run("python3", [script])).rejects.toMatchObject({ code: 2 });
    const [name = ""] = await readdir(join(bundle, "segments"));
    const segment = join(bundle, "segments", name);
    const text = await readFile(segment, "utf8");

    await writeFile(segment, text.replace('"eve"', '"bob"'));
    await expect(run("python3", [script, sample.vkey])).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^ALTERED {4}\S+: altered before line 7\n$/) as string,
    });
    const cut = text.lastIndexOf("— example.com/audit ") + "— example.com/audit ".length + 12;
    await writeFile(
      segment,
      text.slice(0, cut) + (text[cut] === "A" ? "B" : "A") + text.slice(cut + 1),
    );
    await expect(run("python3", [script, sample.vkey])).rejects.toMatchObject({ code: 1 });
    await writeFile(segment, text);
    await appendFile(segment, '{"id":"forged"}\n');
    await expect(run("python3", [script, sample.vkey])).rejects.toMatchObject({ code: 2 });
  });

  describe("is checked by check.py and by `ai-audit check`, which agree", () => {
    const rows: readonly {
      readonly what: string;
      readonly flags: readonly string[];
      readonly act: (bundle: string) => Promise<void>;
      readonly code: number;
    }[] = [
      { what: "untouched files", flags: [], act: async () => {}, code: 0 },
      { what: "untouched entries", flags: ["--flagged"], act: async () => {}, code: 0 },
      {
        what: "no files at all",
        flags: [],
        act: async (bundle) => rm(join(bundle, "segments"), { recursive: true }),
        code: 1,
      },
      {
        what: "an empty list of entries",
        flags: ["--flagged"],
        act: async (bundle) => {
          await writeFile(join(bundle, "entries.jsonl"), "");
          await rm(join(bundle, "proofs"), { recursive: true });
          await writeFile(join(bundle, "SHA256SUMS"), "");
        },
        code: 3,
      },
      {
        what: "no manifest",
        flags: [],
        act: async (bundle) => rm(join(bundle, "SHA256SUMS")),
        code: 3,
      },
      {
        what: "one file less than the others record, and none in the manifest",
        flags: [],
        act: async (bundle) => {
          const [first = ""] = await readdir(join(bundle, "segments"));
          await rm(join(bundle, "segments", first));
          const manifest = await readFile(join(bundle, "SHA256SUMS"), "utf8");
          const others = manifest.split("\n").filter((line) => !line.includes(first));
          await writeFile(join(bundle, "SHA256SUMS"), others.join("\n"));
        },
        code: 1,
      },
      {
        what: "a proof less",
        flags: ["--flagged"],
        act: async (bundle) => rm(join(bundle, "proofs"), { recursive: true }),
        code: 1,
      },
    ];

    it.each(rows)("$what: $code", async ({ flags, act, code }) => {
      const sample = await ownSample();
      await writeOldLog(sample.directory, ["2024-01-01", "2024-01-02"], sample.signingKey);
      const bundle = join(sample.root, "bundle");
      await printed(["export", sample.directory, "-f", "bundle", "-o", bundle, ...flags]);
      await act(bundle);
      const script = await run("python3", [join(bundle, "check.py"), sample.vkey]).then(
        () => ({ code: 0 }),
        (error: unknown) => error,
      );
      expect(script).toMatchObject({ code });
      expect(await cli(["check", bundle, "-t", sample.vkey])).toMatchObject({ code });
    });

    it.each([
      ["there is none", ""],
      ["it knows no -rawin, as LibreSSL", "#!/bin/sh\necho 'Unknown option: -rawin' >&2\nexit 1\n"],
      ["it says yes to everything", "#!/bin/sh\nexit 0\n"],
    ])("check.py accuses nobody where openssl cannot check: %s", async (_, stub) => {
      const sample = await ownSample();
      const bundle = join(sample.root, "bundle");
      await printed(["export", sample.directory, "-f", "bundle", "-o", bundle]);
      const bin = join(sample.root, "bin");
      await mkdir(bin);
      if (stub !== "") await writeFile(join(bin, "openssl"), stub, { mode: 0o755 });
      const python = (
        await run("python3", ["-c", "import sys; print(sys.executable)"])
      ).stdout.trim();
      const env = { ...process.env, PATH: bin };
      await expect(
        run(python, [join(bundle, "check.py"), sample.vkey], { env }),
      ).rejects.toMatchObject({
        code: 3,
        stdout: "",
        stderr: expect.stringMatching(/^NOT CHECKED: /) as string,
      });
    });
  });

  it("has the check script whose hash docs/verification.md publishes", async () => {
    const sample = await ownSample();
    const bundle = join(sample.root, "bundle");
    await printed(["export", sample.directory, "-f", "bundle", "-o", bundle]);
    const docs = new URL("../../../../docs/verification.md", import.meta.url);
    const { stdout } = await run("sha256sum", ["check.py"], { cwd: bundle });
    expect(await readFile(docs, "utf8")).toContain(`    ${stdout.trim()}\n`);
  });

  it("of entries with any line separator in them is whole: U+2028 ends no line", async () => {
    const sample = await ownSample();
    const signer = Signer.fromPem("example.com/audit", sample.signingKey);
    const storage = new FileStorage({ path: sample.directory, signer });
    const logger = new AuditLogger(storage, { storeContent: true });
    await logger.log({ input: "a\u2028b\u2029c\u0085d\re", output: "x", safetyPassed: false });
    await logger.close();
    const bundle = join(sample.root, "bundle");
    await printed(["export", sample.directory, "-f", "bundle", "-o", bundle, "--flagged"]);
    await run("python3", [join(bundle, "check.py"), sample.vkey]);
    expect(await cli(["check", bundle, "-t", sample.vkey])).toMatchObject({ code: 0 });
  });

  it.each(["SHA256SUMS", "entries.jsonl", "proofs"])(
    "with a pipe for %s cannot be checked, and nobody waits for it",
    async (name) => {
      const sample = await ownSample();
      const bundle = join(sample.root, "bundle");
      await printed(["export", sample.directory, "-f", "bundle", "-o", bundle, "--flagged"]);
      const [proof = ""] = await readdir(join(bundle, "proofs"));
      const path = join(bundle, name === "proofs" ? join(name, proof) : name);
      await rm(path);
      await run("mkfifo", [path]);
      const { code, stderr } = await cli(["check", bundle, "-t", sample.vkey]);
      expect({ code, stderr }).toEqual({
        code: 3,
        stderr: expect.stringContaining(`no regular file: ${path}`) as string,
      });
    },
  );

  it("with a line longer than any line cannot be checked, in bounded memory", async () => {
    const sample = await ownSample();
    const bundle = join(sample.root, "bundle");
    await printed(["export", sample.directory, "-f", "bundle", "-o", bundle, "--flagged"]);
    await truncate(join(bundle, "entries.jsonl"), 2 ** 30);
    const { code, stderr } = await cli(["check", bundle, "-t", sample.vkey]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining("longer than any proof or line can be") as string,
    });
  });

  it("holds lines as they were sealed: nothing can be redacted in it", async () => {
    const sample = await ownSample();
    const words = [
      "export",
      sample.directory,
      "-f",
      "bundle",
      "-o",
      join(sample.root, "b"),
      "--redact",
      "input",
    ];
    expect(await printed(words, { sample, code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: a bundle holds lines as they were sealed: --redact and --decrypt do not go with it
        export jsonl beside it
      "
    `);
    expect(await printed(["export", sample.directory, "-f", "bundle"], { sample, code: 64 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: a bundle is a directory
        name it with --output
      "
    `);
  });
});
