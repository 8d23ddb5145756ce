// The anchors of a bundle: proofs of the states that its entries lead to, and time-stamp tokens, or
// for whole files a copy of the anchor log.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { anchorStoreAt } from "@ai-audit/core/anchor";
import type { AnchorPart, AnchorToProve, TokenFile } from "@ai-audit/core/verify";
import { parseTlogProof } from "@ai-audit/core/verify";
import { s3Connection } from "../log/storage.ts";
import { makeNewDirectory, writeNewFile } from "../output/new-files.ts";
import type { Settings } from "../settings/settings.ts";

/** The folder of states' proofs, in a bundle of selected entries. */
export const ANCHORS = "anchors";
/** The folder of the anchor log, in a bundle of whole files. */
export const ANCHOR_LOG = "anchor";

/** Writes the proofs of states, each once. */
export class AnchorWriter {
  readonly #folder: string;
  readonly #written = new Set<string>();
  /** Names of tokens, without `.note` and `.tsr`. */
  readonly tokens: Set<string> = new Set();
  entries = 0;

  constructor(directory: string) {
    this.#folder = join(directory, ANCHORS);
  }

  /** The parts of the state that an entry's proof leads to. */
  async add(proof: string, parts: readonly AnchorPart[]): Promise<void> {
    if (parts.length === 0) return;
    this.entries += 1;
    const name = stateFileOf(proof);
    if (this.#written.has(name)) return;
    if (this.#written.size === 0) await makeNewDirectory(this.#folder);
    this.#written.add(name);
    const text = parts.map((part) => part.proof).join("");
    await writeNewFile(join(this.#folder, name), text);
    for (const { token } of parts) if (token !== undefined) await this.#addToken(token);
  }

  async #addToken({ name, note, bytes }: TokenFile): Promise<void> {
    if (this.tokens.has(name)) return;
    this.tokens.add(name);
    await writeNewFile(join(this.#folder, `${name}.note`), note);
    await writeNewFile(join(this.#folder, `${name}.tsr`), bytes);
  }
}

/** The name of a state's file: the leaf hash (RFC 6962) of its checkpoint's text, in hex. */
export function stateFileOf(proof: string): string {
  const note = parseTlogProof(proof)?.note ?? "";
  const text = note.slice(0, note.lastIndexOf("\n\n") + 1);
  const hash = createHash("sha256").update(Buffer.of(0)).update(text);
  return `${hash.digest("hex")}.tlog-proofs`;
}

/** Copies an anchor log as it is. Resolves to the names of its tokens. */
export async function copyAnchorLog(
  directory: string,
  { location }: AnchorToProve,
  settings: Settings,
): Promise<string[]> {
  const store = await anchorStoreAt(location, { s3: s3Connection(settings) });
  const folder = join(directory, ANCHOR_LOG);
  await makeNewDirectory(folder);
  const names = (await store.list()).filter((name) =>
    /^(leaf|leaves|tsa|witness)_[\w.-]+$/.test(name),
  );
  for (const name of names) {
    const bytes = await store.read(name);
    if (bytes !== undefined) await writeNewFile(join(folder, name), bytes);
  }
  return names.filter((name) => name.endsWith(".tsr")).map((name) => name.slice(0, -4));
}

/** Whether a bundle has anchors of selected entries. */
export function hasAnchors(directory: string): boolean {
  return existsSync(join(directory, ANCHORS));
}
