// How far a long task has come: on a terminal, and only once it has taken a second.
import type { Output } from "./output.ts";

const QUIET_MS = 1000;
const REDRAW_MS = 100;
const BAR_CELLS = 24;

/** A bar on the terminal. `clear()` before anything else is written there. */
export class Progress {
  readonly #log: Output;
  readonly #label: string;
  readonly #startedAt = performance.now();
  #drawnAt = 0;

  constructor(log: Output, label: string) {
    this.#log = log;
    this.#label = label;
  }

  /** @param total 0 when it is unknown: then the count is shown */
  update(done: number, total: number, detail = ""): void {
    const now = performance.now();
    if (!this.#log.isTerminal || now - this.#startedAt < QUIET_MS || now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const filled = Math.round(share * BAR_CELLS);
    const bar = "█".repeat(filled) + "░".repeat(BAR_CELLS - filled);
    const state = total > 0 ? `${bar} ${Math.floor(share * 100)} %` : `${done}`;
    this.#log.overwrite(`${this.#label} ${state} ${detail}`.trimEnd().slice(0, this.#log.columns - 1));
  }

  clear(): void {
    if (this.#drawnAt > 0) this.#log.overwrite("");
    this.#drawnAt = 0;
  }
}
