// node bundlers/esbuild.mjs FILE FOLDER [minify]: a bundle for Node, with esbuild's defaults.
import { join } from "node:path";
import { argv } from "node:process";
import { build } from "esbuild";

const [, , file, folder, minify] = argv;
await build({
  entryPoints: [file],
  outfile: join(folder, "program.cjs"),
  bundle: true,
  platform: "node",
  minify: minify === "minify",
  logLevel: "error",
});
