// The figures of a log: in all, over time, by group, and its coverage.
import type { GroupFigures } from "@ai-audit/core/reading";
import type { FileVerification, RecordedLoss } from "@ai-audit/core/verify";
import type { JSX, TargetedPointerEvent } from "preact";
import { useRef, useState } from "preact/hooks";
import { Legend } from "../charts/legend.ts";
import { PLOT, TimeBars } from "../charts/time-bars.ts";
import { TimeLines } from "../charts/time-lines.ts";
import { formatCount, formatMs, formatShort, formatTime, plural } from "../data/format.ts";
import { type GroupName, GROUPS, type Overview } from "../data/rows.ts";
import { shownLine } from "../data/text.ts";
import { Chip, Empty, toneOf } from "./parts.tsx";

/** Properties of `OverviewPage`. */
export interface OverviewProps {
  readonly overview: Overview;
  /** Address of the list of entries that meet conditions. */
  readonly hrefOf: (conditions: Readonly<Record<string, string>>) => string;
  /** A range was brushed: milliseconds since the epoch, both inclusive. */
  readonly onBrush: (from: number, to: number) => void;
  readonly losses: readonly RecordedLoss[];
  readonly files: readonly FileVerification[];
}

/** The page. */
export function OverviewPage({
  overview,
  hrefOf,
  onBrush,
  losses,
  files,
}: OverviewProps): JSX.Element {
  const { total, timeline, by, silences, waiting } = overview;
  const { from, stepMs } = timeline;
  return (
    <>
      <div class="tiles">
        <Tile
          label="Calls"
          value={formatCount(total.calls)}
          href={hrefOf({})}
          note={`${formatCount(total.events)} events beside`}
        />
        <Tile
          label="Blocked"
          value={formatCount(total.blocked)}
          href={hrefOf({ blocked: "1" })}
          tone={total.blocked > 0 ? "bad" : ""}
          note={`${formatCount(total.flagged)} flagged by a check`}
        />
        <Tile
          label="Errors"
          value={formatCount(total.errors)}
          href={hrefOf({ failed: "1" })}
          tone={total.errors > 0 ? "warn" : ""}
          note={`${formatCount(total.stopped)} stopped by the caller`}
        />
        <Tile
          label="Reviews waiting"
          value={formatCount(waiting)}
          href="/reviews?open=1"
          tone={waiting > 0 ? "warn" : ""}
          note="for a person's decision"
        />
        <Tile
          label="Tokens"
          value={formatShort((total.inputTokens ?? 0) + (total.outputTokens ?? 0))}
          note={`${formatShort(total.inputTokens ?? 0)} in, ${formatShort(total.outputTokens ?? 0)} out`}
        />
        <Tile
          label="Latency, median"
          value={formatMs(total.latencyMs.p50)}
          note={`p95 ${formatMs(total.latencyMs.p95)}, p99 ${formatMs(total.latencyMs.p99)}`}
        />
      </div>
      {timeline.calls.length === 0 ? (
        <Empty>No entries in this range.</Empty>
      ) : (
        <div class="grid two">
          <BrushedBars overview={overview} onBrush={onBrush} />
          <Card title="Latency" legend={LATENCIES}>
            <TimeLines
              title="Latency over time"
              from={from}
              stepMs={stepMs}
              format={formatMs}
              series={LATENCIES.map((line) => ({ ...line, values: timeline[line.name] }))}
            />
          </Card>
          <Card title="Blocked, failed, waiting" legend={TROUBLES}>
            <TimeBars
              title="Blocked and failed calls and requests for review without a decision, over time"
              from={from}
              stepMs={stepMs}
              series={TROUBLES.map(({ key, ...bar }) => ({ ...bar, values: timeline[key] }))}
            />
          </Card>
          <Card title="Tokens" legend={TOKENS}>
            <TimeBars
              title="Tokens over time"
              from={from}
              stepMs={stepMs}
              series={TOKENS.map(({ key, ...bar }) => ({ ...bar, values: timeline[key] }))}
            />
          </Card>
        </div>
      )}
      <div class="grid two">
        {GROUPS.map((name) => (
          <GroupCard key={name} name={name} groups={by[name]} hrefOf={hrefOf} />
        ))}
        <section class="card" aria-label="Coverage">
          <h3>Coverage</h3>
          <Coverage silences={silences} losses={losses} files={files} />
        </section>
      </div>
    </>
  );
}

