import { describe, expect, it } from "vitest";
import { cellsOf, cutTo, padTo } from "../../src/output/width.ts";

describe("The width of a text", () => {
  it.for([
    ["plain", 5],
    ["\u001B[31mred\u001B[39m", 3],
    ["王さん", 6],
    ["e\u0301", 1],
    ["👩‍💻", 2],
    ["", 0],
  ] as const)("of %j is %i cells", ([text, cells]) => {
    expect(cellsOf(text)).toBe(cells);
  });

  it("is kept by cutting between characters, never within one", () => {
    expect(cutTo("abcdef", 4)).toBe("abc…");
    expect(cutTo("王さん", 4)).toBe("王…");
    expect(cutTo("abcd", 4)).toBe("abcd");
  });

  it("is filled on either side", () => {
    expect(padTo("王", 4)).toBe("王  ");
    expect(padTo("7", 3, "right")).toBe("  7");
    expect(padTo("long", 2)).toBe("long");
  });
});
