// A list of entries of any length: only the rows in view are in the page.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatMs, formatTime } from "../data/format.ts";
import type { EntryRow } from "../data/rows.ts";
import { shownLine } from "../data/text.ts";
import { OutcomeChip, ProofCell } from "./parts.tsx";

/** Height of a row in pixels. 1,000,000 rows stay below the height that browsers can lay out. */
export const ROW_PX = 30;
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
  const first = Math.max(0, Math.floor(view.top / ROW_PX) - SPARE_ROWS);
  const last = Math.min(total - 1, Math.ceil((view.top + view.height) / ROW_PX) + SPARE_ROWS);
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
    const top = selected * ROW_PX;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW_PX > element.scrollTop + element.clientHeight - ROW_PX)
      element.scrollTop = top + 2 * ROW_PX - element.clientHeight;
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
      <div class="list-body" role="presentation" style={{ height: `${total * ROW_PX}px` }}>
        <div role="presentation" style={{ transform: `translateY(${first * ROW_PX}px)` }}>
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
  ["flags", "flags"],
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
      <span role="gridcell" class="flags bad-text">
        {shownLine(row.detectors.join(", "))}
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

function cellOf(value: string | null): JSX.Element {
  return value === null ? <span class="quiet">–</span> : <>{shownLine(value)}</>;
}
