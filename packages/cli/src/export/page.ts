// audit.html: selected entries in one file that shows and verifies them.
import { checkProof, proveEntries } from "@ai-audit/core/verify";
import { EXIT, Failure } from "../failure.ts";
import { formatCount } from "../output/format.ts";
import { s3Connection } from "../log/storage.ts";
import { loadViewer } from "../viewer.ts";
import { type BundleOptions, selectedIds, type Unproven } from "./bundle-proofs.ts";

/** Options of a page. */
export interface PageOptions extends Omit<BundleOptions, "out"> {
  readonly now: Date;
  /** The conditions, in the words of the command. */
  readonly selection: string;
}

/** A page, and what it holds. */
export interface WrittenPage {
  /** Undefined where there are more entries than browsers open. */
  readonly html: string | undefined;
  readonly entries: number;
  /** Selected entries that cannot be proven, and are not in the page. */
  readonly unproven: Unproven;
}

/**
 * The page of the selected entries. Each is proven by the last checkpoint of its file, or by its
 * first one where the file was altered behind it.
 */
export async function makePage(options: PageOptions): Promise<WrittenPage> {
  const { log, onProgress, selection, now } = options;
  const { PageCollector, renderPage } = await loadViewer();
  const access = { s3: s3Connection(log.settings) };
  const collector = new PageCollector();
  let [selected, entries] = [0, 0];
  const add = (proof: string | undefined): boolean => {
    if (proof === undefined || checkProof(proof, []).line === undefined || !collector.add(proof))
      return false;
    entries += 1;
    onProgress(entries / selected, entries);
    return true;
  };
  const left: string[] = [];
  const ids = selectedIds(options, () => (selected += 1));
  for await (const found of proveEntries(log.location, ids, { ...access, checkpoint: "last" }))
    if (!add(found.proof)) left.push(found.id);
  const first: string[] = [];
  let count = 0;
  for await (const { id, proof } of proveEntries(log.location, left, access)) {
    if (add(proof)) continue;
    count += 1;
    if (first.length < NAMED) first.push(id);
  }
  const facts = { made: now, selection, unproven: count };
  return {
    html: collector.isFull ? undefined : renderPage(collector.data(facts)),
    entries,
    unproven: { count, first },
  };
}

/** Number of unproven entries that the terminal names. */
const NAMED = 5;

/** @throws {Failure} for more entries than browsers open */
export function requirePage({ html, entries }: WrittenPage): string {
  if (html !== undefined) return html;
  throw new Failure(
    EXIT.data,
    `a page of ${formatCount(entries)} entries is too large for a browser`,
    "select fewer with conditions, or export a bundle",
  );
}
