// node consumers/src/compare-builds.ts: fails when a package's build is not what its sources say.
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compareBuild } from "./build-comparison.ts";

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));
let differing = 0;
for (const name of await readdir(packages)) {
  if (name === "test-support") continue; // is not built
  for (const { file, difference } of await compareBuild(`${packages}${name}`)) {
    differing += 1;
    console.error(`packages/${name}/${file} ${difference}`);
  }
}
console.log(differing === 0 ? "The builds are what the sources say" : `${differing} files differ`);
process.exitCode = differing === 0 ? 0 : 1;
