// Package managers and engines that a machine need not have, from the npm registry.
import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { run } from "./run.ts";

/** The Node versions that programs are run on, beside the one that runs this. */
export const NODE_VERSIONS = ["22", "24", "26"] as const;
export type NodeVersion = (typeof NODE_VERSIONS)[number];

export interface Tools {
  /** The folder with their commands, for `PATH`. */
  readonly folder: string;
  /** The executable of a Node version. */
  node(version: NodeVersion): string;
  /** The `tsc.js` of a TypeScript version. */
  compiler(version: "5.6" | "5.9" | "7"): string;
}

const TARGET = `${process.platform}-${process.arch}`;
const PACKAGES: Readonly<Record<string, string>> = {
  "@deno/linux-x64-glibc": "^2",
  "@oven/bun-linux-x64": "^1",
  "@yarnpkg/cli-dist": "^4",
  "typescript-5.6": "npm:typescript@~5.6.3",
  yarn: "^1",
  ...Object.fromEntries(
    NODE_VERSIONS.map((version) => [`node-${version}`, `npm:node-${TARGET}@${version}`]),
  ),
};

/** Commands by the file that is theirs. */
const COMMANDS: Readonly<Record<string, string>> = {
  bun: "@oven/bun-linux-x64/bin/bun",
  deno: "@deno/linux-x64-glibc/deno",
  yarn1: "yarn/bin/yarn.js",
  yarn4: "@yarnpkg/cli-dist/bin/yarn.js",
};

const { resolve } = createRequire(import.meta.url);

/** Installs the tools, once for all runs. The quick form needs none. */
export async function makeTools(folder: string, isQuick: boolean): Promise<Tools> {
  const modules = join(folder, "node_modules");
  const manifest = JSON.stringify({ private: true, dependencies: PACKAGES });
  const marker = join(
    folder,
    `installed-${Buffer.from(manifest).toString("base64url").slice(-60)}`,
  );
  await mkdir(folder, { recursive: true });
  if (!isQuick && !existsSync(marker)) {
    await writeFile(join(folder, "package.json"), manifest);
    await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], {
      cwd: folder,
      timeoutSeconds: 540,
    });
    for (const [name, file] of Object.entries(COMMANDS)) {
      const start = file.endsWith(".js") ? "exec node" : "exec";
      await writeFile(join(folder, name), `#!/bin/sh\n${start} '${join(modules, file)}' "$@"\n`);
      await chmod(join(folder, name), 0o755);
      if (start === "exec") await chmod(join(modules, file), 0o755);
    }
    await writeFile(marker, "");
  }
  return {
    folder,
    node: (version) => join(modules, `node-${version}`, "bin", "node"),
    compiler: (version) =>
      version === "5.6"
        ? join(modules, "typescript-5.6", "lib", "tsc.js")
        : join(
            dirname(resolve(`${version === "7" ? "typescript" : "typescript-5.9"}/package.json`)),
            "lib",
            "tsc.js",
          ),
  };
}
