// Checks a bundle of `ai-audit export --format bundle` without running the script inside it.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  checkProof,
  directorySource,
  type ExitCode,
  type LogSource,
  verifySources,
} from "@ai-audit/core/verify";
import { readBundleFile, readBundleLines } from "./read-evidence.ts";
import { loadViewer } from "../viewer.ts";
import type { Trust } from "./trust.ts";

/** One finding about a bundle, or the verdict on its files. */
export interface BundleVerdict {
  readonly exitCode: ExitCode;
  readonly verdict: string;
}

/**
 * Checks every file and entry of a bundle. Yields a verdict for each; none for an empty bundle,
 * which proves nothing.
 */
export async function* checkBundle(
  directory: string,
  trust: Trust,
): AsyncGenerator<BundleVerdict, void, void> {
  for (const name of await missingFiles(directory))
    yield { exitCode: 1, verdict: `MISSING: ${name} is not in the bundle` };
  const segments = join(directory, "segments");
  if (existsSync(segments)) {
    const sources = await bundleSources(segments);
    yield verifySources(async () => sources, {
      trustedKeys: trust.keys,
      ...(trust.by !== undefined && { trustedBy: trust.by }),
    });
  }
  const entries = join(directory, "entries.jsonl");
  if (existsSync(entries)) yield* checkEntries(directory, entries, trust);
  const page = join(directory, "audit.html");
  if (existsSync(page)) yield* checkPageIn(page, trust);
}

/** Alterations of the page alone: its entries have their verdicts already. */
async function* checkPageIn(
  path: string,
  { keys }: Trust,
): AsyncGenerator<BundleVerdict, void, void> {
  const { checkPage } = await loadViewer();
  for (const { exitCode, verdict } of checkPage(await readBundleFile(path), keys))
    if (exitCode === 1) yield { exitCode, verdict: verdict.replace(":", ": audit.html:") };
}

async function* checkEntries(
  directory: string,
  path: string,
  { keys, by }: Trust,
): AsyncGenerator<BundleVerdict, void, void> {
  for await (const line of readBundleLines(path)) {
    const id = /^\{"id":"([0-9a-f-]{36})"/.exec(line)?.[1] ?? "";
    const proof = join(directory, "proofs", `${id}.tlog-proof`);
    if (id === "" || !existsSync(proof)) {
      yield {
        exitCode: 1,
        verdict: `MISSING: the proof of ${id || "a line"} is not in the bundle`,
      };
      continue;
    }
    const options = by === undefined ? {} : { trustedBy: by };
    const result = checkProof(await readBundleFile(proof), keys, options);
    yield result.line === line || result.line === undefined
      ? result
      : { exitCode: 1, verdict: `TAMPERED: the proof of ${id} is of another line` };
  }
}

/** Files that the manifest names and that are missing. */
async function missingFiles(directory: string): Promise<string[]> {
  const manifest = await readBundleFile(join(directory, "SHA256SUMS"));
  return manifest
    .split("\n")
    .flatMap((line) => /^[0-9a-f]{64} {2}(.+)$/.exec(line)?.[1] ?? [])
    .filter((name) => !existsSync(join(directory, name)));
}

/** The log of the bundle, and one for each folder: a directory that was shipped to the bucket. */
async function bundleSources(segments: string): Promise<LogSource[]> {
  const items = await readdir(segments, { withFileTypes: true });
  const folders = items.filter((item) => item.isDirectory()).map(({ name }) => name);
  if (folders.length === 0) return [directorySource(segments)];
  return [
    inBucket(directorySource(segments), "", segments),
    ...folders.map((folder) => inBucket(directorySource(join(segments, folder)), folder, segments)),
  ];
}

/** A folder of a bundle in the place that it had in the bucket. */
function inBucket(source: LogSource, folder: string, segments: string): LogSource {
  const isArchive = folder !== "";
  return {
    ...source,
    place: {
      name: decodeURIComponent(folder),
      isArchive,
      labelOf: (file) => (isArchive ? `${folder}/${file}` : file),
      placeOf: () => undefined,
      problemsOf: () => [],
      isAwaited: () => isArchive, // segments that were not shipped yet are not in the bundle
      isOfPin: ({ origin }) =>
        existsSync(join(segments, folder, `${origin.slice(origin.lastIndexOf("/") + 1)}.jsonl`)),
    },
  };
}
