// A bundle of evidence: entries, proofs, keys, and the means to check them without this program.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { makeNewDirectory, writeNewFile } from "../output/new-files.ts";
import { wholeOrNothing } from "../output/whole-or-nothing.ts";
import { CHECK_SCRIPT } from "./check-script.ts";
import { bundleReadme } from "./bundle-readme.ts";
import { type BundleContent, type BundleOptions, writeProofs } from "./bundle-proofs.ts";
import { makePage, type PageOptions } from "./page.ts";
import { copySegments } from "./bundle-segments.ts";

/** Options of a bundle and of the page in it. */
type WrittenBundleOptions = BundleOptions & PageOptions & { readonly isWhole: boolean };

/**
 * Writes a bundle into a new directory: the whole files of the log, or the selected entries with
 * their proofs. Leaves no directory behind if there is no entry, on failure, or when a signal ends
 * the process.
 *
 * @throws {Failure} when the directory exists or cannot be made
 */
export async function writeBundle(
  directory: string,
  options: WrittenBundleOptions,
): Promise<BundleContent> {
  await makeNewDirectory(directory);
  const content = await wholeOrNothing(directory, () => fill(directory, options));
  if (content.entries === 0) await rm(directory, { recursive: true });
  return content;
}

async function fill(directory: string, options: WrittenBundleOptions): Promise<BundleContent> {
  const { isWhole } = options;
  const content = await (isWhole
    ? copySegments(directory, options)
    : writeProofs(directory, options));
  if (content.entries === 0) return content;
  const { entries, vkeys, unproven, findings, anchors } = content;
  await writeNewFile(join(directory, "keys.txt"), vkeys.map((vkey) => `${vkey}\n`).join(""));
  await writeNewFile(join(directory, "check.py"), CHECK_SCRIPT);
  const { html } = await makePage({ ...options, onProgress: () => undefined });
  if (html !== undefined) await writeNewFile(join(directory, "audit.html"), html);
  const told = {
    hasPage: html !== undefined,
    entries,
    isWhole,
    vkeys,
    unproven: unproven.count,
    hasFindings: findings.length > 0,
    anchors,
  };
  await writeNewFile(join(directory, "README.md"), bundleReadme(told));
  await writeManifest(directory);
  return content;
}

/** Writes `SHA256SUMS` for `sha256sum --check`: every file, by name. Called last. */
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
  await writeNewFile(join(directory, "SHA256SUMS"), lines.join(""));
}
