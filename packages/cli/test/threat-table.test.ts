// The table of docs/security/threats.md: every claim names the tests that prove it.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const PAGE = new URL("../../../docs/security/threats.md", import.meta.url);

/** Rows that say what is not protected, and so have nothing to prove. */
const LIMITS = ["your own code", "the model provider"];

interface NamedTest {
  readonly title: string;
  readonly path: string;
}

interface Claim {
  readonly who: string;
  readonly what: string;
  readonly tests: readonly NamedTest[];
}

function claims(): Claim[] {
  const section = readFileSync(PAGE, "utf8").split("## The table")[1] ?? "";
  const rows = (section.split("\n## ")[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) => line.split("|").map((cell) => cell.trim()));
  let who = "";
  return rows.map(([, first = "", what = "", , cell = ""]) => {
    who = first || who;
    const links = cell.matchAll(/\[([^\]]+)\]\(([^)]+\.test\.ts)\)/g);
    return { who, what, tests: [...links].map(([, title = "", path = ""]) => ({ title, path })) };
  });
}

/** Whether a file has a test of this title, by itself or as a row of a table, that is not skipped. */
function hasTest({ title, path }: NamedTest): boolean {
  const file = fileURLToPath(new URL(path, PAGE));
  if (!existsSync(file)) return false;
  const source = readFileSync(file, "utf8");
  const quoted = `"${title.replaceAll('"', '\\"')}"`;
  const at = source.indexOf(quoted);
  const before = source.slice(0, at).trimEnd();
  const isTest = /\bit(?:\.each\([^;]*\)|\.skipIf\([^;]*?\)\))?\($/.test(before);
  return at !== -1 && (isTest || /\bwhat:$/.test(before)) && /\b(?:expect|judges)\(/.test(source);
}

describe("What is protected against whom", () => {
  it("has a row for each claim", () => {
    expect(claims().length).toBeGreaterThan(10);
  });

  it.each(claims().filter(({ who }) => !LIMITS.includes(who)))(
    "$who: $what names tests that are there",
    ({ tests }) => {
      expect(tests.length).toBeGreaterThan(0);
      expect(tests.filter((test) => !hasTest(test))).toEqual([]);
    },
  );

  it("is not proven by a test that is skipped, or by words in another place", () => {
    const path = "../../packages/core/test/verify/tamper.test.ts";
    expect(hasTest({ path, title: "any changed byte" })).toBe(false);
    expect(hasTest({ path: "../../packages/core/test/no.test.ts", title: "any" })).toBe(false);
  });
});
