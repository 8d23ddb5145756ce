// The files of a sample log.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { SampleLog } from "./sample-log.ts";

/** Path of the sample's first segment. */
export async function firstFile(sample: SampleLog): Promise<string> {
  return join(sample.directory, await firstFileName(sample));
}

/** Its name. */
export async function firstFileName({ directory }: SampleLog): Promise<string> {
  const [name = ""] = (await readdir(directory))
    .filter((file) => file.endsWith(".jsonl"))
    .toSorted();
  return name;
}
