// The runs that the log names: each ancestor of an entry gets a `run.started` line once.
import type { RunScope } from "../capture/run-scope.ts";
import { isJsonObject, type JsonValue } from "../format/canonical.ts";
import { formatControlLine } from "../format/control-line.ts";
import type { AuditStorage } from "../storage/storage.ts";

/** The runs on record of one logger. */
export class RunRecord {
  readonly #storage: AuditStorage;
  /** Weak: a run that is over is forgotten. */
  readonly #recorded = new WeakSet<RunScope>();

  constructor(storage: AuditStorage) {
    this.#storage = storage;
  }

  /**
   * Appends a line for each run around an entry that is not on record, the outermost first. They
   * are in the entry's commit, or before it. An entry of the run itself needs no line of that run.
   */
  announce(within: RunScope, run: JsonValue | undefined): void {
    const missing: RunScope[] = [];
    let scope: RunScope | undefined = within;
    if (isJsonObject(run) && run["id"] === within.id) {
      this.#recorded.add(within);
      scope = within.parent;
    }
    for (; scope && !this.#recorded.has(scope); scope = scope.parent) missing.unshift(scope);
    for (const one of missing) this.#record(one);
  }

  #record(scope: RunScope): void {
    const { id, parent, parentId, rootId, name = null, kind = null, startedAt } = scope;
    this.#recorded.add(scope);
    const line = formatControlLine({
      type: "run.started",
      run: id,
      parent: parentId ?? parent?.id ?? null,
      root: rootId,
      name,
      kind,
      at: startedAt,
    });
    // The entry that follows reports the failure. The next one tries again.
    this.#storage.append(line).catch(() => this.#recorded.delete(scope));
  }
}
