import { describe, expect, test } from "vitest";
import { safeLine, safeText } from "../../src/format/safe-text.ts";

describe("Text on a terminal", () => {
  test.for([
    ["\u001B[31mred\u001B[0m", String.raw`\u001b[31mred\u001b[0m`],
    ["\u009B2J", String.raw`\u009b2J`],
    ["a\r\nb\tc", String.raw`a\r\nb\tc`],
    ["\u202Egnp.exe", String.raw`\u202egnp.exe`],
    ["\u2066x\u2069", String.raw`\u2066x\u2069`],
    ["a\u2028b", String.raw`a\u2028b`],
    ["\uD800", String.raw`\ud800`],
    ["\u007F", String.raw`\u007f`],
    ["naïve – 王さん 👩‍💻", "naïve – 王さん 👩‍💻"],
  ] as const)("%j becomes %j in a line", ([text, safe]) => {
    expect(safeLine(text)).toBe(safe);
  });

  test("keeps its lines and tabs, and nothing else that moves the cursor", () => {
    expect(safeText("a\tb\r\nc\rd\u001B[A")).toBe(String.raw`a	b
c\rd\u001b[A`);
  });
});
