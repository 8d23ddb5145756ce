// Each view with its data: asks the server, and gives it to the pure component. Over 300 lines: one
// short function a view.
import type { Verification } from "@ai-audit/core/verify";
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { formatCount, formatDay, formatTime, plural } from "../data/format.ts";
import type {
  ContentView,
  ConversationView,
  EntryView,
  FactView,
  Overview,
  PersonRow,
  PersonView,
  ProofView,
  ReviewsView as Reviews,
  RunView,
} from "../data/rows.ts";
import { shownLine } from "../data/text.ts";
import { ComparePage } from "../views/compare.tsx";
import { EntryPage } from "../views/entry.tsx";
import { OverviewPage } from "../views/overview.tsx";
import { Empty, PageHead } from "../views/parts.tsx";
import {
  ConversationPage,
  figuresText,
  PeoplePage,
  PersonPage,
  ReviewsPage,
  RunPage,
  runText,
} from "../views/places.tsx";
import type { Tone } from "../data/verdict-facts.ts";
import { VerdictPage } from "../views/verdict.tsx";
import { keys } from "./keyboard.ts";
import { go, place } from "./location.ts";
import { jumpTo } from "./search-page.tsx";
import { ask, type Loaded } from "./server.ts";
import { useServer } from "./use-server.ts";

/** Properties of every page. */
export interface PageProps {
  /** Grows when the log did. */
  readonly turn: number;
  readonly result: Verification | undefined;
  readonly tone: Tone;
}

function Ready<T>({
  of,
  children,
}: {
  readonly of: Loaded<T>;
  readonly children: (value: T) => ComponentChildren;
}): JSX.Element {
  if (of.state === "loading") return <p class="count">…</p>;
  if (of.state === "failed") return <Empty>{shownLine(of.message)}</Empty>;
  return <>{children(of.value)}</>;
}

function link(view: string, conditions: Readonly<Record<string, string>>): string {
  const search = new URLSearchParams(place.value.search);
  for (const [name, value] of Object.entries(conditions)) search.set(name, value);
  return `/${view}${search.size === 0 ? "" : `?${search}`}`;
}

const RANGES: readonly (readonly [label: string, days: number | undefined])[] = [
  ["All", undefined],
  ["24 hours", 1],
  ["7 days", 7],
  ["30 days", 30],
];

/** First and last UTC day of the month before a time. */
function lastMonth(now: Date): { readonly since: string; readonly until: string } {
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
  return {
    since: formatDay(Date.UTC(year, month - 1, 1)),
    until: formatDay(Date.UTC(year, month, 0)),
  };
}

/** The figures of the log. */
export function OverviewView({ turn, result }: PageProps): JSX.Element {
  const { search } = place.value;
  const path = `overview?${search}`;
  const overview = useServer<Overview>(path, turn);
  const [since, until] = [search.get("since"), search.get("until")];
  const month = lastMonth(new Date());
  const note =
    since === null && until === null
      ? "All entries of the log"
      : `${since === null ? "from the beginning" : shownLine(since.slice(0, 16))} to ${until === null ? "now" : shownLine(until.slice(0, 16))}, UTC`;
  return (
    <>
      <PageHead title="Overview" note={note} twin={`/api/${path}`}>
        <div class="segmented" role="group" aria-label="Range">
          {RANGES.map(([label, days]) => {
            const from = days === undefined ? undefined : formatDay(Date.now() - days * 86_400_000);
            return (
              <a
                key={label}
                href={from === undefined ? "/" : `/?since=${from}`}
                aria-current={(since ?? undefined) === from && until === null ? "true" : undefined}
              >
                {label}
              </a>
            );
          })}
          <a
            href={`/?since=${month.since}&until=${month.until}`}
            aria-current={since === month.since && until === month.until ? "true" : undefined}
          >
            Last month
          </a>
        </div>
      </PageHead>
      <Ready of={overview}>
        {(value) => (
          <OverviewPage
            overview={value}
            hrefOf={(conditions) => link("search", conditions)}
            onBrush={(from, to) =>
              go(
                link("", {
                  since: new Date(from).toISOString(),
                  until: new Date(to).toISOString(),
                }),
              )
            }
            losses={result?.losses ?? []}
            files={result?.files ?? []}
          />
        )}
      </Ready>
    </>
  );
}

/** The verdict, file by file. */
export function VerdictView({ turn, result }: PageProps): JSX.Element {
  const facts = useServer<readonly FactView[]>("facts", turn);
  return (
    <>
      <PageHead
        title="Verdict"
        note="What is proven, by whose key, and what is missing"
        twin="/api/files"
      />
      <Ready of={facts}>
        {(value) =>
          result === undefined ? (
            <Empty>The log is being verified.</Empty>
          ) : (
            <VerdictPage result={result} facts={value} />
          )
        }
      </Ready>
    </>
  );
}

