// Keys of the current page, and those of all pages.
import { type Signal, signal } from "@preact/signals";

/** What a key does on the current page. */
export const keys: Signal<Readonly<Record<string, () => void>>> = signal({});

/** Listens. Keys in a field are text, except Escape, which leaves it. */
export function listenToKeys(all: Readonly<Record<string, () => void>>): void {
  addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const { target } = event;
    if (target instanceof HTMLElement && target.matches("input, textarea, select")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (
      event.key === "Enter" &&
      target instanceof HTMLElement &&
      target.matches("a, button, summary")
    )
      return;
    const act = keys.value[event.key] ?? all[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}
