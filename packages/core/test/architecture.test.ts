// ARCHITECTURE.md names files and folders. Each of them must be there.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");

/** Folders that a path on the page may be relative to. */
const BASES = [
  "",
  "packages",
  "packages/core/src",
  "packages/openai-wrapper/src",
  "packages/viewer/src",
];

describe("ARCHITECTURE.md", () => {
  it("names only files and folders that exist", () => {
    const named = [...text.matchAll(/`([\w./-]+(?:\/|\.ts|\.md|\.py))`/g)].map(
      ([, path = ""]) => path,
    );
    expect(named.length).toBeGreaterThan(30);
    const nested = [
      "verify",
      "capture",
      "openai-wrapper/src",
      "cli/src",
      "core/test/format",
      "docs",
    ];
    const isThere = (path: string): boolean =>
      [...BASES, ...nested.flatMap((folder) => BASES.map((base) => join(base, folder)))].some(
        (base) => existsSync(join(root, base, path)),
      );
    expect(named.filter((path) => !isThere(path))).toEqual([]);
  });

  it("draws every package once", () => {
    const drawn = [...text.matchAll(/^ {4}packages\/([a-z-]+) /gm)].map(([, name]) => name);
    expect(new Set(drawn)).toEqual(new Set(readdirSync(join(root, "packages"))));
    expect(drawn).toHaveLength(new Set(drawn).size);
  });

  it("draws every folder of core's source", () => {
    const drawn = new Set([...text.matchAll(/^ {4,6}([a-z0-9]+)\//gm)].map(([, name]) => name));
    const folders = readdirSync(join(root, "packages/core/src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.filter((name) => !drawn.has(name))).toEqual([]);
  });
});

describe("A source file", () => {
  it("over 300 lines has its reason in its first comment", () => {
    const without = readdirSync(join(root, "packages"))
      .flatMap((name) => sourcesIn(join(root, "packages", name, "src")))
      .filter((path) => {
        const source = readFileSync(path, "utf8");
        const [comment = ""] = source.split(/^(?!\/\/)/m, 1);
        const isGenerated = comment.includes("Made by");
        return (
          source.split("\n").length > 301 && !isGenerated && !/300\s+(\/\/ )?lines/.test(comment)
        );
      });
    expect(without).toEqual([]);
  });
});

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.[cm]?tsx?$/.test(path))
    .map((path) => join(folder, path));
}
