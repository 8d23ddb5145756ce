// The cases of the suite: who installs the packages, and what must work there.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runBundled, runNext } from "./bundles.ts";
import { PUBLISHED } from "./packed.ts";
import { makeProject, PACKAGE_MANAGERS, type PackageManager } from "./projects.ts";
import { run } from "./run.ts";
import { NODE_VERSIONS, type Tools } from "./tools.ts";
import { checkTypes, type TypeCheck } from "./types.ts";

export interface Case {
  readonly name: string;
  /** Whether it belongs to the quick form. */
  readonly quick: boolean;
  /** The case that makes its project. */
  readonly needs?: string;
  readonly check: () => Promise<void>;
}

export interface Setting {
  /** A folder outside of the repository. */
  readonly work: string;
  readonly registry: string;
  readonly tools: Tools;
  /** For every command: servers, keys, caches. */
  readonly env: Readonly<Record<string, string>>;
}

/** Every case, in an order in which projects are made before they are used. */
export function casesOf(setting: Setting): readonly Case[] {
  return [
    ...Object.entries(PACKAGE_MANAGERS).flatMap(([id, manager]) =>
      managerCases(setting, id, manager),
    ),
    readmeCase(setting),
    ...nodeCases(setting),
    ...typeCases(setting),
    ...bundleCases(setting),
  ];
}

/** Install, an ES module program, a CommonJS program, and the command on their logs. */
function managerCases(setting: Setting, id: string, manager: PackageManager): readonly Case[] {
  const { work, registry, env } = setting;
  const project = join(work, id);
  const quick = id === "npm";
  const { name } = manager;
  const installed = `${name}: install`;
  const more = quick
    ? {
        "@ai-sdk/openai": "^4",
        "@modelcontextprotocol/sdk": "^1",
        "@types/node": "^24",
        langchain: "^1",
      }
    : {};
  const install = { optionalPeers: true, more };
  return [
    {
      name: `${name}: install`,
      quick,
      check: () => makeProject(project, manager, registry, env, install),
    },
    ...["app.mjs", "app.cjs"].map((program) => ({
      name: `${name}: ${program} and the command`,
      quick,
      needs: installed,
      check: () => runProgram(setting, project, manager, program),
    })),
  ];
}

interface Log {
  readonly path: string;
  readonly count: number;
  readonly key: string;
  readonly bucket: string;
}

