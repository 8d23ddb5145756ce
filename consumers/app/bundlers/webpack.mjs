// node bundlers/webpack.mjs FILE FOLDER: a minified bundle for Node.
import { resolve } from "node:path";
import { argv } from "node:process";
import webpack from "webpack";

const [, , file, folder] = argv;
const stats = await new Promise((done, failed) => {
  webpack(
    {
      mode: "production",
      target: "node",
      entry: resolve(file),
      output: { path: resolve(folder), filename: "program.cjs" },
    },
    (error, result) => (error ? failed(error) : done(result)),
  );
});
if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
