// Collects the entries of a page from their proofs.
import { parseTlogProof } from "@ai-audit/core/verify";
import { VERSION } from "../version.ts";
import { PAGE_FORMAT, type PageData, type PageEntry } from "./data.ts";

/** A page holds no more entries: browsers would not open it. */
export const MAX_PAGE_ENTRIES = 200_000;
/** Nor more bytes of lines. */
const MAX_PAGE_BYTES = 160 * 2 ** 20;

/** Facts about the selection, for the head of the page. */
export interface PageFacts {
  readonly made: Date;
  /** The conditions, in the words of the command. */
  readonly selection: string;
  /** Selected entries that have no proof. */
  readonly unproven: number;
}

/** Takes proofs, and makes the data of a page. Nodes and checkpoints are in it once. */
export class PageCollector {
  readonly #checkpoints = new Places();
  readonly #nodes = new Places();
  readonly #entries: PageEntry[] = [];
  #bytes = 0;

  /** Whether the entries would make a page that browsers do not open. */
  get isFull(): boolean {
    return this.#entries.length > MAX_PAGE_ENTRIES || this.#bytes > MAX_PAGE_BYTES;
  }

  /**
   * Adds an entry by its tlog-proof. Returns false for a line that is not UTF-8, which a page
   * cannot hold, and for what is no proof of an entry.
   */
  add(proof: string): boolean {
    const parsed = parseTlogProof(proof);
    const line = parsed?.extra?.toString();
    if (line === undefined || parsed?.extra?.equals(Buffer.from(line)) !== true) return false;
    this.#bytes += parsed.extra.length;
    if (this.isFull) return true; // counted, and not kept
    this.#entries.push({
      line,
      index: parsed.index,
      checkpoint: this.#checkpoints.placeOf(parsed.note),
      path: parsed.path.map((hash) => this.#nodes.placeOf(hash.toString("base64"))),
    });
    return true;
  }

  /** The data, with the entries in the order of their ids. */
  data({ made, selection, unproven }: PageFacts): PageData {
    return {
      format: PAGE_FORMAT,
      version: VERSION,
      made: made.toISOString(),
      selection,
      unproven,
      checkpoints: this.#checkpoints.all,
      nodes: this.#nodes.all,
      entries: this.#entries.toSorted((a, b) => (a.line < b.line ? -1 : 1)),
    };
  }
}

/** Texts, each once, by their place. */
class Places {
  readonly #places = new Map<string, number>();

  get all(): string[] {
    return [...this.#places.keys()];
  }

  placeOf(text: string): number {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    this.#places.set(text, this.#places.size);
    return this.#places.size - 1;
  }
}
