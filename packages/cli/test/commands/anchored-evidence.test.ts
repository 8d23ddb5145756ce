// Proofs and bundles with an anchor log: by when entries existed, shown by the command, by check.py,
// and by OpenSSL alone as the bundle's README says.
import { execFile } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { AnchorLog, directoryStore } from "@ai-audit/core/anchor";
import { describe, expect, it } from "vitest";
import { startAuthority, startWitness } from "@ai-audit/test-support/anchor-parties";
import { cli } from "../support/cli.ts";
import { ownSample } from "../support/samples.ts";

const run = promisify(execFile);

/** A sample log that is anchored once, with a time-stamp and a cosignature. */
async function anchoredSample() {
  const sample = await ownSample();
  const to = join(sample.root, "anchor");
  const key = join(sample.root, "anchor.key");
  const init = ["anchor", "--init", "--name", "example.com/acme", "--to", to, "--key", key];
  const vkey = (await cli(init)).stdout.trim();
  const [name = ""] = (await readFile(key, "utf8")).split("\n");
  const witness = await startWitness("witness-w", { name, vkey });
  const tsa = await startAuthority();
  const words = ["anchor", sample.directory, "-t", sample.vkey, "--to", to, "--key", key];
  const parties = ["--tsa", tsa.url, "--witness", `${witness.vkey}=${witness.url}`];
  expect(await cli([...words, ...parties])).toMatchObject({ code: 0 });
  return {
    sample,
    vkey,
    certificates: tsa.certificateFile,
    witness: witness.vkey,
    anchor: ["--anchor", to, "--anchor-key", vkey],
    check: ["-t", sample.vkey, "--witness", witness.vkey, "--tsa", tsa.certificateFile],
    /** The log and its anchor log are gone: what follows is offline. */
    async removeLogs() {
      const log = await AnchorLog.read(directoryStore(to), vkey);
      expect(log.flaws).toEqual([]);
      await rm(to, { recursive: true });
      await rm(sample.directory, { recursive: true });
    },
  };
}

/** Runs the commands of the README that begin with a word, in the bundle. */
async function runReadme(
  bundle: string,
  beginning: string,
  certificates: string,
): Promise<string[]> {
  const readme = await readFile(join(bundle, "README.md"), "utf8");
  const commands = readme.split("\n").filter((line) => line.startsWith(`    ${beginning}`));
  const outputs: string[] = [];
  for (const command of commands) {
    const script = command.replaceAll("tsa.pem", certificates);
    outputs.push((await run("sh", ["-ec", script], { cwd: bundle })).stdout);
  }
  return outputs;
}

describe.skipIf(isLeftOut("cryptography"))("An anchored entry", { timeout: 60_000 }, () => {
  it("is shown by one proof to have existed by a time, with the log gone", async () => {
    const made = await anchoredSample();
    const proof = join(made.sample.root, "proof");
    const id = made.sample.ids[2] ?? "";
    const words = ["prove", id, made.sample.directory, "-o", proof];
    expect(await cli([...words, ...made.anchor])).toMatchObject({ code: 0 });
    await made.removeLogs();
    const checked = await cli(["check", proof, ...made.check, "--quorum", "2"]);
    expect(checked.stdout).toMatch(
      /^OK: .*; existed by \S+Z, says \S+; existed by \S+Z, says \S+\n/,
    );
    expect(checked.code).toBe(0);
    const without = await cli(["check", proof, "-t", made.sample.vkey]);
    expect(without.stdout).toMatch(/; anchored in example\.com\/acme\/anchor-\w+, of which no key/);
    const more = await cli(["check", proof, ...made.check, "--quorum", "3"]);
    expect(more.code).toBe(2);
  });

  it("is not proven as anchored before it is", async () => {
    const sample = await ownSample();
    const to = join(sample.root, "anchor");
    const key = join(sample.root, "anchor.key");
    const made = await cli(["anchor", "--init", "--name", "a.example", "--to", to, "--key", key]);
    const anchor = ["--anchor", to, "--anchor-key", made.stdout.trim()];
    const failed = await cli(["prove", sample.ids[0] ?? "", sample.directory, ...anchor]);
    expect(failed.stderr).toContain("is not anchored: it is newer than the last run");
    expect(failed.code).toBe(65);
    const bundle = join(sample.root, "bundle");
    const words = ["export", sample.directory, "-f", "bundle", "-o", bundle, "--flagged"];
    const exported = await cli([...words, ...anchor]);
    expect(exported.stderr).toContain("1 entry not anchored yet");
    expect(await cli(["export", sample.directory, ...anchor])).toMatchObject({ code: 64 });
  });

  it.each([
    ["selected entries", ["--flagged"], "anchors", "PROVEN     \\S{36}: sealed; existed by "],
    ["whole files", [], "anchor", "PROVEN     anchor: the anchor log; at 2 leaves it existed by "],
  ])(
    "in a bundle of %s is checked offline, by three programs",
    async (_, flags, folder, proven) => {
      const made = await anchoredSample();
      const { sample, vkey, certificates, witness } = made;
      const bundle = join(sample.root, "bundle");
      const words = ["export", sample.directory, "-f", "bundle", "-o", bundle, ...flags];
      expect(await cli([...words, ...made.anchor])).toMatchObject({ code: 0 });
      await made.removeLogs();

      const verified = await runReadme(bundle, "openssl ts -verify", certificates);
      expect(verified).toHaveLength(1);
      expect(await runReadme(bundle, "openssl ts -reply", certificates)).toEqual([
        expect.stringMatching(/^Time stamp: /),
      ]);

      const script = [join(bundle, "check.py"), sample.vkey, vkey, witness, "--tsa", certificates];
      const { stdout } = await run("python3", script);
      expect(stdout).toMatch(new RegExp(`${proven}.*, says witness-w`));
      expect(stdout).toMatch(new RegExp(`${proven}.*, says \\S+`));

      const check = ["check", bundle, ...made.check, "--anchor-key", vkey, "--quorum", "2"];
      const checked = await cli(check);
      expect(checked.stdout).toMatch(
        flags.length > 0
          ? /existed by \S+Z, says .*existed by/
          : /anchored through \S+Z by .* and /,
      );
      expect(checked.code).toBe(0);

      // An anchor that is not right is found by both programs.
      const names = await readdir(join(bundle, folder));
      const file = join(
        bundle,
        folder,
        names.find((name) => /proofs$|^leaf_0+1$/.test(name)) ?? "",
      );
      const text = await readFile(file, "utf8");
      await writeFile(
        file,
        text.replace(/^(— example\.com\S+ ....)./m, "$1*").replace(/\n2\n/, "\n3\n"),
      );
      await expect(run("python3", script)).rejects.toMatchObject({ code: 1 });
      expect(await cli(check)).toMatchObject({ code: 1 });
    },
  );
});
