// Bundles with a file of any bytes: each is judged, and none is proven that holds a line nobody
// sealed. FUZZ_SEED begins elsewhere, AUDIT_SOAK=1 takes longer.
import { readdirSync, readFileSync } from "node:fs";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fuzzInputs } from "@ai-audit/test-support/fuzz";
import { times } from "@ai-audit/test-support/soak";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { checkBundle } from "../../src/verifying/check-bundle.ts";

/** All lines of the evidence in a bundle; checkpoints are no leaves. */
function linesOf(bundle: string): string[] {
  return readdirSync(bundle, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".jsonl"))
    .flatMap((name) => readFileSync(join(bundle, name), "utf8").split("\n"))
    .filter((line) => !line.startsWith('{"type":"checkpoint",'));
}

describe("A bundle with a file of any bytes", { timeout: 600_000 }, () => {
  it.each(["bundle-entries", "bundle-files"])(
    "is judged, and is not proven with a line that was not sealed: %s",
    async (corpus) => {
      const original = fileURLToPath(new URL(`corpus/${corpus}/`, import.meta.url));
      const sealed = new Set(linesOf(original));
      const keys = readFileSync(join(original, "keys.txt"), "utf8").match(/^\S+\+\S+$/gm) ?? [];
      const bundle = join(await temporaryDirectory(), "bundle");
      await cp(original, bundle, { recursive: true });
      const found: string[] = [];
      const codes = new Set<number>();
      for (const { name, bytes, isOriginal } of fuzzInputs(
        corpus,
        import.meta.url,
        times(8, 300),
      )) {
        const [file = ""] = name.split(",");
        await writeFile(join(bundle, file), bytes);
        const verdicts = await Array.fromAsync(
          checkBundle(bundle, { keys, by: "--trust", passedOver: undefined }),
        );
        const worst = Math.max(...verdicts.map(({ exitCode }) => exitCode));
        codes.add(worst);
        if (isOriginal && worst !== 0) found.push(`${name}: ${JSON.stringify(verdicts)}`);
        const isStrange = linesOf(bundle).some((line) => !sealed.has(line));
        if (verdicts.length > 0 && worst === 0 && isStrange) found.push(`${name}: proven`);
        await cp(join(original, file), join(bundle, file));
      }
      expect(found).toEqual([]);
      expect(codes).toContain(1);
    },
  );
});
