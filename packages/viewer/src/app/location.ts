// The address of the page: every view and every search has one.
import { type Signal, signal } from "@preact/signals";

/** An address within the viewer. */
export interface Place {
  /** `search`, `entry` …; empty for the overview. */
  readonly view: string;
  readonly id: string;
  readonly search: URLSearchParams;
}

/** The current address. */
export const place: Signal<Place> = signal(read());

function read(): Place {
  const [, view = "", ...rest] = location.pathname.split("/");
  return {
    view,
    id: decodeURIComponent(rest.join("/")),
    search: new URLSearchParams(location.search),
  };
}

/** Goes to an address, without a request for the page. */
export function go(href: string, isReplacing = false): void {
  history[isReplacing ? "replaceState" : "pushState"](null, "", href);
  place.value = read();
  if (!isReplacing) scrollTo(0, 0);
}

/** Follows links within the viewer, and the browser's own way back. */
export function followLinks(): void {
  addEventListener("popstate", () => (place.value = read()));
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target !== "" || link.origin !== location.origin) return;
    if (link.pathname.startsWith("/api/")) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
