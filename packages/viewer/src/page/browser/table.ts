// A list of any number of rows, of which only the visible ones are in the document.
import type { Row } from "./entries.ts";
import type { EntryState } from "./verifier.ts";

/** Height of a row in CSS pixels: the style sheet has the same. */
const ROW_PX = 30;
/** Rows made above and below the visible ones. */
const MARGIN_ROWS = 20;
/** Browsers draw no taller element correctly. */
const MAX_HEIGHT_PX = 8_000_000;
/** Rows that a print has. */
const PRINTED_ROWS = 5000;

export class VirtualTable {
  readonly #list: HTMLElement;
  readonly #body: HTMLElement;
  readonly #onSelect: (row: Row) => void;
  #rows: readonly Row[] = [];
  #stateOf: (row: Row) => EntryState = () => "unknown-key";
  #selected = -1;

  constructor(list: HTMLElement, onSelect: (row: Row) => void) {
    this.#list = list;
    this.#onSelect = onSelect;
    this.#body = document.createElement("div");
    this.#body.className = "rows";
    list.append(this.#body);
    list.addEventListener("scroll", () => {
      this.showVisible();
    });
    addEventListener("resize", () => {
      this.showVisible();
    });
    list.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      this.#select(Math.min(this.#rows.length - 1, Math.max(0, this.#selected + step)));
    });
  }

  /** Shows other rows, from the top. */
  show(rows: readonly Row[], stateOf: (row: Row) => EntryState): void {
    this.#rows = rows;
    this.#stateOf = stateOf;
    this.#selected = -1;
    this.#body.style.height = `${this.#height()}px`;
    this.#list.scrollTop = 0;
    this.showVisible();
  }

  /** Makes the visible rows. */
  showVisible(): void {
    const share = this.#list.scrollTop / Math.max(1, this.#height() - this.#list.clientHeight);
    const visible = Math.ceil(this.#list.clientHeight / ROW_PX);
    const top = Math.round(share * Math.max(0, this.#rows.length - visible));
    const from = Math.max(0, top - MARGIN_ROWS);
    // The row at the top stands where the list is scrolled to, also where heights are scaled.
    const offset = this.#list.scrollTop - (top - from) * ROW_PX;
    this.#fill(from, top + visible + MARGIN_ROWS, Math.max(0, offset));
  }

  /** Makes the first rows, for a print. */
  showAll(): void {
    this.#fill(0, PRINTED_ROWS, 0);
  }

  #height(): number {
    return Math.min(MAX_HEIGHT_PX, this.#rows.length * ROW_PX);
  }

  #fill(from: number, to: number, offset: number): void {
    const made = this.#rows
      .slice(from, to)
      .map((row, place) => this.#rowElement(row, from + place));
    if (made[0] !== undefined) made[0].style.marginTop = `${offset}px`;
    this.#body.replaceChildren(...made);
  }

  #rowElement(row: Row, place: number): HTMLElement {
    const element = document.createElement("button");
    element.type = "button";
    element.className = `row ${this.#stateOf(row)}`;
    if (place === this.#selected) element.setAttribute("aria-current", "true");
    const state = this.#stateOf(row);
    const cells = [STATES[state], row.time, row.operation, row.target, row.actor, row.outcome];
    for (const text of cells) {
      const cell = document.createElement("span");
      cell.textContent = text;
      element.append(cell);
    }
    if (row.outcome !== "ok" && row.outcome !== "") element.classList.add("notable");
    element.addEventListener("click", () => {
      this.#select(place);
    });
    return element;
  }

  #select(place: number): void {
    const row = this.#rows[place];
    if (row === undefined) return;
    this.#selected = place;
    if (this.#rows.length * ROW_PX < MAX_HEIGHT_PX) {
      const top = place * ROW_PX;
      const { scrollTop, clientHeight } = this.#list;
      if (top < scrollTop || top + ROW_PX > scrollTop + clientHeight)
        this.#list.scrollTop = top - clientHeight / 2;
    }
    this.showVisible();
    this.#onSelect(row);
  }
}

const STATES: Readonly<Record<EntryState, string>> = {
  proven: "✓ proven",
  altered: "✗ ALTERED",
  "unknown-key": "– no key",
  unsigned: "– unsigned",
};
