// Evidence of a report: lines of the log, counted, digested, and the first of them named.
import { createHash, type Hash } from "node:crypto";
import type { AuditEntry } from "@ai-audit/core";

/** The lines or records behind a finding. */
export interface Evidence {
  readonly kind: "entries" | "files" | "records";
  readonly count: number;
  /**
   * SHA-256, 64 hex digits. Of entries: their lines, each with its line feed, in the order of the
   * export. Of files: `<file> <leaves> <root>` for each. Of records: their JSON, a line each.
   */
  readonly sha256: string;
  /** The first ids of entries; names of files or records. */
  readonly examples: readonly string[];
  /** A command that shows the evidence, or more than it. */
  readonly command: string;
}

/** Ids that are named. */
const EXAMPLES = 5;

/** Entries that speak for a finding. Holds their digest, and not the entries. */
export class EvidenceSet {
  readonly #hash: Hash = createHash("sha256");
  readonly #examples: string[] = [];
  #count = 0;
  #first = "";
  #last = "";

  get count(): number {
    return this.#count;
  }

  /** Time of the first entry; empty for none. */
  get first(): string {
    return this.#first;
  }

  /** Time of the last entry; empty for none. */
  get last(): string {
    return this.#last;
  }

  add(entry: AuditEntry, line: string): void {
    this.#hash.update(line).update("\n");
    this.#count += 1;
    if (this.#first === "") this.#first = entry.timestamp;
    this.#last = entry.timestamp;
    if (this.#examples.length < EXAMPLES) this.#examples.push(entry.id);
  }

  evidence(command: string): Evidence {
    return {
      kind: "entries",
      count: this.#count,
      sha256: this.#hash.copy().digest("hex"),
      examples: [...this.#examples],
      command,
    };
  }
}
