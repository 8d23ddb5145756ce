// Lines over time, as inline SVG. A line is interrupted where a value is unknown.
import { h, type JSX } from "preact";
import { PLOT } from "./time-bars.ts";
import { ticksTo, timeTicks } from "./scale.ts";

/** One line. */
export interface LineSeries {
  readonly name: string;
  /** A class of `charts.css`: `series-1` … `series-5`. */
  readonly tone: string;
  /** One for each step; null where it is unknown. */
  readonly values: readonly (number | null)[];
}

/** A chart of lines. */
export interface TimeLinesProps {
  readonly title: string;
  /** Begin of the first step, in milliseconds since the epoch. */
  readonly from: number;
  readonly stepMs: number;
  readonly series: readonly LineSeries[];
  readonly format: (value: number) => string;
  /** @default 720 */
  readonly width?: number;
  /** @default 160 */
  readonly height?: number;
}

/** The chart. */
export function TimeLines({
  title,
  from,
  stepMs,
  series,
  format,
  width = 720,
  height = 160,
}: TimeLinesProps): JSX.Element {
  const steps = Math.max(1, ...series.map(({ values }) => values.length));
  const ticks = ticksTo(
    Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0))),
  );
  const top = ticks.at(-1) ?? 1;
  const plotWidth = width - PLOT.left - PLOT.right;
  const plotHeight = height - PLOT.top - PLOT.bottom;
  const x = (step: number): number => PLOT.left + ((step + 0.5) * plotWidth) / steps;
  const y = (value: number): number => PLOT.top + plotHeight * (1 - value / top);
  return h(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title },
    ticks.map((tick) =>
      h("g", { key: `y${tick}` }, [
        h("line", {
          class: "grid",
          x1: PLOT.left,
          x2: width - PLOT.right,
          y1: y(tick),
          y2: y(tick),
        }),
        h(
          "text",
          { class: "tick", x: PLOT.left - 6, y: y(tick) + 3.5, "text-anchor": "end" },
          format(tick),
        ),
      ]),
    ),
    timeTicks(from, from + steps * stepMs, Math.max(2, Math.floor(plotWidth / 70))).map(
      ({ at, label }) =>
        h(
          "text",
          {
            key: `x${at}`,
            class: "tick",
            x: PLOT.left + ((at - from) / stepMs / steps) * plotWidth,
            y: height - 5,
            "text-anchor": "middle",
          },
          label,
        ),
    ),
    series.map(({ name, tone, values }) =>
      h(
        "path",
        { key: name, class: `line ${tone}`, d: pathOf(values, x, y) },
        h("title", null, name),
      ),
    ),
    h("line", { class: "axis", x1: PLOT.left, x2: width - PLOT.right, y1: y(0), y2: y(0) }),
  );
}

function pathOf(
  values: readonly (number | null)[],
  x: (step: number) => number,
  y: (value: number) => number,
): string {
  let isDrawing = false;
  return values
    .map((value, step) => {
      if (value === null) {
        isDrawing = false;
        return "";
      }
      const point = `${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
      const isAlone = !isDrawing && (values[step + 1] ?? null) === null;
      const command = isDrawing ? `L${point}` : isAlone ? `M${point}h0.1` : `M${point}`;
      isDrawing = true;
      return command;
    })
    .join("");
}
