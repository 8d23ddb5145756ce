// node bundlers/rollup.mjs FILE FOLDER: a bundle for Node.
import { join } from "node:path";
import { argv } from "node:process";
import commonjs from "@rollup/plugin-commonjs";
import json from "@rollup/plugin-json";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { rollup } from "rollup";

const [, , file, folder] = argv;
const bundle = await rollup({
  input: file,
  plugins: [nodeResolve({ preferBuiltins: true, exportConditions: ["node"] }), commonjs(), json()],
  onLog: () => undefined,
});
await bundle.write({ file: join(folder, "program.mjs"), inlineDynamicImports: true });
