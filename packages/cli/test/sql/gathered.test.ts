import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, it } from "vitest";
import { withGathered } from "../../src/sql/gathered.ts";

const MODULE = new URL("../../src/sql/gathered.ts", import.meta.url).href;

async function* pages(): AsyncGenerator<readonly string[]> {
  yield ["one", "two"];
  yield ["three"];
}

describe("Lines that are gathered for a reader of files", () => {
  it("are there for nobody else, and for the work alone", async () => {
    const seen = await withGathered(pages(), async (directory) => {
      const file = join(directory, "audit_19700101.jsonl");
      const text = await readFile(file, "utf8");
      return {
        directory,
        text,
        modes: [(await stat(directory)).mode & 0o777, (await stat(file)).mode & 0o777],
      };
    });
    expect(seen.text).toBe("one\ntwo\nthree\n");
    expect(seen.modes).toEqual([0o700, 0o600]);
    expect(existsSync(seen.directory)).toBe(false);
  });

  it("go when the work fails", async () => {
    let path = "";
    const failing = withGathered(pages(), async (directory) => {
      path = directory;
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(existsSync(path)).toBe(false);
  });

  it("go when a signal ends the process, which ends as it would have", async () => {
    const script = `
      import { withGathered } from ${JSON.stringify(MODULE)};
      await withGathered((async function* () { yield ["a prompt"]; })(), (directory) => new Promise(() => {
        process.stdout.write(directory + "\\n");
        setInterval(() => undefined, 1000);
      }));`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script]);
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    const directory = await new Promise<string>((resolve) => {
      child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
    });
    expect(existsSync(join(directory, "audit_19700101.jsonl"))).toBe(true);
    child.kill("SIGTERM");
    const signal = await new Promise((resolve) => child.on("close", (_, by) => resolve(by)));
    expect({ signal, isThere: existsSync(directory) }).toEqual({
      signal: "SIGTERM",
      isThere: false,
    });
  });
});
