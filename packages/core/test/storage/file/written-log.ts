// What the tests of a directory share: calls logged, and a look at the files.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";

export const TODAY = new Date().toISOString().slice(0, 10).replaceAll("-", "");

export const call = { input: "Hello!", output: "Hi." };

export async function linesOf(path: string, file: string): Promise<string[]> {
  const text = await readFile(join(path, file), "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text.slice(0, -1).split("\n");
}

export async function filesOf(path: string): Promise<string[]> {
  return (await readdir(path)).filter((name) => name.endsWith(".jsonl")).toSorted();
}
