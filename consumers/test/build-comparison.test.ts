// The comparison of a build with its sources finds a compiler's mistakes, and nothing else.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { compareBuild } from "../src/build-comparison.ts";

/** The class that TypeScript 7.0.2 compiles wrongly. */
const BUCKET = `export class Bucket {
  readonly name: string = "b";
  #other?: string;
  #target(): object {
    return { Bucket: this.name };
  }
  get(): object {
    this.#other ??= "x";
    return this.#target();
  }
}
`;

const BUILT = `export class Bucket {
    name = "b";
    #other;
    #target() {
        return { Bucket: this.name };
    }
    get() {
        this.#other ??= "x";
        return this.#target();
    }
}
`;

async function differences(source: string, built: string | undefined): Promise<readonly unknown[]> {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, "src"));
  await mkdir(join(directory, "dist"));
  await writeFile(join(directory, "src", "a.ts"), source);
  if (built !== undefined) await writeFile(join(directory, "dist", "a.js"), built);
  return compareBuild(directory);
}

describe("the comparison of a build with its sources", () => {
  it.each([
    ["the same code", BUCKET, BUILT],
    ["other white space and comments", BUCKET, BUILT.replaceAll(/\s+/g, " ")],
    ["redundant parentheses", "export const a = (1 as number) + 2;", "export const a = (1) + 2;"],
    ["a module of types alone, not built", "export type A = 1;", "export {};"],
    ["an import with its built name", 'export { a } from "./b.ts";', 'export { a } from "./b.js";'],
  ])("takes %s", async (_, source, built) => {
    await expect(differences(source, built)).resolves.toEqual([]);
  });

  it.each([
    [
      "a property that was renamed to the class's alias",
      BUCKET,
      `var _a;\n${BUILT.replace("{ Bucket:", "{ _a:")}_a = Bucket;\n`,
      /says "var _a;" in line 1 where its source says "export class Bucket {" in line 1/,
    ],
    [
      "another property's name",
      BUCKET,
      BUILT.replace("{ Bucket:", "{ _a:"),
      /says "return { _a: this.name };" in line 5 where its source says "return { Bucket: this.name };"/,
    ],
    ["another literal", "export const a = 'x';", 'export const a = "y";', /"x"|'x'/],
    ["another operator", "export const a = !b;", "export const a = -b;", /-b.*!b/],
    ["another binding", "const a = 1;", "let a = 1;", /let a.*const a/],
    ["a statement too many", "f();", "f(); g();", /says "f\(\); g\(\);"/],
    ["a statement too few", "f(); g();", "f();", /where its source says "g\(\);"/],
    ["a file that was not built", "f();", undefined, /is missing/],
  ])("finds %s", async (_, source, built, difference) => {
    await expect(differences(source, built)).resolves.toEqual([
      { file: join("dist", "a.js"), difference: expect.stringMatching(difference) },
    ]);
  });

  it("finds a built file that no source accounts for", async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, "src"));
    await mkdir(join(directory, "dist"));
    await writeFile(join(directory, "dist", "old.js"), "f();");
    await expect(compareBuild(directory)).resolves.toEqual([
      {
        file: join("dist", "old.js"),
        difference: "has no source: run pnpm clean, and build again",
      },
    ]);
  });
});
