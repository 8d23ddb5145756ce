// node bundlers/vite.mjs FILE FOLDER: Vite's build for a server, with every package in it.
import { resolve } from "node:path";
import { argv } from "node:process";
import { build } from "vite";

const [, , file, folder] = argv;
await build({
  configFile: false,
  logLevel: "error",
  build: {
    ssr: resolve(file),
    outDir: resolve(folder),
    rolldownOptions: { output: { entryFileNames: "program.mjs" } },
  },
  ssr: { noExternal: true },
});
