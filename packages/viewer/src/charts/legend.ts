// The names and colours of a chart's series.
import { h, type JSX } from "preact";

/** A list of names, each behind its colour. */
export function Legend({
  series,
}: {
  readonly series: readonly { readonly name: string; readonly tone: string }[];
}): JSX.Element {
  return h(
    "ul",
    { class: "legend" },
    series.map(({ name, tone }) =>
      h("li", { key: name }, [h("i", { class: `swatch ${tone}` }), name]),
    ),
  );
}
