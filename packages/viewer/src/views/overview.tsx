// The figures of a log: in all, over time, by group, and its coverage. Over 300 lines: the cards of
// one page, in their order.
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
import { toneOf } from "../data/verdict-facts.ts";
import { Chip, Empty } from "./parts.tsx";

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
  const { total, timeline, by, range, silences, waiting } = overview;
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
      <section class="card" aria-label="Coverage">
        <h3>Coverage</h3>
        <Coverage
          silences={silences}
          losses={losses.filter(({ from: begin, to }) =>
            isWithin(range, Date.parse(begin), Date.parse(to)),
          )}
          files={files.filter(({ file }) => isWithin(range, ...dayOf(file)))}
        />
      </section>
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
  // Reviews and guardrails alone are no calls: their groups would be rows of zeros.
  const used = groups.filter(({ calls, blocked }) => calls + blocked > 0);
  const most = Math.max(1, ...used.map(({ calls }) => calls));
  const shown = isWhole ? used : used.slice(0, SHOWN_GROUPS);
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
      {used.length > SHOWN_GROUPS && (
        <button type="button" class="button" onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Fewer" : `All ${used.length}`}
        </button>
      )}
    </section>
  );
}

const DAY_MS = 86_400_000;

/** First and last millisecond of the UTC day in a file's name; of any time where it names none. */
function dayOf(file: string): [from: number, to: number] {
  const [, year, month, day] = /_(\d{4})(\d\d)(\d\d)/.exec(file) ?? [];
  const from = Date.parse(`${year}-${month}-${day}`);
  return Number.isNaN(from) ? [-Infinity, Infinity] : [from, from + DAY_MS - 1];
}

function isWithin({ from, to }: Overview["range"], begin: number, end: number): boolean {
  return begin <= (to ?? Infinity) && end >= (from ?? -Infinity);
}

function Coverage({
  silences,
  losses,
  files,
}: Pick<Overview, "silences"> & Pick<OverviewProps, "losses" | "files">): JSX.Element {
  const tails = files.filter(
    ({ state }) => state !== "OK" && state !== "OPEN" && state !== "PRUNED" && state !== "ARCHIVED",
  );
  const sealed = files.length - tails.length;
  return (
    <ul class="facts">
      {files.length > 0 && (
        <li>
          <Chip tone={tails.length === 0 ? "good" : "warn"}>files</Chip>
          <span>
            {tails.length === 0
              ? `${plural(files.length, "file")} of this time, ${files.length === 1 ? "as it was" : "all as they were"} sealed`
              : `${formatCount(sealed)} of ${plural(files.length, "file")} of this time are as they were sealed`}
          </span>
        </li>
      )}
      {silences.length + losses.length === 0 && (
        <li>
          <Chip tone="good">whole</Chip>
          <span>No loss on record, no silent hours between busy ones</span>
        </li>
      )}
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
          <span>
            <a href="/verdict">{shownLine(file)}</a>{" "}
            <span class="quiet">{shownLine(problems[0]?.message ?? "")}</span>
          </span>
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
