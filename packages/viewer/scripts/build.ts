// Bundles the browser's part of the package: `node scripts/build.ts` writes it to dist/browser/.
import { build } from "esbuild";

const root = new URL("../", import.meta.url);

/** The pages that are bundled: each becomes dist/browser/NAME.js, or .css. */
const PAGES: Readonly<Record<string, string>> = {
  app: "src/app/main.tsx",
  style: "src/styles/app.css",
};

await build({
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