/** One entry. */
export function EntryDetails({ tone }: PageProps): JSX.Element {
  const { id } = place.value;
  const path = encodeURIComponent(id);
  const [shown, show] = useState({ content: false, proof: false });
  const view = useServer<EntryView>(`entry/${path}`);
  const content = useServer<ContentView>(shown.content ? `content/${path}` : undefined);
  const proof = useServer<ProofView>(shown.proof ? `proof/${path}` : undefined);
  const reveal = (): void => show((before) => ({ ...before, content: true }));
  const prove = (): void => show((before) => ({ ...before, proof: true }));
  const row = view.state === "ready" ? view.value.row : undefined;
  const near = (step: number): void => {
    if (row !== undefined) void neighbour(row.timestamp, row.id, step);
  };
  keys.value = {
    r: reveal,
    p: prove,
    e: () => void jumpTo("error", row),
    b: () => void jumpTo("blocked", row),
    j: () => near(1),
    k: () => near(-1),
  };
  return (
    <>
      <PageHead
        title={
          row === undefined ? (
            "Entry"
          ) : (
            <>
              {shownLine(row.operation ?? "Entry")}{" "}
              <span class="quiet">{shownLine(row.target ?? "")}</span>
            </>
          )
        }
        note={row === undefined ? shownLine(id) : `${formatTime(row.timestamp)} UTC`}
        twin={`/api/entry/${path}`}
      >
        {row !== undefined && (
          <a class="button" href={`/compare?a=${path}`}>
            Compare
          </a>
        )}
      </PageHead>
      <Ready of={view}>
        {(value) => (
          <>
            {content.state === "failed" && shown.content && (
              <Empty>{shownLine(content.message)}</Empty>
            )}
            <EntryPage
              view={value}
              content={shown.content && content.state === "ready" ? content.value : undefined}
              proof={shown.proof && proof.state === "ready" ? proof.value : undefined}
              logTone={tone}
              onReveal={reveal}
              onProve={prove}
            />
          </>
        )}
      </Ready>
    </>
  );
}

/** Goes to the next older entry, or the next newer one. */
async function neighbour(timestamp: string, id: string, step: number): Promise<void> {
  const order = step > 0 ? "" : "&newer=1";
  const { row } = await ask<{ readonly row: { readonly id: string } | null }>(
    `next/${encodeURIComponent(id)}?after=${encodeURIComponent(timestamp)}${order}`,
  );
  if (row !== null) go(`/entry/${encodeURIComponent(row.id)}`);
}

/** A conversation. */
export function ConversationDetails(): JSX.Element {
  const { id, search } = place.value;
  const isRevealed = search.get("reveal") === "1";
  const path = `conversation/${encodeURIComponent(id)}${isRevealed ? "?reveal=1" : ""}`;
  const view = useServer<ConversationView>(path);
  const reveal = (): void => go(`/conversation/${encodeURIComponent(id)}?reveal=1`, true);
  keys.value = { r: reveal };
  return (
    <>
      <PageHead
        title={
          <>
            Conversation <span class="quiet">{shownLine(id)}</span>
          </>
        }
        note={view.state === "ready" ? figuresText(view.value.figures) : ""}
        twin={`/api/${path}`}
      >
        <a class="button" href={`/search?conversation=${encodeURIComponent(id)}`}>
          Entries
        </a>
      </PageHead>
      <Ready of={view}>{(value) => <ConversationPage view={value} onReveal={reveal} />}</Ready>
    </>
  );
}

/** One invocation. */
export function RunDetails(): JSX.Element {
  const { id } = place.value;
  const path = `run/${encodeURIComponent(id)}`;
  const view = useServer<RunView>(path);
  return (
    <>
      <PageHead
        title={
          <>
            Run <span class="quiet">{shownLine(id)}</span>
          </>
        }
        note={view.state === "ready" ? runText(view.value) : ""}
        twin={`/api/${path}`}
      />
      <Ready of={view}>{(value) => <RunPage view={value} />}</Ready>
    </>
  );
}

/** Address of the page of requests that begins at one of them. */
function pageAt(offset: number): string {
  return link("reviews", { offset: String(offset) });
}

