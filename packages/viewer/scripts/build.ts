// Bundles the browser's part of the package: `node scripts/build.ts` writes it to dist/browser/.
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { build } from "esbuild";

const root = new URL("../", import.meta.url);

/** The pages that are bundled: each becomes dist/browser/NAME.js, or .css. */
const PAGES: Readonly<Record<string, string>> = {
  app: "src/app/main.tsx",
  style: "src/styles/app.css",
};

const { outputFiles } = await build({
  write: false,
  absWorkingDir: root.pathname,
  entryPoints: PAGES,
  outdir: "dist/browser",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  platform: "browser",
  jsx: "automatic",
  jsxImportSource: "preact",
  conditions: ["ai-audit-source"],
  legalComments: "none",
  logLevel: "warning",
});

// A server that starts meanwhile reads whole files.
for (const { path, contents } of outputFiles) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${process.pid}`, contents);
  await rename(`${path}.${process.pid}`, path);
}