async function runProgram(
  { env }: Setting,
  project: string,
  manager: PackageManager,
  program: string,
): Promise<void> {
  const start = (command: readonly string[], ...args: readonly string[]): Promise<string> => {
    const [file = "", ...first] = command;
    return run(file, [...first, ...args], { cwd: project, env });
  };
  const log = JSON.parse(lastLine(await start(manager.node, program))) as Log;
  const trust = ["--trust", log.key];
  const verified = await start(manager.command, "verify", log.path, ...trust);
  expectText(verified, `OK: ${log.count} entries`);
  expectText(await start(manager.command, "verify", log.bucket, ...trust), "OK: 1 entry");
  const counted = "SELECT count(*) AS n FROM entries WHERE model = 'm'";
  expectText(await start(manager.command, "sql", "--json", counted, log.path), '"n"');
  expectText(await start(manager.command, "list", log.path), "limited-in-chain");
  const output = `${program}.jsonl`;
  await start(manager.command, "export", log.path, "-f", "jsonl", "-o", output);
  expectText(await readFile(join(project, output), "utf8"), "limited-in-chain");
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

function expectText(text: string, wanted: string): void {
  if (!text.includes(wanted)) throw new Error(`expected ${JSON.stringify(wanted)} in\n${text}`);
}

/** The programs of the packages' own READMEs, as they were packed. */
function readmeCase({ work, env }: Setting): Case {
  const project = join(work, "npm");
  return {
    name: "npm: the packages' READMEs",
    quick: true,
    needs: "npm: install",
    check: async () => {
      await fetch(`${env["S3_ENDPOINT"]}/my-bucket`, { method: "PUT" });
      for (const name of PUBLISHED) {
        const readme = join(project, "node_modules", "@ai-audit", name, "README.md");
        const blocks = [...(await readFile(readme, "utf8")).matchAll(/```ts\n([\s\S]*?)```/g)];
        for (const [index, [, program = ""]] of blocks.entries()) {
          const file = `readme-${name}-${index}.mts`;
          await writeFile(join(project, file), program);
          const output = await run("node", [file], { cwd: project, env });
          if (program.includes("verdict")) expectText(output, "OK: 1 entry in 1 file");
        }
      }
    },
  };
}

/** The npm project on every Node version. */
function nodeCases({ work, tools, env }: Setting): readonly Case[] {
  return NODE_VERSIONS.flatMap((version) =>
    ["app.mjs", "app.cjs"].map((program) => ({
      name: `Node ${version}: ${program}`,
      quick: false,
      needs: "npm: install",
      check: async () =>
        void (await run(tools.node(version), [program], { cwd: join(work, "npm"), env })),
    })),
  );
}

/** The npm project in every compiler and resolution, with every declaration checked. */
function typeCases({ work, tools }: Setting): readonly Case[] {
  const cases: Case[] = [];
  for (const version of ["5.6", "5.9", "7"] as const)
    for (const module of ["nodenext", "node16", "bundler", "commonjs"] as const)
      for (const exactOptionalPropertyTypes of [true, false]) {
        const files = filesFor(version, module);
        if (files.length === 0) continue;
        const exact = exactOptionalPropertyTypes ? ", exactOptionalPropertyTypes" : "";
        cases.push({
          name: `types: TypeScript ${version}, ${module}${exact}`,
          quick:
            module === "nodenext" &&
            (version === "7" || (version === "5.9" && !exactOptionalPropertyTypes)),
          needs: "npm: install",
          check: () =>
            expectNoErrors(join(work, "npm"), {
              compiler: tools.compiler(version),
              module,
              exactOptionalPropertyTypes,
              files,
            }),
        });
      }
  return cases;
}

/**
 * Of nodenext, TypeScript knows `require()` of an ES module from 5.8 on; of node16 never. The older
 * `commonjs` does not ask what is required, and is no more from TypeScript 7 on.
 */
function filesFor(version: string, module: TypeCheck["module"]): readonly string[] {
  if (module === "commonjs") return version === "7" ? [] : ["types/program.cts"];
  const hasCommonJs = module === "nodenext" && version !== "5.6";
  return hasCommonJs ? ["types/program.mts", "types/program.cts"] : ["types/program.mts"];
}

async function expectNoErrors(project: string, check: TypeCheck): Promise<void> {
  const errors = await checkTypes(project, check);
  if (errors.length > 0)
    throw new Error(`${errors.length} errors\n${errors.slice(0, 12).join("\n")}`);
}

const ESBUILD: Readonly<Record<string, string>> = { esbuild: "^0.28" };
const OTHER_BUNDLERS: Readonly<Record<string, string>> = {
  "@rollup/plugin-commonjs": "^29",
  "@rollup/plugin-json": "^6",
  "@rollup/plugin-node-resolve": "^16",
  next: "^16",
  react: "^19",
  "react-dom": "^19",
  rollup: "^4",
  vite: "^8",
  webpack: "^5",
};

/** Bundles of projects that have no optional peer: nothing is external, and nothing is missing. */
function bundleCases({ work, registry, env }: Setting): readonly Case[] {
  const install = (name: string, more: Readonly<Record<string, string>>): Case => ({
    name: `bundles: install ${name}`,
    quick: name === "esbuild",
    check: () =>
      makeProject(join(work, `bundle-${name}`), PACKAGE_MANAGERS.npm, registry, env, {
        optionalPeers: false,
        more,
      }),
  });
  const [quick, others] = [join(work, "bundle-esbuild"), join(work, "bundle-others")];
  return [
    install("esbuild", ESBUILD),
    bundle("esbuild", true, () => runBundled(quick, { bundler: "esbuild" }, env)),
    bundle("esbuild --minify", true, () =>
      runBundled(quick, { bundler: "esbuild", minify: true }, env),
    ),
    install("others", OTHER_BUNDLERS),
    ...(["rollup", "webpack", "vite"] as const).map((bundler) =>
      bundle(bundler, false, () => runBundled(others, { bundler }, env)),
    ),
    ...(["turbopack", "webpack"] as const).map((compiler) =>
      bundle(`Next.js with ${compiler}`, false, () => runNext(others, compiler, env)),
    ),
  ];
}

/** The bundled program runs the scenario, and prints the place of its log. */
function bundle(name: string, quick: boolean, build: () => Promise<string>): Case {
  return {
    name: `bundles: ${name}`,
    quick,
    needs: `bundles: install ${quick ? "esbuild" : "others"}`,
    check: async () => void (JSON.parse(lastLine(await build())) as Log),
  };
}
