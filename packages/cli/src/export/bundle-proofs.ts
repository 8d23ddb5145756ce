// Selected entries and their proofs, for a bundle.
import { type Filter } from "@ai-audit/core/reading";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TimeRange } from "@ai-audit/core";
import { safeLine } from "@ai-audit/core/format";
import { type AnchorToProve, checkProof, proveEntries } from "@ai-audit/core/verify";
import { ANCHORS, AnchorWriter } from "./bundle-anchors.ts";
import type { OpenLog } from "../log/open-log.ts";
import { makeNewDirectory, writeNewFile } from "../output/new-files.ts";
import { withSink } from "../output/output-file.ts";
import type { Output } from "../output/output.ts";
import { s3Connection } from "../log/storage.ts";

/** Options of a bundle. */
export interface BundleOptions {
  readonly log: OpenLog;
  readonly range: TimeRange;
  readonly filter: Filter;
  readonly out: Output;
  /** An anchor log whose proofs go with the entries. */
  readonly anchor?: AnchorToProve;
  /** Called with the share that is done, from 0 to 1, and the number of entries written. */
  readonly onProgress: (share: number, entries: number) => void;
}

/** The content of a bundle. */
export interface BundleContent {
  readonly entries: number;
  /** Public keys that the log names, each once. Their presence there is no reason to trust them. */
  readonly vkeys: readonly string[];
  readonly unproven: Unproven;
  /** Problems of whole files: see `findUnproven()`. */
  readonly findings: readonly string[];
  /** Undefined without an anchor log. */
  readonly anchors?: BundledAnchors;
}

/** The anchors of a bundle. */
export interface BundledAnchors {
  /** The time-stamp tokens: paths in the bundle, without `.note` and `.tsr`. */
  readonly tokens: readonly string[];
  /** Entries that are not anchored. Whole files: not counted, 0. */
  readonly unanchored: number;
}

/**
 * Selected entries that cannot be proven. A bundle of whole files holds them, any other does not.
 */
export interface Unproven {
  readonly count: number;
  /** The first of them, as `ID: REASON`; empty for whole files. */
  readonly first: readonly string[];
}

/** Number of unproven entries that the terminal names. */
const NAMED = 5;

/**
 * Writes `proofs/` and `entries.jsonl`, in the order of the log's files; entries without a proof
 * are named in `unproven.txt`.
 */
export async function writeProofs(
  directory: string,
  options: BundleOptions,
): Promise<BundleContent> {
  const { log, out, onProgress } = options;
  const proofs = join(directory, "proofs");
  await makeNewDirectory(proofs);
  const vkeys = new Set<string>();
  const first: string[] = [];
  let selected = 0;
  let entries = 0;
  let count = 0;
  const ids = selectedIds(options, () => (selected += 1));
  const { anchor } = options;
  const access = { s3: s3Connection(log.settings), ...(anchor && { anchor }) };
  const anchors = new AnchorWriter(directory);
  const unprovenFile = join(directory, "unproven.txt");
  await withSink(join(directory, "entries.jsonl"), out, (lines) =>
    withSink(unprovenFile, out, async (unproven) => {
      for await (const found of proveEntries(log.location, ids, access)) {
        const { id, proof } = found;
        const line = proof === undefined ? undefined : sealedLine(proof);
        if (found.proof === undefined || line === undefined) {
          const text = `${id}: ${found.proof === undefined ? "no checkpoint covers it" : "it does not match its seal"}`;
          if (first.length < NAMED) first.push(safeLine(text));
          await unproven.write(`${safeLine(text)}\n`);
          count += 1;
          continue;
        }
        await writeNewFile(join(proofs, `${id}.tlog-proof`), found.proof);
        await anchors.add(found.proof, found.anchors);
        await lines.write(`${line}\n`);
        if (found.vkey !== null) vkeys.add(found.vkey);
        entries += 1;
        onProgress((entries + count) / selected, entries);
      }
    }),
  );
  if (count === 0) await rm(unprovenFile);
  const tokens = [...anchors.tokens].toSorted().map((name) => `${ANCHORS}/${name}`);
  return {
    entries,
    vkeys: [...vkeys],
    unproven: { count, first },
    findings: [],
    ...(anchor && { anchors: { tokens, unanchored: entries - anchors.entries } }),
  };
}

/** Ids of the entries that meet the conditions, oldest first. */
export async function* selectedIds(
  { log, range, filter }: Pick<BundleOptions, "log" | "range" | "filter">,
  onId: () => void,
): AsyncGenerator<string, void, void> {
  for await (const page of log.storage.pages(range, "oldest-first")) {
    for (const line of page) {
      const id = filter.entryOf(line)?.id;
      if (id === undefined) continue;
      onId();
      yield id;
    }
  }
}

/** The line that a proof proves; undefined if the proof does not lead to the sealed root. */
function sealedLine(proof: string): string | undefined {
  return checkProof(proof, []).line;
}
