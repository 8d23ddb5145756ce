// A bundle of evidence: what was logged, proofs, keys, and how to check all of it without this program.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { lineToEntry, proveEntry, type TimeRange } from "@ai-audit/core";
import { EXIT, Failure, systemFailure } from "../failure.ts";
import type { Filter } from "../filters.ts";
import type { OpenLog } from "../log.ts";
import { isBucket } from "../location.ts";
import { listLogFiles } from "../log-files.ts";
import { CHECK_SCRIPT } from "./check-script.ts";
import { bundleReadme } from "./bundle-readme.ts";

export interface BundleOptions {
  readonly log: OpenLog;
  readonly range: TimeRange;
  readonly filter: Filter;
  /** Whole files instead of entries with their proofs. */
  readonly isWhole: boolean;
  readonly onPage: (read: number, found: number) => void;
}

/** Writes a bundle into a new directory. Resolves to the number of entries it is about. */
export async function writeBundle(directory: string, options: BundleOptions): Promise<number> {
  const { location } = options.log;
  if (isBucket(location))
    throw new Failure(EXIT.usage, `a bundle is made from a directory, not from a bucket: ${location}`);
  await mkdir(directory, { mode: 0o700 }).catch((cause: unknown) => {
    const failure = systemFailure(cause);
    throw new Failure(EXIT.cannotCreate, failure?.message ?? `cannot be made: ${directory}`, failure?.hint, { cause });
  });
  const { log, isWhole } = options;
  const entries = await (isWhole ? copySegments(directory, options) : writeProofs(directory, options));
  const vkeys = [...new Set((await listLogFiles(log.location)).flatMap(({ vkey }) => vkey ?? []))];
  await writeFile(join(directory, "keys.txt"), vkeys.map((vkey) => `${vkey}\n`).join(""));
  await writeFile(join(directory, "check.py"), CHECK_SCRIPT);
  await writeFile(join(directory, "README.md"), bundleReadme({ entries, isWhole, vkeys }));
  await writeManifest(directory);
  return entries;
}

async function copySegments(directory: string, { log, onPage }: BundleOptions): Promise<number> {
  const target = join(directory, "segments");
  await mkdir(target);
  let copied = 0;
  for (const { file } of await listLogFiles(log.location)) {
    await pipeline(createReadStream(join(log.location, file)), createWriteStream(join(target, file), { flags: "wx" }));
    copied += 1;
    onPage(copied, copied);
  }
  return log.storage.count({});
}

async function writeProofs(directory: string, { log, range, filter, onPage }: BundleOptions): Promise<number> {
  const target = join(directory, "proofs");
  await mkdir(target);
  const entries = createWriteStream(join(directory, "entries.jsonl"), { flags: "wx" });
  let found = 0;
  let read = 0;
  for await (const page of log.storage.pages(range, "oldest-first")) {
    for (const line of page) {
      read += 1;
      const id = filter.entryOf(line) === undefined ? undefined : lineToEntry(line)?.id;
      const proof = id === undefined ? undefined : await proveEntry(log.location, id);
      if (id === undefined || proof === undefined) continue; // a foreign entry has no proof
      found += 1;
      entries.write(`${line}\n`);
      await writeFile(join(target, `${id}.tlog-proof`), proof, { flag: "wx" });
      onPage(read, found);
    }
  }
  await new Promise<void>((resolve, reject) => {
    entries.on("error", reject).end(resolve);
  });
  return found;
}

/** `SHA256SUMS`, as `sha256sum --check` reads it: of every file, oldest names first. */
async function writeManifest(directory: string): Promise<void> {
  const paths = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((item) => item.isFile())
    .map((item) => relative(directory, join(item.parentPath, item.name)))
    .toSorted();
  const lines: string[] = [];
  for (const path of paths) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(directory, path)), hash);
    lines.push(`${hash.digest("hex")}  ${path}\n`);
  }
  await writeFile(join(directory, "SHA256SUMS"), lines.join(""), { flag: "wx" });
  if (lines.length === 0) throw new Failure(EXIT.internal, `nothing was written to ${basename(directory)}`);
}