const LATENCIES = [
  { name: "p50", tone: "series-1" },
  { name: "p95", tone: "series-4" },
  { name: "p99", tone: "series-2" },
] as const;
const TROUBLES = [
  { key: "blocked", name: "blocked", tone: "series-3" },
  { key: "errors", name: "errors", tone: "series-2" },
  { key: "waiting", name: "review waiting", tone: "series-4" },
] as const;
const TOKENS = [
  { key: "inputTokens", name: "input", tone: "series-1" },
  { key: "outputTokens", name: "output", tone: "series-4" },
] as const;

function Tile({
  label,
  value,
  note,
  href,
  tone = "",
}: {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly href?: string;
  readonly tone?: string;
}): JSX.Element {
  const inner = (
    <>
      <span class="tile-label">{label}</span>
      <strong>{value}</strong>
      <small>{note}</small>
    </>
  );
  return href === undefined ? (
    <div class={`tile ${tone}`}>{inner}</div>
  ) : (
    <a class={`tile ${tone}`} href={href}>
      {inner}
    </a>
  );
}

function Card({
  title,
  legend,
  children,
}: {
  readonly title: string;
  readonly legend: readonly { readonly name: string; readonly tone: string }[];
  readonly children: JSX.Element;
}): JSX.Element {
  return (
    <section class="card" aria-label={title}>
      <div class="card-head">
        <h3>{title}</h3>
        <Legend series={legend} />
      </div>
      {children}
    </section>
  );
}

/** Calls over time. Dragging over the bars narrows the range. */
function BrushedBars({
  overview: { timeline, silences },
  onBrush,
}: Pick<OverviewProps, "overview" | "onBrush">): JSX.Element {
  const { from, stepMs, calls, errors, stopped } = timeline;
  const start = useRef<number | undefined>(undefined);
  const [range, setRange] = useState<readonly [number, number] | undefined>(undefined);
  const barOf = (event: TargetedPointerEvent<HTMLDivElement>): number => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 720 - PLOT.left;
    const bar = Math.floor((x / (720 - PLOT.left - PLOT.right)) * calls.length);
    return Math.max(0, Math.min(calls.length - 1, bar));
  };
  const rest = calls.map((count, bar) =>
    Math.max(0, count - (errors[bar] ?? 0) - (stopped[bar] ?? 0)),
  );
  const silent = new Set(
    silences.flatMap((span) =>
      stepMs > 6 * 3_600_000
        ? []
        : Array.from(
            { length: Math.ceil((span.to - span.from) / stepMs) },
            (_, at) => Math.floor((span.from - from) / stepMs) + at,
          ),
    ),
  );
  const legend = [
    { name: "calls", tone: "series-1" },
    { name: "errors", tone: "series-2" },
    { name: "stopped", tone: "series-5" },
  ];
  return (
    <section class="card" aria-label="Calls">
      <div class="card-head">
        <h3>Calls</h3>
        <Legend series={legend} />
      </div>
      <div
        class="brushable"
        title="Drag to narrow the range"
        onPointerDown={(event) => {
          start.current = barOf(event);
          event.currentTarget.setPointerCapture(event.pointerId);
          setRange([start.current, start.current]);
        }}
        onPointerMove={(event) => {
          if (start.current === undefined) return;
          const bar = barOf(event);
          setRange([Math.min(start.current, bar), Math.max(start.current, bar)]);
        }}
        onPointerUp={() => {
          if (start.current !== undefined && range !== undefined && range[1] > range[0])
            onBrush(from + range[0] * stepMs, from + (range[1] + 1) * stepMs - 1);
          start.current = undefined;
          setRange(undefined);
        }}
      >
        <TimeBars
          title="Calls over time"
          from={from}
          stepMs={stepMs}
          selected={range}
          silent={silent}
          series={[
            { name: "calls", tone: "series-1", values: rest },
            { name: "errors", tone: "series-2", values: errors },
            { name: "stopped", tone: "series-5", values: stopped },
          ]}
        />
      </div>
    </section>
  );
}

