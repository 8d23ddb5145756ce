// The suite's own detectors turn red on a planted mistake of each kind, and stay green without it.
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { runBundled } from "../src/bundles.ts";
import { checkTypes } from "../src/types.ts";

const { resolve } = createRequire(import.meta.url);
const APP = fileURLToPath(new URL("../app/", import.meta.url));
const COMPILER = join(dirname(resolve("typescript/package.json")), "lib", "tsc.js");

/** A project with one installed package of ours, made of these files, and one program. */
async function projectWith(
  files: Readonly<Record<string, string>>,
  program: string,
): Promise<string> {
  const project = join(await temporaryDirectory(), "project");
  const installed = join(project, "node_modules", "@ai-audit", "core");
  await mkdir(installed, { recursive: true });
  const manifest = { name: "@ai-audit/core", type: "module", exports: "./index.js" };
  await writeFile(join(installed, "package.json"), JSON.stringify(manifest));
  for (const [name, text] of Object.entries(files)) await writeFile(join(installed, name), text);
  await writeFile(join(project, "program.mts"), program);
  await writeFile(join(project, "program.mjs"), program);
  await cp(join(APP, "bundlers"), join(project, "bundlers"), { recursive: true });
  for (const name of ["esbuild", "@types"])
    await symlink(packageFolder(name), join(project, "node_modules", name));
  return project;
}

function packageFolder(name: string): string {
  return name === "@types"
    ? dirname(dirname(resolve("@types/node/package.json")))
    : dirname(resolve(`${name}/package.json`));
}

const PROGRAM = 'import { kind } from "@ai-audit/core";\nconsole.log(kind(new TypeError("x")));\n';

function declared(text: string): Readonly<Record<string, string>> {
  return { "index.d.ts": `${text}\nexport declare function kind(error: Error): string;\n` };
}
async function check(
  files: Readonly<Record<string, string>>,
  exactOptionalPropertyTypes: boolean,
): Promise<readonly string[]> {
  return checkTypes(await projectWith(files, PROGRAM), {
    compiler: COMPILER,
    module: "nodenext",
    exactOptionalPropertyTypes,
    files: ["program.mts"],
  });
}

async function bundle(index: string, minify = false): Promise<string> {
  const project = await projectWith({ "index.js": index }, PROGRAM);
  return runBundled(project, { bundler: "esbuild", minify, program: "program.mjs" }, {});
}

describe("the type checks", () => {
  it("take declarations that need nothing", async () => {
    await expect(check(declared(""), true)).resolves.toEqual([]);
  });

  it("find a type that needs an optional peer", async () => {
    const peer = 'import type { S3Client } from "@aws-sdk/client-s3";\nexport type C = S3Client;';
    await expect(check(declared(peer), true)).resolves.toEqual([
      expect.stringMatching(/index\.d\.ts.*TS2307.*'@aws-sdk\/client-s3'/),
    ]);
  });

  it("find declarations that are valid under one setting only", async () => {
    const growing = `interface A { a?: string }
export declare class B implements Required<A> { a: string | undefined }`;
    await expect(check(declared(growing), false)).resolves.toEqual([
      expect.stringMatching(/index\.d\.ts.*TS2416.*'a'/),
    ]);
  });

  it("find a type error in the program, and none in packages of others", async () => {
    const project = await projectWith(declared(""), `${PROGRAM}import "other";\nkind(1);\n`);
    const other = join(project, "node_modules", "other");
    await mkdir(other);
    await writeFile(join(other, "index.d.ts"), "export const a: Missing;\n");
    await expect(
      checkTypes(project, {
        compiler: COMPILER,
        module: "bundler",
        exactOptionalPropertyTypes: true,
        files: ["program.mts"],
      }),
    ).resolves.toEqual([expect.stringMatching(/program\.mts.*TS2345/)]);
  });
});

describe("the bundles", () => {
  const BY_PROTOTYPE = `export function kind(error) {
  return error instanceof TypeError ? "type" : "other";
}
`;
  const BY_NAME = `class Refusal extends TypeError {}
export function kind(error) {
  const refusal = new Refusal(error.message);
  if (refusal.constructor.name !== "Refusal") throw new Error("not a Refusal");
  return "type";
}
`;

  it("run a program whose packages are followed", async () => {
    await expect(bundle(BY_PROTOTYPE, true)).resolves.toBe("type\n");
  });

  it("find an import that esbuild cannot follow", async () => {
    const peer = 'export const load = () => import("@aws-sdk/client-s3");\n';
    await expect(bundle(`${peer}${BY_PROTOTYPE}`)).rejects.toThrow(
      'Could not resolve "@aws-sdk/client-s3"',
    );
  });

  it("find a module that was left out of the bundle", async () => {
    const left = 'const name = "left-out";\nexport const x = import(name);\n';
    await expect(bundle(`${left}${BY_PROTOTYPE}`)).rejects.toThrow("left-out");
  });

  it("find a decision by a class's name, in minified code alone", async () => {
    await expect(bundle(BY_NAME)).resolves.toBe("type\n");
    await expect(bundle(BY_NAME, true)).rejects.toThrow("not a Refusal");
  });
});
