// src/page/script.ts from src/page/browser: node packages/viewer/scripts/page-script.ts. The script is
// committed, so that its hash is the same on every machine and a review shows each change to it.
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The script of audit.html, as it is built from its sources. */
export async function pageScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../src/page/browser/main.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    charset: "ascii",
    legalComments: "none",
    absWorkingDir: fileURLToPath(new URL("../src/page/browser/", import.meta.url)),
  });
  const text = outputFiles[0]?.text ?? "";
  if (/<\/script|<!--/i.test(text)) throw new Error("the script would end its own element");
  return text;
}

if (import.meta.main) {
  const lines = (await pageScript()).split("\n").map((line) => `  ${JSON.stringify(line)},\n`);
  await writeFile(
    new URL("../src/page/script.ts", import.meta.url),
    `// The script of audit.html. Made by scripts/page-script.ts from browser/: change that, not this.

/** The script's text. */
export const PAGE_SCRIPT: string = [
${lines.join("")}].join("\\n");
`,
  );
}
