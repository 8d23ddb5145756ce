// The cases of a corpus: one JSON file a provider, each a list.
import { readdirSync, readFileSync } from "node:fs";

/** All cases in a directory, in the order of its files. A case gets its file's name as `provider`. */
export function readCases<Case extends object>(
  directory: URL,
  isCase: (value: object) => value is Case,
): readonly Case[] {
  const cases: object[] = [];
  for (const file of readdirSync(directory).toSorted()) {
    const list: unknown = JSON.parse(readFileSync(new URL(file, directory), "utf8"));
    if (!Array.isArray(list)) throw new Error(`${file} is not a list`);
    for (const one of list) cases.push({ provider: file.replace(".json", ""), ...one });
  }
  return cases.filter(isCase);
}
