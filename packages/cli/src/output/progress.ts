// Progress of a long task: on a terminal, once the task has taken a second.
import type { OnProgress } from "@ai-audit/core";
import type { Session } from "../session.ts";
import type { Output } from "./output.ts";

const QUIET_MS = 1000;
const REDRAW_MS = 100;
const BAR_CELLS = 24;

/** A bar on the terminal. `clear()` before anything else is written there. */
export class Progress {
  readonly #log: Output;
  readonly #label: string;
  readonly #detail: () => string;
  readonly #isShown: boolean;
  readonly #startedAt = performance.now();
  #drawnAt = 0;

  /** @param detail text behind the bar; called when it is drawn */
  constructor({ log, showsProgress }: Session, label: string, detail: () => string = () => "") {
    this.#log = log;
    this.#isShown = showsProgress;
    this.#label = label;
    this.#detail = detail;
  }

  /** Draws the bar; undefined without a terminal, which saves the measurement. */
  get onProgress(): OnProgress | undefined {
    return this.#isShown ? (share) => this.update(share) : undefined;
  }

  /** @param share the part that is done, from 0 to 1 */
  update(share: number): void {
    const now = performance.now();
    if (!this.#isShown || now - this.#startedAt < QUIET_MS || now - this.#drawnAt < REDRAW_MS)
      return;
    this.#drawnAt = now;
    const filled = Math.floor(share * BAR_CELLS);
    const bar = "█".repeat(filled) + "░".repeat(BAR_CELLS - filled);
    const text = `${this.#label} ${bar} ${Math.floor(share * 100)} % ${this.#detail()}`;
    this.#log.overwrite(text.trimEnd().slice(0, this.#log.columns - 1));
  }

  clear(): void {
    this.#log.overwrite("");
  }
}
