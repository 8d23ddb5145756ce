// Stacked bars over time, as inline SVG. Written with `h`, so that Node renders it from its source.
import { h, type JSX } from "preact";
import { formatShort, formatTime } from "../data/format.ts";
import { ticksTo, timeTicks } from "./scale.ts";

/** One quantity in every bar. */
export interface BarSeries {
  readonly name: string;
  /** A class of `charts.css`: `series-1` … `series-5`. */
  readonly tone: string;
  /** One for each bar. */
  readonly values: readonly number[];
}

/** A chart of bars. */
export interface TimeBarsProps {
  readonly title: string;
  /** Begin of the first bar, in milliseconds since the epoch. */
  readonly from: number;
  /** Width of a bar in milliseconds. */
  readonly stepMs: number;
  /** The lowest in the stack first. */
  readonly series: readonly BarSeries[];
  /** @default 720 */
  readonly width?: number;
  /** @default 160 */
  readonly height?: number;
  /** The brushed range: first and last bar. */
  readonly selected?: readonly [number, number] | undefined;
  /** Bars that are marked as silent: without entries between busy ones. */
  readonly silent?: ReadonlySet<number> | undefined;
}

/** Space around the plot, in units of the drawing. */
export const PLOT: {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
} = {
  left: 44,
  right: 8,
  top: 8,
  bottom: 20,
};

/** The chart. */
export function TimeBars({
  title,
  from,
  stepMs,
  series,
  width = 720,
  height = 160,
  selected,
  silent,
}: TimeBarsProps): JSX.Element {
  const bars = Math.max(1, ...series.map(({ values }) => values.length));
  const sums = Array.from({ length: bars }, (_, bar) =>
    series.reduce((sum, { values }) => sum + (values[bar] ?? 0), 0),
  );
  const ticks = ticksTo(Math.max(...sums));
  const top = ticks.at(-1) ?? 1;
  const plotWidth = width - PLOT.left - PLOT.right;
  const plotHeight = height - PLOT.top - PLOT.bottom;
  const slot = plotWidth / bars;
  const gap = slot > 4 ? 1 : 0;
  const x = (bar: number): number => PLOT.left + bar * slot;
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
          formatShort(tick),
        ),
      ]),
    ),
    timeTicks(from, from + bars * stepMs, Math.max(2, Math.floor(plotWidth / 70))).map(
      ({ at, label }) =>
        h(
          "text",
          {
            key: `x${at}`,
            class: "tick",
            x: x((at - from) / stepMs),
            y: height - 5,
            "text-anchor": "middle",
          },
          label,
        ),
    ),
    [...(silent ?? [])].map((bar) =>
      h("rect", {
        key: `s${bar}`,
        class: "silent",
        x: x(bar),
        y: PLOT.top,
        width: slot,
        height: plotHeight,
      }),
    ),
    selected &&
      h("rect", {
        class: "brush",
        x: x(selected[0]),
        y: PLOT.top,
        width: slot * (selected[1] - selected[0] + 1),
        height: plotHeight,
      }),
    sums.map((sum, bar) => {
      if (sum === 0) return null;
      let below = 0;
      return h("g", { key: `b${bar}` }, [
        h("title", null, titleOf(from + bar * stepMs, series, bar)),
        ...series.map(({ name, tone, values }) => {
          const value = values[bar] ?? 0;
          if (value === 0) return null;
          const bottom = y(below);
          below += value;
          const barTop = Math.min(y(below), bottom - 1);
          return h("rect", {
            key: name,
            class: tone,
            x: x(bar) + gap / 2,
            y: barTop,
            width: Math.max(0.5, slot - gap),
            height: bottom - barTop,
          });
        }),
      ]);
    }),
    h("line", { class: "axis", x1: PLOT.left, x2: width - PLOT.right, y1: y(0), y2: y(0) }),
  );
}

function titleOf(at: number, series: readonly BarSeries[], bar: number): string {
  const parts = series.map(
    ({ name, values }) => `${name} ${(values[bar] ?? 0).toLocaleString("en-US")}`,
  );
  return `${formatTime(at).slice(0, 16)} UTC\n${parts.join("\n")}`;
}
