import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { reference, REFERENCE_PATH } from "../scripts/reference.ts";
import { COMMANDS } from "../src/registry.ts";
import { VERSION } from "../src/version.ts";
import { cli, printed, start, withAllKeys } from "./support/cli.ts";
import { firstFile } from "./support/first-file.ts";
import { writeOldLog } from "./support/old-log.ts";
import { ownSample, sharedSample } from "./support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const run = promisify(execFile);

/** Root may read every file: without these two rights it is like anybody else. */
const READ_ALL = "-dac_override,-dac_read_search";
const WITHOUT_PRIVILEGE =
  process.getuid?.() === 0
    ? ["setpriv", `--bounding-set=${READ_ALL}`, `--inh-caps=${READ_ALL}`]
    : [];

describe("The command line", { timeout: 60_000 }, () => {
  it("without words it prints its help", async () => {
    expect(await printed([])).toMatchInlineSnapshot(`
      "Usage: ai-audit [options] [command]

      Reads, verifies and keeps the audit log of an LLM application.

      Options:
        -V, --version   print the version
        -h, --help      print help

      Auditing:
        verify          check that a log is complete and unaltered
        pin             note the present state of the log, to compare it later
        anchor          keep signed states of the log beyond its owner's reach
        prove           write the proof of one entry
        check           check the proof of one entry, without the log
        report          report figures, findings, and the requirements that a log
                        speaks for

      Reading:
        list            show the latest entries, or what the log records about itself
        show            show one entry in full
        query           find entries that meet conditions
        tail            show the latest entries, and new ones as they come
        conversation    show a conversation as a transcript
        run             show one invocation as a tree of calls
        reviews         list what waited for a person, and the decisions
        view            look at the log in a browser
        stats           count calls, tokens, errors and blocks by time, model or actor
        sql             query entries in SQL, with DuckDB

      Moving:
        export          write entries for other systems, or as evidence
        import          import logs of rotalabs-comply
        ship            copy closed segments to an archive now
        export-subject  write all entries of one person, opened

      Keeping:
        init            make keys and settings for a new log
        doctor          look for problems and name remedies
        keys            list, rotate and export keys
        cleanup         remove files past retention
        hold            keep entries from removal
        erase-subject   make the content of one person unreadable, permanently
        completion      print a completion script for a shell

      Commands:
        help [command]  print help for a command

      LOCATION is the directory of a log, or s3://bucket/prefix. Default: AUDIT_LOG, or else ./audit-logs.
      Exit codes: verify and check give 0 proven, 1 altered, 2 not proven, 3 not verifiable. Elsewhere 0 is success and 1
      means that nothing was found. 64 wrong arguments, 65 malformed data, 66 missing, 73 cannot create, 74 I/O, 77 no
      permission, 78 wrong key or setting.
      "
    `);
  });

  it("--version prints the package's version", async () => {
    const text = await readFile(new URL("../package.json", import.meta.url), "utf8");
    expect((JSON.parse(text) as { version: string }).version).toBe(VERSION);
    expect(await printed(["--version"])).toBe(`${VERSION}\n`);
  });

  it("docs/cli.md is what the definitions say", async () => {
    expect(await readFile(REFERENCE_PATH, "utf8")).toBe(await reference());
  });

  it.for(COMMANDS.map(({ name }) => name))(
    "%s has --json and says what it is for",
    async (name) => {
      const help = await cli([name, "--help"]);
      expect(help.code).toBe(0);
      const nested = /^Commands:/m.test(help.stdout);
      expect(help.stdout).toMatch(nested ? /^Commands:/m : /^ +--json +print JSON, for machines$/m);
    },
  );

  it.each([
    [["verfy"], "unknown command 'verfy'\n  Did you mean verify?"],
    [["verfy", "--help"], "unknown command 'verfy'\n  Did you mean verify?"],
    [["help", "verfy"], "unknown command 'verfy'\n  see: ai-audit --help"],
    [["keys", "lst", "--help"], "unknown command 'lst'\n  see: ai-audit keys --help"],
  ])("a command that does not exist is refused, and named: %o", async (words, message) => {
    expect(await printed(words, { code: 64 })).toBe(`--- stderr\nerror: ${message}\n`);
  });

  it("an option that does not exist is refused", async () => {
    expect(await printed(["list", "--limits", "3"], { code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: unknown option '--limits'
        Did you mean --limit?
      "
    `);
    expect(await printed(["list", "-n", "many"], { code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: option '-n, --limit <count>' argument 'many' is invalid. It must be a whole number, 1 or more.
        see: ai-audit list --help
      "
    `);
    expect(await printed(["list", "a", "b"], { code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: too many arguments for 'list'. Expected 1 argument but got 2: a, b.
        usage: ai-audit list [options] [location]
      "
    `);
    expect(await printed(["show"], { code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: missing required argument 'id'
        see: ai-audit show --help
      "
    `);
  });

  it("without a location ./audit-logs is taken, or what AUDIT_LOG says", async () => {
    const sample = await sharedSample();
    const cwd = await temporaryDirectory();
    expect((await cli(["list", "-n", "1"], { cwd: sample.root })).code).toBe(0);
    expect(
      (await cli(["list", "-n", "1"], { cwd, env: { AUDIT_LOG: sample.directory } })).code,
    ).toBe(0);
    expect((await printed(["list"], { cwd, code: 66 })).replace(cwd, "CWD")).toMatchInlineSnapshot(`
      "--- stderr
      error: no log there: CWD/audit-logs
        give the log's directory, or set AUDIT_LOG
      "
    `);
  });

  it("a file that cannot be used is a wrong setting, and the setting is named", async () => {
    const root = await temporaryDirectory();
    const sample = await sharedSample();
    const env = { AUDIT_CONFIG: join(root, "none.env") };
    expect((await printed(["list"], { env, code: 78 })).replace(root, "ROOT"))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: AUDIT_CONFIG: no such file or directory: ROOT/none.env
        name a settings file, as \`ai-audit init\` writes one, or unset it
      "
    `);
    const show = ["show", sample.ids[0] ?? "", sample.directory, "-d"];
    const noKey = { AUDIT_ENCRYPTION_KEY_FILE: join(root, "none.key") };
    expect((await printed(show, { env: noKey, code: 78 })).replace(root, "ROOT"))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: AUDIT_ENCRYPTION_KEY_FILE: no such file or directory: ROOT/none.key
        name the file that holds the key, as \`ai-audit init\` writes it
      "
    `);
    const noFile = { AUDIT_ENCRYPTION_KEY_FILE: root };
    expect((await printed(show, { env: noFile, code: 78 })).replace(root, "ROOT"))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: AUDIT_ENCRYPTION_KEY_FILE: a directory, where a file is expected: ROOT
        name the file that holds the key, as \`ai-audit init\` writes it
      "
    `);
    const verify = ["verify", sample.directory, "-t", sample.vkey];
    const noPins = { AUDIT_PINS: join(root, "none.pins") };
    for (const words of [verify, ["pin", ...verify.slice(1)]]) {
      expect((await printed(words, { env: noPins, code: 78 })).replace(root, "ROOT"))
        .toMatchInlineSnapshot(`
        "--- stderr
        error: AUDIT_PINS: no such file or directory: ROOT/none.pins
          pins are written by: ai-audit pin -o FILE
        "
      `);
    }
    const otherPins = { AUDIT_PINS: root };
    expect((await printed(verify, { env: otherPins, code: 78 })).replace(root, "ROOT"))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: AUDIT_PINS: a directory, where a file is expected: ROOT
        pins are written by: ai-audit pin -o FILE
      "
    `);
    const endpoint = { AWS_ENDPOINT_URL_S3: "s3.example.com" };
    for (const name of ["list", "verify", "doctor"]) {
      const { code, stdout, stderr } = await cli([name, "s3://logs/app"], { env: endpoint });
      expect({ name, code, said: `${stdout}${stderr}` }).toMatchObject({
        code: name === "doctor" ? 1 : 78,
        said: expect.stringContaining(
          "AWS_ENDPOINT_URL_S3 of the environment is not a URL: s3.example.com",
        ) as string,
      });
    }
    const noSigner = { AUDIT_SIGNING_NAME: "x", AUDIT_SIGNING_KEY_FILE: join(root, "none.pem") };
    const cleanup = ["cleanup", sample.directory];
    expect((await printed(cleanup, { env: noSigner, code: 78 })).replace(root, "ROOT"))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: AUDIT_SIGNING_KEY_FILE: no such file or directory: ROOT/none.pem
        name the file that holds the key, as \`ai-audit init\` writes it
      "
    `);
  });

  it("a file that the operating system refuses is named, by every command with the same exit code", async () => {
    const sample = await ownSample();
    const file = await firstFile(sample);
    await chmod(file, 0);
    const log = [sample.directory];
    for (const words of [
      ["list", sample.directory],
      ["stats", sample.directory],
      ["prove", sample.ids[0] ?? "", ...log],
      ["sql", "SELECT id FROM entries", ...log],
      ["export", sample.directory, "-f", "bundle", "-o", join(sample.root, "bundle")],
    ]) {
      const stderr = `error: permission denied: ${file}\n  run as the user that owns the log, or have its owner grant access\n`;
      expect({ words, ...(await cli(words, { runner: WITHOUT_PRIVILEGE })) }).toEqual({
        words,
        code: 77,
        stdout: "",
        stderr,
      });
    }
    const { code, stdout } = await cli(["verify", sample.directory], { runner: WITHOUT_PRIVILEGE });
    expect({ code, stdout }).toEqual({
      code: 3,
      stdout: `NOT VERIFIED: EACCES: permission denied, open '${file}'\n`,
    });
    expect(await readdir(sample.root)).not.toContain("bundle");
  });

  it("a group without its command, and help for what is no command, are wrong arguments", async () => {
    expect(await printed(["hold"], { code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: ai-audit hold needs one of: place, release, list
        see: ai-audit hold --help
      "
    `);
    expect(await printed(["help", "nope"], { code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: unknown command 'nope'
        see: ai-audit --help
      "
    `);
    expect(await printed(["hold", "place", "somewhere"], { code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: required option '--reason <text>' not specified
        see: ai-audit hold place --help
      "
    `);
  });

  it("the environment wins over the settings file, also where one has a key and the other a file that holds one", async () => {
    const sample = await ownSample();
    await writeFile(join(sample.root, "ai-audit.env"), `AUDIT_ENCRYPTION_KEY=${"A".repeat(43)}\n`);
    await writeFile(join(sample.root, "right.key"), sample.encryptionKey, { mode: 0o600 });
    const words = ["show", sample.ids[0] ?? "", "-d"];
    const inFile = { AUDIT_ENCRYPTION_KEY_FILE: join(sample.root, "right.key") };
    expect((await cli(words, { cwd: sample.root })).code).toBe(78);
    expect((await cli(words, { cwd: sample.root, env: inFile })).code).toBe(0);
    const both = { ...inFile, AUDIT_ENCRYPTION_KEY: "A".repeat(43) };
    expect((await cli(words, { cwd: sample.root, env: both })).code).toBe(78);
  });

  it("colours are for terminals that want them", async () => {
    const sample = await sharedSample();
    const words = ["list", sample.directory];
    const escape = "\u001B[";
    expect((await cli(words)).stdout).not.toContain(escape);
    expect((await cli(words, { env: { FORCE_COLOR: "1" } })).stdout).toContain(
      `${escape}31mblocked${escape}39m`,
    );
    expect((await cli(words, { env: { NO_COLOR: "1" } })).stdout).not.toContain(escape);
  });

  it("a reader that goes away ends the command without a word", async () => {
    const sample = await ownSample();
    const days = Array.from(
      { length: 28 },
      (_, at) => `2024-01-${String(at + 1).padStart(2, "0")}`,
    );
    await writeOldLog(sample.directory, days);
    const child = start(["tail", sample.directory, "-f", "--json"]);
    const exited = once(child.process, "exit"); // listened for before it can happen
    await child.until(sample.ids[6] ?? "");

    child.process.stdout.destroy();
    await writeOldLog(sample.directory, ["2099-01-01"]); // something to say to nobody

    await exited;
    expect({ code: child.process.exitCode, stderr: child.output.stderr }).toEqual({
      code: 141,
      stderr: "",
    });
  });

  it("bash completes commands, subcommands and options", async () => {
    const { stdout: script } = await cli(["completion", "bash"]);
    const complete = async (...words: string[]): Promise<string> => {
      const source = `${script}\nCOMP_WORDS=(ai-audit "$@"); COMP_CWORD=$#; _ai_audit; echo "\${COMPREPLY[@]}"`;
      return (await run("bash", ["-c", source, "bash", ...words])).stdout.trim();
    };
    expect(await complete("ver")).toBe("verify");
    expect(await complete("hold", "pl")).toBe("place");
    expect(await complete("verify", "--tr")).toBe("--trust");
  });
});

describe("The location", { timeout: 60_000 }, () => {
  it.each(["show", "conversation", "sql", "prove", "import", "export-subject"])(
    "%s: is the last argument; an error about --log says so",
    async (name) => {
      const { code, stderr } = await cli([name, "x", "--log", "somewhere"]);
      expect(code).toBe(64);
      expect(stderr).toMatch(
        new RegExp(
          `^error: unknown option '--log'\n {2}the location is the last argument: ai-audit ${name} .*\\[location\\]\n$`,
        ),
      );
    },
  );

  it("one argument too many: the error shows the usage", async () => {
    const { code, stderr } = await cli(["show", "x", "here", "there"]);
    expect(code).toBe(64);
    expect(stderr).toContain("usage: ai-audit show [options] <id> [location]\n");
  });
});

describe("ai-audit keys", { timeout: 60_000 }, () => {
  it("without a subcommand lists; an unknown subcommand is named", async () => {
    const sample = await sharedSample();
    const keys = { env: withAllKeys(sample) };
    const listed = await cli(["keys"], keys);
    expect(listed).toEqual(await cli(["keys", "list"], keys));
    expect(listed.stdout).toContain(sample.vkey);
    expect(await cli(["keys", "lsit"], keys)).toMatchObject({
      code: 64,
      stderr: "error: unknown command 'lsit'\n  see: ai-audit keys --help\n",
    });
  });
});
