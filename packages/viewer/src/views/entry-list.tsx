// A list of entries of any length: only the rows in view are in the page.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatMs, formatTime } from "../data/format.ts";
import type { EntryRow } from "../data/rows.ts";
import { shownLine } from "../data/text.ts";
import { OutcomeChip, ProofCell } from "./parts.tsx";

/** Height of a row in pixels. */
export const ROW_PX = 30;
/**
 * Height of the whole list at most: browsers lay out no more than some 17 million pixels. A longer
 * list moves by more than a pixel for each pixel of its scroll bar.
 */
const MAX_LIST_PX = 12_000_000;
/** Rows beyond the visible ones, so that scrolling shows no gap. */
const SPARE_ROWS = 10;

/** Properties of `EntryList`. */
export interface EntryListProps {
  readonly total: number;
  /** The row at a position; undefined while it is loaded. */
  readonly rowAt: (at: number) => EntryRow | undefined;
  /** Called with the positions in view. */
  readonly onShow: (first: number, last: number) => void;
  /** The selected position. */
  readonly selected: number;
  readonly onSelect: (at: number) => void;
}

/** The list. */
export function EntryList({
  total,
  rowAt,
  onShow,
  selected,
  onSelect,
}: EntryListProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const bodyPx = Math.min(total * ROW_PX, MAX_LIST_PX);
  // Pixels of rows for each pixel that the box is scrolled.
  const scale = Math.max(1, (total * ROW_PX - view.height) / Math.max(1, bodyPx - view.height));
  const top = view.top * scale;
  const first = Math.max(0, Math.floor(top / ROW_PX) - SPARE_ROWS);
  const last = Math.min(total - 1, Math.ceil((top + view.height) / ROW_PX) + SPARE_ROWS);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const measure = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    measure();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);
  useEffect(() => {
    if (last >= first) onShow(first, last);
  }, [first, last, total]);
  useEffect(() => {
    const element = box.current;
    if (element === null || selected < 0) return;
    const [rowTop, shownTop] = [selected * ROW_PX, element.scrollTop * scale];
    if (rowTop < shownTop) element.scrollTop = rowTop / scale;
    else if (rowTop + ROW_PX > shownTop + element.clientHeight - ROW_PX)
      element.scrollTop = (rowTop + 2 * ROW_PX - element.clientHeight) / scale;
  }, [selected]);
  const rows: JSX.Element[] = [];
  for (let at = first; at <= last; at += 1)
    rows.push(
      <Row key={at} at={at} row={rowAt(at)} isSelected={at === selected} onSelect={onSelect} />,
    );
  return (
    <div
      class="list"
      ref={box}
      role="grid"
      aria-rowcount={total + 1}
      aria-label="Entries"
      tabIndex={0}
    >
      <div class="list-head row" role="row" aria-rowindex={1}>
        {HEADS.map(([name, kind]) => (
          <span key={name} role="columnheader" class={kind}>
            {name}
          </span>
        ))}
      </div>
      <div class="list-body" role="presentation" style={{ height: `${bodyPx}px` }}>
        <div
          role="presentation"
          style={{ transform: `translateY(${view.top + first * ROW_PX - top}px)` }}
        >
          {rows}
        </div>
      </div>
    </div>
  );
}

const HEADS: readonly (readonly [string, string])[] = [
  ["time (UTC)", "time"],
  ["operation", "operation"],
  ["model or tool", "target"],
  ["agent", "agent"],
  ["actor", "actor"],
  ["outcome", "outcome"],
  ["reason", "flags"],
  ["latency", "number latency"],
  ["tokens", "number tokens"],
  ["proof", "proof"],
];

function Row({
  at,
  row,
  isSelected,
  onSelect,
}: {
  readonly at: number;
  readonly row: EntryRow | undefined;
  readonly isSelected: boolean;
  readonly onSelect: (at: number) => void;
}): JSX.Element {
  if (row === undefined)
    return (
      <div class="row loading" role="row" aria-rowindex={at + 2}>
        <span role="gridcell">…</span>
      </div>
    );
  return (
    <div
      class={`row${isSelected ? " selected" : ""}${row.mark ? " marked" : ""}`}
      role="row"
      aria-rowindex={at + 2}
      aria-selected={isSelected}
      onPointerDown={() => onSelect(at)}
    >
      <span role="gridcell" class="time">
        <a href={`/entry/${encodeURIComponent(row.id)}`} tabIndex={-1}>
          {formatTime(row.timestamp)}
        </a>
      </span>
      <span role="gridcell" class="operation">
        {cellOf(row.operation)}
      </span>
      <span role="gridcell" class="target">
        {cellOf(row.target)}
      </span>
      <span role="gridcell" class="agent">
        {cellOf(row.agent)}
      </span>
      <span role="gridcell" class="actor">
        {cellOf(row.actor)}
      </span>
      <span role="gridcell" class="outcome">
        <OutcomeChip row={row} />
      </span>
      <span role="gridcell" class="flags bad-text" title={reasonOf(row)}>
        {reasonOf(row)}
      </span>
      <span role="gridcell" class="number latency">
        {formatMs(row.latencyMs)}
      </span>
      <span role="gridcell" class="number tokens">
        {row.inputTokens === null && row.outputTokens === null
          ? "–"
          : `${row.inputTokens ?? "?"} › ${row.outputTokens ?? "?"}`}
      </span>
      <span role="gridcell" class="proof">
        <ProofCell row={row} />
      </span>
    </div>
  );
}

/** The reason of a block, and the detectors that triggered. */
function reasonOf({ detectors, reason }: EntryRow): string {
  return shownLine([...(reason === null ? [] : [reason]), ...detectors].join(", "));
}

function cellOf(value: string | null): JSX.Element {
  return value === null ? <span class="quiet">–</span> : <>{shownLine(value)}</>;
}
