// The README's table of what is protected against whom: every claim names the test that proves it.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const README = new URL("../../../README.md", import.meta.url);

/** Rows that say what is not protected, and so have nothing to prove. */
const LIMITS = ["your own code", "the model provider"];

interface Claim {
  readonly who: string;
  readonly what: string;
  readonly test: string;
}

function claims(): Claim[] {
  const section = readFileSync(README, "utf8").split("## What is protected against whom")[1] ?? "";
  const rows = (section.split("\n## ")[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) => line.split("|").map((cell) => cell.trim()));
  let who = "";
  return rows.map(([, first = "", what = "", , test = ""]) => {
    who = first || who;
    return { who, what, test };
  });
}

describe("What is protected against whom", () => {
  it("has a row for each claim", () => {
    expect(claims().length).toBeGreaterThan(10);
  });

  it.each(claims().filter(({ who }) => !LIMITS.includes(who)))(
    "$who: $what names a test that is there and asserts",
    ({ test }) => {
      const path = /^\[[^\]]+\]\(([^)]+\.test\.ts)\)$/.exec(test)?.[1] ?? "no test is named";
      const file = fileURLToPath(new URL(path, README));
      expect({ path, isThere: existsSync(file) }).toEqual({ path, isThere: true });
      expect(readFileSync(file, "utf8")).toContain("expect(");
    },
  );
});
