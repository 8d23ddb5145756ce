// Command lines of any words: each is answered with a documented exit code, in text that a terminal
// may be given. Commands that only read: a mutation may name any path. FUZZ_SEED begins elsewhere,
// AUDIT_SOAK=1 takes longer.
import { spawn } from "node:child_process";
import { text as readAll } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { fuzzInputs } from "@ai-audit/test-support/fuzz";
import { times } from "@ai-audit/test-support/soak";
import { describe, expect, it } from "vitest";
import { EXIT } from "../../src/failure.ts";
import { sharedSample } from "../support/samples.ts";

const RUNNER = fileURLToPath(new URL("run-words.ts", import.meta.url));
/** What a terminal would act upon, or show in another order. */
const UNSAFE = /(?![\n\t])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u;

interface Answer {
  readonly code: number;
  readonly text: string;
}

/** The output of each command line, in their order. */
function answersIn(output: string): Answer[] {
  // oxlint-disable-next-line no-control-regex -- the mark of run-words.ts
  return [...output.matchAll(/([^\u0001]*)\n\u0001(\d+)\u0001\n/g)].map(([, text = "", code]) => ({
    code: Number(code),
    text,
  }));
}

describe("A command line of any words", { timeout: 600_000 }, () => {
  it("ends with a documented exit code, and prints nothing that a terminal acts upon", async () => {
    const sample = await sharedSample();
    const inputs = [...fuzzInputs("commands", import.meta.url, times(30, 1000))].map(
      ({ name, bytes, isOriginal }) => {
        const [, command = ""] = /^([a-z]+)/.exec(name) ?? [];
        // The operating system passes no NUL.
        const words = bytes.toString().replaceAll("\0", "").trimEnd().split("\n").slice(1);
        const real = words.map((word) =>
          word
            .replace(/^LOG/, sample.directory)
            .replace(/^ID/, sample.ids[0] ?? "")
            .replace(/^KEY/, sample.vkey),
        );
        return { name, isOriginal, words: [command, ...real] };
      },
    );

    const child = spawn(process.execPath, ["--conditions=ai-audit-source", RUNNER], {
      cwd: sample.root,
      env: { PATH: process.env["PATH"], AUDIT_ENCRYPTION_KEY: sample.encryptionKey },
    });
    child.stdin.end(JSON.stringify(inputs.map(({ words }) => words)));
    const [stdout, stderr] = await Promise.all([readAll(child.stdout), readAll(child.stderr)]);

    const [results, errors] = [answersIn(stdout), answersIn(stderr)];
    expect(
      results,
      `ended at ${JSON.stringify(inputs[results.length])}: ${stderr.slice(-500)}`,
    ).toHaveLength(inputs.length);
    const codes = new Set<number>([2, ...Object.values(EXIT)]);
    const found = inputs.flatMap(({ name, isOriginal, words }, at) => {
      const { code = -1, text = "" } = results[at] ?? {};
      const said = errors[at]?.text ?? "";
      const faults = [
        ...(!codes.has(code) || code === EXIT.internal ? [`exit ${code}: ${said}`] : []),
        ...(isOriginal && code > 1 ? [`exit ${code}: ${said}`] : []),
        ...(UNSAFE.test(text) || UNSAFE.test(said) ? [`unsafe: ${JSON.stringify(said)}`] : []),
        ...(code >= EXIT.usage && !said.startsWith("error: ") ? [`no error: ${said}`] : []),
      ];
      return faults.map(
        (fault) => `${name} ${JSON.stringify(words).slice(0, 300)}: ${fault.slice(0, 300)}`,
      );
    });
    expect(found).toEqual([]);
    expect(new Set(results.map(({ code }) => code)).size).toBeGreaterThan(3);
  });
});