const SHOWN_GROUPS = 8;

function GroupCard({
  name,
  groups,
  hrefOf,
}: { readonly name: GroupName; readonly groups: readonly GroupFigures[] } & Pick<
  OverviewProps,
  "hrefOf"
>): JSX.Element {
  const [isWhole, setWhole] = useState(false);
  const most = Math.max(1, ...groups.map(({ calls }) => calls));
  const shown = isWhole ? groups : groups.slice(0, SHOWN_GROUPS);
  return (
    <section class="card" aria-label={`By ${name}`}>
      <h3>By {name}</h3>
      <div class="scroll-x">
        <table class="figures">
          <thead>
            <tr>
              <th>{name}</th>
              <th class="number">calls</th>
              <th class="number">tokens</th>
              <th class="number">p95</th>
              <th class="number">errors</th>
              <th class="number">blocked</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(
              ({ group, calls, inputTokens, outputTokens, latencyMs, errors, blocked }) => (
                <tr key={group}>
                  <td class="bar-cell">
                    <svg
                      class="share"
                      viewBox="0 0 100 10"
                      preserveAspectRatio="none"
                      aria-hidden="true"
                    >
                      <rect width={(calls / most) * 100} height="10" />
                    </svg>
                    {group === "-" ? (
                      <span class="quiet">not stated</span>
                    ) : (
                      <a href={hrefOf({ [name]: group })}>{shownLine(group)}</a>
                    )}
                  </td>
                  <td class="number">{formatCount(calls)}</td>
                  <td class="number">
                    {inputTokens === null && outputTokens === null
                      ? "–"
                      : formatShort((inputTokens ?? 0) + (outputTokens ?? 0))}
                  </td>
                  <td class="number">{formatMs(latencyMs.p95)}</td>
                  <td class={`number ${errors > 0 ? "warn-text" : "quiet"}`}>
                    {formatCount(errors)}
                  </td>
                  <td class={`number ${blocked > 0 ? "bad-text" : "quiet"}`}>
                    {formatCount(blocked)}
                  </td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </div>
      {groups.length > SHOWN_GROUPS && (
        <button type="button" class="button" onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Fewer" : `All ${groups.length}`}
        </button>
      )}
    </section>
  );
}

function Coverage({
  silences,
  losses,
  files,
}: Pick<Overview, "silences"> & Pick<OverviewProps, "losses" | "files">): JSX.Element {
  const tails = files.filter(
    ({ state }) => state !== "OK" && state !== "OPEN" && state !== "PRUNED" && state !== "ARCHIVED",
  );
  if (silences.length + losses.length + tails.length === 0)
    return <Empty>No silent hours between busy ones, no loss on record, no unsealed end.</Empty>;
  return (
    <ul class="facts">
      {losses.map(({ file, entries, from, to, reason, certain }) => (
        <li key={`${file}${from}${reason}`}>
          <Chip tone="warn">loss</Chip>
          <span>
            {plural(entries, "entry", "entries")} {certain ? "lost" : "may be lost"},{" "}
            {formatTime(from)} to {formatTime(to).slice(11)}: {shownLine(reason)}
          </span>
        </li>
      ))}
      {tails.map(({ file, state, problems }) => (
        <li key={file}>
          <Chip tone={toneOf(state)}>{state}</Chip>
          <a href="/verdict">{shownLine(file)}</a>
          <span class="quiet">{shownLine(problems[0]?.message ?? "")}</span>
        </li>
      ))}
      {silences.map(({ from, to, usual }) => (
        <li key={from}>
          <Chip tone="warn">silence</Chip>
          <span>
            {formatTime(from).slice(0, 16)} to{" "}
            {formatTime(to).slice(to - from < 86_400_000 ? 11 : 0, 16)}: no entry, usually about{" "}
            {formatCount(Math.round(usual))}
          </span>
        </li>
      ))}
    </ul>
  );
}
