// Where an entry belongs: conversation, run, person; and what waits for a review. Over 300 lines:
// four small views that link to each other.
import type { TreeFigures } from "@ai-audit/core/reading";
import type { JSX } from "preact";
import { formatCount, formatMs, formatTime, plural } from "../data/format.ts";
import type {
  ConversationView,
  PersonRow,
  PersonView,
  ReviewsView,
  RunNode,
  RunView,
} from "../data/rows.ts";
import { shownLine } from "../data/text.ts";
import { Chip, Empty, Field, LongText, OutcomeChip, ProofCell } from "./parts.tsx";

/** The figures of a tree, in a sentence. */
export function figuresText(figures: TreeFigures): string {
  const { entries, inputTokens, outputTokens, errors, blocked, stopped } = figures;
  return [
    plural(entries, "entry", "entries"),
    ...(inputTokens === null && outputTokens === null
      ? []
      : [`${formatCount(inputTokens ?? 0)} tokens in, ${formatCount(outputTokens ?? 0)} out`]),
    ...(errors > 0 ? [plural(errors, "error")] : []),
    ...(blocked > 0 ? [`${formatCount(blocked)} blocked`] : []),
    ...(stopped > 0 ? [`${formatCount(stopped)} stopped`] : []),
  ].join(" · ");
}

/** A conversation as a transcript. */
export function ConversationPage({
  view,
  onReveal,
}: {
  readonly view: ConversationView;
  readonly onReveal: (() => void) | undefined;
}): JSX.Element {
  return (
    <section class="card">
      {!view.isOpened && (
        <div class="reveal">
          <p>The calls are listed. Their content is opened on demand.</p>
          {onReveal !== undefined && (
            <button type="button" class="button primary" onClick={onReveal}>
              Reveal transcript
            </button>
          )}
        </div>
      )}
      <ol class="transcript">
        {view.passages.map(({ id, began, depth, title, row, passages }, at) => (
          <li key={id ?? at} class={`depth-${Math.min(depth, 6)}`}>
            <div class="passage-head">
              <time>{formatTime(began)}</time>
              {id === null ? (
                <span>{shownLine(title)}</span>
              ) : (
                <a href={`/entry/${encodeURIComponent(id)}`}>{shownLine(title)}</a>
              )}
              {row !== null && <OutcomeChip row={row} />}
              {row?.mark !== undefined && <ProofCell row={row} />}
            </div>
            {passages.map(({ label, text }, place) => (
              <div key={place} class={`passage ${toneOfLabel(label)}`}>
                <span class="role">{shownLine(label)}</span>
                <LongText text={text} />
              </div>
            ))}
          </li>
        ))}
      </ol>
    </section>
  );
}

function toneOfLabel(label: string): string {
  if (label === "blocked" || label === "error") return "bad";
  return /\(?(user|assistant|system|tool)\)?$/.exec(label)?.[1] ?? "";
}

/** Begin and end of the calls of a run. A person may decide days later: that is not its length. */
function spanOf({ nodes }: RunView): { readonly from: number; readonly to: number } {
  const from = Math.min(...nodes.map(({ beganAt }) => beganAt));
  const calls = nodes.filter(({ kind }) => kindOf(kind) !== "person");
  return { from, to: Math.max(...calls.map(({ endedAt }) => endedAt), from + 1) };
}

/** Length and figures of a run, for the head of its page. */
export function runText(view: RunView): string {
  const { from, to } = spanOf(view);
  const later = view.figures.endedAt - to;
  return [
    formatMs(to - from),
    ...(later > 1000 ? [`last decision ${formatMs(later)} later`] : []),
    figuresText(view.figures),
  ].join(" · ");
}

