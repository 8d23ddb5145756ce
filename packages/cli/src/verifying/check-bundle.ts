// Checks a bundle of `ai-audit export --format bundle` without running the script inside it.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type AnchorPart,
  checkProof,
  directorySource,
  type ExitCode,
  formatAnchoredProof,
  type LogSource,
  parseTlogProof,
  readAnchors,
  verifySources,
} from "@ai-audit/core/verify";
import { ANCHOR_LOG, ANCHORS, hasAnchors, stateFileOf } from "../export/bundle-anchors.ts";
import { anchorsAt, type PartyFlags, partiesOf } from "./anchors.ts";
import { readBundleBytes, readBundleFile, readBundleLines } from "./read-evidence.ts";
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
  parties: PartyFlags = { anchorKey: [], witness: [] },
): AsyncGenerator<BundleVerdict, void, void> {
  for (const name of await missingFiles(directory))
    yield { exitCode: 1, verdict: `MISSING: ${name} is not in the bundle` };
  const segments = join(directory, "segments");
  if (existsSync(segments)) {
    const sources = await bundleSources(segments);
    const anchor = join(directory, ANCHOR_LOG);
    const isAnchored = parties.anchorKey.length > 0;
    const anchors = isAnchored ? await readAnchors(anchorsAt([anchor], parties)) : [];
    yield verifySources(async () => sources, {
      trustedKeys: trust.keys,
      anchors,
      ...(trust.by !== undefined && { trustedBy: trust.by }),
    });
  }
  const entries = join(directory, "entries.jsonl");
  if (existsSync(entries)) yield* checkEntries(directory, entries, trust, parties);
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
  parties: PartyFlags,
): AsyncGenerator<BundleVerdict, void, void> {
  const options = { ...partiesOf(parties), ...(by !== undefined && { trustedBy: by }) };
  const anchors = await BundleAnchors.read(directory);
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
    const text = await readBundleFile(proof);
    const result = checkProof(
      formatAnchoredProof(text, await anchors.partsOf(text)),
      keys,
      options,
    );
    yield result.line === line || result.line === undefined
      ? result
      : { exitCode: 1, verdict: `TAMPERED: the proof of ${id} is of another line` };
  }
}

/** The anchors of selected entries. */
class BundleAnchors {
  readonly #folder: string;
  /** Tokens by the checkpoint that each is over. */
  readonly #tokens: ReadonlyMap<string, Buffer>;

  private constructor(folder: string, tokens: ReadonlyMap<string, Buffer>) {
    this.#folder = folder;
    this.#tokens = tokens;
  }

  static async read(directory: string): Promise<BundleAnchors> {
    const folder = join(directory, ANCHORS);
    const tokens = new Map<string, Buffer>();
    const names = hasAnchors(directory) ? await readdir(folder) : [];
    for (const name of names.filter((one) => one.endsWith(".tsr"))) {
      const note = join(folder, name.replace(/\.tsr$/, ".note"));
      if (existsSync(note))
        tokens.set(await readBundleFile(note), await readBundleBytes(join(folder, name)));
    }
    return new BundleAnchors(folder, tokens);
  }

  /** The parts behind an entry's proof; empty where its state is not anchored. */
  async partsOf(proof: string): Promise<AnchorPart[]> {
    const path = join(this.#folder, stateFileOf(proof));
    if (!existsSync(path)) return [];
    const texts = (await readBundleFile(path)).split(/^(?=c2sp\.org\/tlog-proof@v1$)/m);
    return texts.map((text) => {
      const note = parseTlogProof(text)?.note ?? "";
      const bytes = this.#tokens.get(note);
      return { proof: text, ...(bytes && { token: { name: "", note, bytes } }) };
    });
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
