// Fresh projects that install the packages as each package manager does.
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./run.ts";

const APP = fileURLToPath(new URL("../app/", import.meta.url));

/** A tool that makes a program's dependencies there, and how it starts what they bring. */
export interface PackageManager {
  readonly name: string;
  /** Configuration files, for a registry that has the scope `@ai-audit`. */
  files(registry: string): Readonly<Record<string, string>>;
  readonly install: readonly string[];
  /** Starts a program of the project. */
  readonly node: readonly string[];
  /** Starts the `ai-audit` command. */
  readonly command: readonly string[];
}

const npmrc = (registry: string): Readonly<Record<string, string>> => ({
  ".npmrc": `@ai-audit:registry=${registry}/\n`,
});

const BIN = join("node_modules", ".bin", "ai-audit");

/** Each package manager by its name. Commands are found in the folders that `tools()` gives. */
export const PACKAGE_MANAGERS = {
  npm: {
    name: "npm",
    files: npmrc,
    install: ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline"],
    node: ["node"],
    command: ["npx", "--no-install", "ai-audit"],
  },
  pnpm: {
    name: "pnpm, strict",
    files: npmrc,
    install: ["pnpm", "install", "--prefer-offline", "--no-frozen-lockfile"],
    node: ["node"],
    command: ["pnpm", "exec", "ai-audit"],
  },
  yarn1: {
    name: "yarn classic",
    files: npmrc,
    install: ["yarn1", "install", "--no-lockfile", "--non-interactive"],
    node: ["node"],
    command: ["yarn1", "--silent", "ai-audit"],
  },
  yarn4: {
    name: "yarn berry with PnP",
    files: (registry) => ({
      "yarn.lock": "",
      ".yarnrc.yml": [
        "npmScopes:",
        "  ai-audit:",
        `    npmRegistryServer: "${registry}"`,
        "unsafeHttpWhitelist: [127.0.0.1]",
        "enableTelemetry: false",
        "enableImmutableInstalls: false",
        "",
      ].join("\n"),
    }),
    install: ["yarn4", "install"],
    node: ["yarn4", "node"],
    command: ["yarn4", "ai-audit"],
  },
  bun: {
    name: "bun",
    files: npmrc,
    install: ["bun", "install", "--no-save"],
    node: ["bun", "run"],
    command: ["bun", "--bun", "run", BIN],
  },
  deno: {
    name: "deno",
    files: npmrc,
    install: ["deno", "install"],
    node: ["deno", "run", "--allow-all"],
    command: ["deno", "run", "--allow-all", "npm:@ai-audit/cli"],
  },
} as const satisfies Readonly<Record<string, PackageManager>>;

/** Packages that programs install beside ours. */
const PEERS: Readonly<Record<string, string>> = {
  "@anthropic-ai/sdk": "^1",
  "@langchain/core": "^1",
  "@langchain/openai": "^1",
  ai: "^7",
  openai: "^7",
  zod: "^4",
};
const OPTIONAL_PEERS: Readonly<Record<string, string>> = {
  "@aws-sdk/client-s3": "^3",
  "@duckdb/node-api": "latest", // has pre-releases alone, which no range spans
};
const OURS = [
  "core",
  "openai-wrapper",
  "langchain-callback",
  "anthropic",
  "ai-sdk",
  "mcp",
] as const;

export interface ProjectOptions {
  /** Without them, optional peers must stay optional. */
  readonly optionalPeers: boolean;
  /** Further packages, by version. */
  readonly more?: Readonly<Record<string, string>>;
}

/** A new project with the programs of `app/`, installed. Replaces one of the same path. */
export async function makeProject(
  path: string,
  manager: PackageManager,
  registry: string,
  env: Readonly<Record<string, string>>,
  { optionalPeers, more = {} }: ProjectOptions,
): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  await cp(APP, path, { recursive: true });
  const ours = optionalPeers ? [...OURS, "viewer", "cli"] : OURS;
  const dependencies = {
    ...Object.fromEntries(ours.map((name) => [`@ai-audit/${name}`, "^0.1.0"])),
    ...PEERS,
    ...(optionalPeers && OPTIONAL_PEERS),
    ...more,
  };
  const manifest = { name: "consumer", version: "1.0.0", private: true, dependencies };
  await writeFile(join(path, "package.json"), JSON.stringify(manifest, undefined, 2));
  for (const [file, text] of Object.entries(manager.files(registry)))
    await writeFile(join(path, file), text);
  const [command = "", ...args] = manager.install;
  await run(command, args, { cwd: path, env, timeoutSeconds: 540 });
}