/** One invocation: its calls as a tree, each beside its bar in time. */
export function RunPage({ view }: { readonly view: RunView }): JSX.Element {
  const { nodes } = view;
  const { from, to } = spanOf(view);
  return (
    <section class="card">
      <div class="scroll-x">
        <table class="figures run">
          <thead>
            <tr>
              <th>call</th>
              <th>outcome</th>
              <th class="number">latency</th>
              <th class="number">tokens</th>
              <th class="waterfall-head">
                <span>0</span>
                <span>{formatMs(to - from)}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {nodes.map((node, at) => (
              <RunRow key={node.row?.id ?? at} node={node} from={from} to={to} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function RunRow({
  node: { title, kind, depth, beganAt, endedAt, row },
  from,
  to,
}: {
  readonly node: RunNode;
  readonly from: number;
  readonly to: number;
}): JSX.Element {
  const scale = 1000 / (to - from);
  return (
    <tr class={row?.mark ? "marked" : ""}>
      <td class="tree-cell" style={{ paddingLeft: `${10 + depth * 18}px` }}>
        <i class={`kind kind-${kindOf(kind)}`} title={shownLine(kind)} />
        {row === null ? (
          shownLine(title)
        ) : (
          <a href={`/entry/${encodeURIComponent(row.id)}`}>{shownLine(title)}</a>
        )}
      </td>
      <td>{row !== null && <OutcomeChip row={row} />}</td>
      <td class="number">{formatMs(row?.latencyMs ?? endedAt - beganAt)}</td>
      <td class="number">
        {row === null || (row.inputTokens === null && row.outputTokens === null)
          ? "–"
          : `${row.inputTokens ?? "?"} › ${row.outputTokens ?? "?"}`}
      </td>
      <td class="waterfall">
        {beganAt > to ? (
          <span class="quiet later">{formatMs(beganAt - to)} later</span>
        ) : (
          <svg
            viewBox="0 0 1000 16"
            preserveAspectRatio="none"
            role="img"
            aria-label={`from ${formatMs(beganAt - from)} to ${formatMs(endedAt - from)}`}
          >
            <rect
              class={`bar kind-${kindOf(kind)}${row !== null && row.ended !== "ok" ? ` ended-${row.ended}` : ""}`}
              x={Math.min(994, (beganAt - from) * scale)}
              width={Math.max(6, (endedAt - beganAt) * scale)}
              y="3"
              height="10"
              rx="2"
            />
          </svg>
        )}
      </td>
    </tr>
  );
}

/** Kinds that have a colour of their own. */
function kindOf(operation: string): string {
  if (operation === "execute_tool" || operation === "tool") return "tool";
  if (
    operation === "invoke_agent" ||
    operation === "agent" ||
    operation === "chain" ||
    operation === "run"
  )
    return "agent";
  if (operation === "human_review") return "person";
  return operation === "guardrail" ? "guard" : "model";
}

/** What waits or waited for a person. */
export function ReviewsPage({
  view: { total, offset, cases },
  hrefOf,
}: {
  readonly view: ReviewsView;
  /** Address of the page that begins with a request. */
  readonly hrefOf: (offset: number) => string;
}): JSX.Element {
  if (cases.length === 0) return <Empty>Nothing waits for a decision.</Empty>;
  const end = offset + cases.length;
  return (
    <section class="card">
      {cases.length < total && (
        <p class="note">
          {formatCount(offset + 1)} to {formatCount(end)} of {formatCount(total)}{" "}
          {offset > 0 && <a href={hrefOf(Math.max(0, offset - cases.length))}>Newer</a>}{" "}
          {end < total && <a href={hrefOf(end)}>Older</a>}
        </p>
      )}
      <div class="scroll-x">
        <table class="figures">
          <thead>
            <tr>
              <th>asked (UTC)</th>
              <th>request</th>
              <th>agent</th>
              <th>for</th>
              <th>decision</th>
              <th>decided by</th>
              <th class="number">after</th>
            </tr>
          </thead>
          <tbody>
            {cases.map(({ title, request, decisions, decided, waitedMs }) => (
              <tr key={request.id}>
                <td class="time">{formatTime(request.timestamp)}</td>
                <td class="wrap">
                  <a href={`/entry/${encodeURIComponent(request.id)}`}>{shownLine(title)}</a>
                </td>
                <td>{shownLine(request.agent ?? "–")}</td>
                <td>{shownLine(request.actor ?? "–")}</td>
                <td>
                  {decisions.map(({ verdict, row }) => (
                    <a key={row.id} href={`/entry/${encodeURIComponent(row.id)}`}>
                      <Chip
                        tone={verdict === "approved" || verdict === "modified" ? "good" : "warn"}
                      >
                        {shownLine(verdict)}
                      </Chip>
                    </a>
                  ))}
                  {!decided && <Chip tone="bad">waiting</Chip>}
                </td>
                <td>
                  {shownLine([...new Set(decisions.map(({ row }) => row.actor ?? "–"))].join(", "))}
                </td>
                <td class="number">{formatMs(waitedMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** What is kept about a data subject. */
export function PersonPage({ view }: { readonly view: PersonView }): JSX.Element {
  const { subject, total, oldest, newest, withContent, erasures } = view;
  return (
    <>
      {erasures.map(({ at, actor, reason, file }) => (
        <section key={file + reason} class="proof-line good">
          <div>
            <strong>Erased{at === null ? "" : ` on ${formatTime(at)} UTC`}</strong>
            <p>
              by {shownLine(actor)}: {shownLine(reason)}. The key is destroyed; what is kept of the
              content cannot be read. Recorded in {shownLine(file)}.
            </p>
          </div>
        </section>
      ))}
      <section class="card">
        <dl class="fields">
          <Field label="key id">
            <code class="digest">{shownLine(subject)}</code>
          </Field>
          <Field label="calls">{formatCount(total.calls)}</Field>
          <Field label="events">{formatCount(total.events)}</Field>
          <Field label="oldest">{oldest && `${formatTime(oldest)} UTC`}</Field>
          <Field label="newest">{newest && `${formatTime(newest)} UTC`}</Field>
          <Field label="content kept">{`${formatCount(withContent)} entries${erasures.length > 0 ? ", unreadable" : ", encrypted or plain"}; of the others only hashes`}</Field>
          <Field label="blocked">{formatCount(total.blocked)}</Field>
        </dl>
        <p>
          <a class="button" href={`/search?subject=${encodeURIComponent(subject)}`}>
            All entries
          </a>
        </p>
      </section>
    </>
  );
}

/** Data subjects of the log. */
export function PeoplePage({
  people,
  isNamed = false,
}: {
  readonly people: readonly PersonRow[];
  /** Whether they are those of one name. @default false */
  readonly isNamed?: boolean;
}): JSX.Element {
  if (people.length === 0)
    return (
      <Empty>
        {isNamed
          ? "The key store knows no such name. After an erasure nothing leads from a name to its entries."
          : "No entry names a data subject."}
      </Empty>
    );
  return (
    <section class="card">
      <table class="figures">
        <thead>
          <tr>
            <th>key id of the subject</th>
            <th class="number">entries</th>
          </tr>
        </thead>
        <tbody>
          {people.map(({ subject, entries }) => (
            <tr key={subject}>
              <td class="mono">
                <a href={`/person/${encodeURIComponent(subject)}`}>{shownLine(subject)}</a>
              </td>
              <td class="number">{formatCount(entries)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
