// Whole files of a log, for a bundle: copied from a directory, or put together from a bucket's
// objects.
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { type LogSource, logSourcesAt, type SourceFile } from "@ai-audit/core/verify";
import { parseFirstLine } from "../log/log-files.ts";
import { s3Connection } from "../log/storage.ts";
import { makeNewDirectory } from "../output/new-files.ts";
import { findUnproven, writeFindings } from "./bundle-findings.ts";
import { ANCHOR_LOG, copyAnchorLog } from "./bundle-anchors.ts";
import type { BundleContent, BundleOptions } from "./bundle-proofs.ts";
import { LF } from "@ai-audit/core/format";

interface Copy {
  readonly source: LogSource;
  readonly file: SourceFile;
  /** Folder that it goes to. */
  readonly folder: string;
}

/**
 * Copies the files to `segments/`, with a folder for each directory that was shipped to a bucket.
 * Then verifies them and writes the problems to `findings.txt`.
 */
export async function copySegments(
  directory: string,
  options: BundleOptions,
): Promise<BundleContent> {
  const { log, onProgress } = options;
  const { anchor } = options;
  // Before the files: what is anchored by now is in them.
  const tokens = anchor && (await copyAnchorLog(directory, anchor, log.settings));
  const target = join(directory, "segments");
  await makeNewDirectory(target);
  const copies: Copy[] = [];
  for (const source of await logSourcesAt(log.location, { s3: s3Connection(log.settings) })) {
    const files = (await source.files()).filter(({ oddity }) => oddity?.isReadable !== false);
    const folder = join(target, folderName(source.place?.name ?? ""));
    if (files.length > 0) await mkdir(folder, { recursive: true, mode: 0o700 });
    copies.push(...files.toSorted(byName).map((file) => ({ source, file, folder })));
  }
  const totalBytes = copies.reduce((sum, { file }) => sum + file.bytes, 0);
  const vkeys = new Set<string>();
  const counter = new EntryCounter();
  let copied = 0;
  for (const copy of copies) {
    const vkey = await copyFile(copy, (chunk) => {
      counter.push(chunk);
      copied += chunk.length;
      onProgress(Math.min(1, copied / totalBytes) / 2, counter.entries);
    });
    counter.endFile();
    if (vkey !== undefined) vkeys.add(vkey);
  }
  const { entries } = counter;
  const verifying = (share: number): void => onProgress(0.5 + share / 2, entries);
  const files = { segments: target, vkeys: [...vkeys] };
  const { proven, findings } = await findUnproven(files, { ...options, onProgress: verifying });
  await writeFindings(directory, findings);
  // Of a log that grows meanwhile, more may be proven than was copied.
  return {
    entries,
    vkeys: files.vkeys,
    unproven: { count: Math.max(0, entries - proven), first: [] },
    findings,
    ...(tokens && {
      anchors: { tokens: tokens.map((name) => `${ANCHOR_LOG}/${name}`), unanchored: 0 },
    }),
  };
}

/** Resolves to the key that the file names. */
async function copyFile(
  { source, file: { file }, folder }: Copy,
  onChunk: (chunk: Buffer) => void,
): Promise<string | undefined> {
  const handle = await open(join(folder, file), "wx", 0o600);
  let vkey: string | undefined;
  let isFirst = true;
  try {
    for await (const chunk of source.read(file)) {
      if (isFirst) vkey = parseFirstLine(chunk.toString("utf8")).vkey;
      isFirst = false;
      await handle.writeFile(chunk); // appends the whole chunk, in several writes if needed
      onChunk(chunk);
    }
  } finally {
    await handle.close();
  }
  return vkey;
}

/** The first bytes of a control line; every other line is an entry. */
const CONTROL_START = '{"type":';

/** Counts the entries in the bytes that are copied; it trusts no number in the log. */
class EntryCounter {
  entries = 0;
  /** The first bytes of the current line: they show its kind. */
  #start = "";

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const lineFeed = chunk.indexOf(LF, at);
      const end = lineFeed === -1 ? chunk.length : lineFeed;
      const missing = CONTROL_START.length - this.#start.length;
      if (missing > 0) this.#start += chunk.toString("latin1", at, Math.min(end, at + missing));
      if (lineFeed === -1) return;
      if (this.#start !== "" && this.#start !== CONTROL_START) this.entries += 1;
      this.#start = "";
      at = end + 1;
    }
  }

  /** Bytes without a line feed are not a line yet. */
  endFile(): void {
    this.#start = "";
  }
}

/**
 * The name comes from an object's metadata, which an attacker may have written: it must not lead
 * out of the bundle.
 */
function folderName(name: string): string {
  return encodeURIComponent(name).replaceAll(".", "%2E");
}

function byName(a: SourceFile, b: SourceFile): number {
  return a.file < b.file ? -1 : 1;
}