/** Requests for review. */
export function ReviewsView({ turn }: PageProps): JSX.Element {
  const { search } = place.value;
  const path = `reviews?${search}`;
  const cases = useServer<Reviews>(path, turn);
  const tools = useServer<{ readonly total: number }>("entries?undecided=1&limit=0", turn);
  const isOpen = search.get("open") === "1";
  return (
    <>
      <PageHead
        title="Reviews"
        note={
          cases.state === "ready"
            ? `${plural(cases.value.total, "request")}, ${formatCount(cases.value.waiting)} without a decision`
            : ""
        }
        twin={`/api/${path}`}
      >
        <div class="segmented" role="group" aria-label="Requests">
          <a href="/reviews" aria-current={isOpen ? undefined : "true"}>
            All
          </a>
          <a href="/reviews?open=1" aria-current={isOpen ? "true" : undefined}>
            Waiting
          </a>
        </div>
      </PageHead>
      {tools.state === "ready" && tools.value.total > 0 && (
        <p class="note">
          <a href="/search?undecided=1">
            {plural(tools.value.total, "call of a tool", "calls of tools")}
          </a>{" "}
          ran in runs in which no person decided anything.
        </p>
      )}
      <Ready of={cases}>{(value) => <ReviewsPage view={value} hrefOf={pageAt} />}</Ready>
    </>
  );
}

/** Data subjects, or one of them. */
export function PeopleView({ turn }: PageProps): JSX.Element {
  const [name, setName] = useState("");
  const path = name === "" ? "people" : `people?name=${encodeURIComponent(name)}`;
  const people = useServer<readonly PersonRow[]>(path, turn);
  return (
    <>
      <PageHead
        title="Persons"
        note="Entries name a person by a key id, never by a name"
        twin={name === "" ? "/api/people" : undefined}
      />
      <form
        class="compare-form"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          setName(textIn(new FormData(event.currentTarget), "name"));
        }}
      >
        <input
          name="name"
          aria-label="Name of the person"
          placeholder="Name of the person, as the application gave it"
          autocomplete="off"
          spellcheck={false}
        />
        <button class="button primary" type="submit">
          Find
        </button>
      </form>
      <Ready of={people}>{(value) => <PeoplePage people={value} isNamed={name !== ""} />}</Ready>
    </>
  );
}

/** What is kept about a person. */
export function PersonDetails({ turn }: PageProps): JSX.Element {
  const { id } = place.value;
  const path = `person/${encodeURIComponent(id)}`;
  const view = useServer<PersonView>(path, turn);
  return (
    <>
      <PageHead
        title={
          <>
            Person <span class="quiet">{shownLine(id)}</span>
          </>
        }
        note="What is kept, and what was erased"
        twin={`/api/${path}`}
      />
      <Ready of={view}>{(value) => <PersonPage view={value} />}</Ready>
    </>
  );
}

function textIn(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
}

/** Two entries side by side. */
export function CompareView(): JSX.Element {
  const { search } = place.value;
  const [a, b] = [search.get("a") ?? "", search.get("b") ?? ""];
  const [isRevealed, reveal] = useState(false);
  const left = useServer<EntryView>(pathOf("entry", a));
  const right = useServer<EntryView>(pathOf("entry", b));
  const [leftContent, rightContent] = [
    useServer<ContentView>(isRevealed ? pathOf("content", a) : undefined),
    useServer<ContentView>(isRevealed ? pathOf("content", b) : undefined),
  ];
  keys.value = { r: () => reveal(true) };
  const contentOf = (loaded: Loaded<ContentView>): ContentView | undefined =>
    isRevealed && loaded.state === "ready" ? loaded.value : undefined;
  return (
    <>
      <PageHead
        title="Compare"
        note="Two entries, field by field"
        twin={a === "" || b === "" ? undefined : `/api/compare?${new URLSearchParams({ a, b })}`}
      >
        {!isRevealed && b !== "" && (
          <button type="button" class="button" onClick={() => reveal(true)}>
            Reveal content
          </button>
        )}
      </PageHead>
      <form
        class="compare-form"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          go(`/compare?${new URLSearchParams({ a: textIn(form, "a"), b: textIn(form, "b") })}`);
        }}
      >
        <input
          name="a"
          aria-label="Id of the first entry"
          placeholder="Id of the first entry"
          defaultValue={a}
        />
        <input
          name="b"
          aria-label="Id of the second entry"
          placeholder="Id of the second entry"
          defaultValue={b}
        />
        <button class="button primary" type="submit">
          Compare
        </button>
      </form>
      {a !== "" && b !== "" && (
        <Ready of={left}>
          {(one) => (
            <Ready of={right}>
              {(other) => (
                <ComparePage
                  left={{ view: one, content: contentOf(leftContent) }}
                  right={{ view: other, content: contentOf(rightContent) }}
                />
              )}
            </Ready>
          )}
        </Ready>
      )}
      {b === "" && (
        <Empty>Give the id of a second entry, or mark two entries in a list with the key c.</Empty>
      )}
    </>
  );
}

function pathOf(kind: string, id: string): string | undefined {
  return id === "" ? undefined : `${kind}/${encodeURIComponent(id)}`;
}
