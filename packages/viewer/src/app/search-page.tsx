// Search: conditions in the address, a list of any length, text in contents as a stream. Over 300
// lines: one page and its state.
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX, TargetedSubmitEvent } from "preact";
import { formatCount, plural } from "../data/format.ts";
import type { EntryPage, EntryRow } from "../data/rows.ts";
import { EntryList } from "../views/entry-list.tsx";
import { Empty, PageHead } from "../views/parts.tsx";
import { keys } from "./keyboard.ts";
import { go, place } from "./location.ts";
import { ask, stream } from "./server.ts";

const FIELDS: readonly (readonly [name: string, label: string, hint: string])[] = [
  ["since", "Since", "2026-11-23"],
  ["until", "Until", "2026-11-30T18:00"],
  ["provider", "Provider", "openai"],
  ["model", "Model", "gpt-5"],
  ["operation", "Operation", "chat"],
  ["tool", "Tool", "send_mail"],
  ["agent", "Agent", "supervisor"],
  ["actor", "Actor", "ada"],
  ["detector", "Detector", "pii:email"],
  ["conversation", "Conversation", "id"],
  ["subject", "Person", "key id"],
  ["thread", "Thread", "id"],
  ["metadata", "Metadata", "key=value"],
];
const OUTCOMES = [
  "",
  "ok",
  "blocked",
  "error",
  "timeout",
  "aborted",
  "interrupted",
  "abandoned",
  "flagged",
];
const SWITCHES: readonly (readonly [name: string, label: string])[] = [
  ["blocked", "Blocked"],
  ["failed", "Failed"],
  ["flagged", "Flagged"],
  ["undecided", "Tools nobody decided on"],
  ["marked", "Not as sealed"],
];
const PAGE = 200;

/** The page. */
export function SearchPage({ turn }: { readonly turn: number }): JSX.Element {
  const { search } = place.value;
  const isDeep = (search.get("text") ?? "") !== "" || search.has("metadata");
  const twin = `/api/${isDeep ? "search" : "entries"}?${search}`;
  return (
    <div class="search-page">
      <PageHead
        title="Search"
        note="All conditions hold. The address of this page is the search."
        twin={twin}
      />
      <SearchForm key={search.toString()} />
      {isDeep ? (
        <ContentResults key={search.toString()} query={search.toString()} />
      ) : (
        <ClearResults key={search.toString()} query={search.toString()} turn={turn} />
      )}
    </div>
  );
}

function SearchForm(): JSX.Element {
  const { search } = place.value;
  const isNarrow = FIELDS.slice(8).some(([name]) => (search.get(name) ?? "") !== "");
  return (
    <form class="search-form" onSubmit={submit} role="search">
      <div class="search-line">
        <input
          id="text"
          name="text"
          type="search"
          defaultValue={search.get("text") ?? ""}
          placeholder="Text in decrypted content"
          aria-label="Text in decrypted content"
          autocomplete="off"
          spellcheck={false}
        />
        <button class="button primary" type="submit">
          Search
        </button>
        {search.size > 0 && (
          <a class="button" href="/search">
            Clear
          </a>
        )}
      </div>
      <div class="switches">
        {SWITCHES.map(([name, label]) => (
          <label key={name} class="switch">
            <input
              type="checkbox"
              name={name}
              value="1"
              defaultChecked={search.get(name) === "1"}
              onChange={(event) => event.currentTarget.form?.requestSubmit()}
            />
            {label}
          </label>
        ))}
        <label class="switch">
          Outcome{" "}
          <select name="outcome" onChange={(event) => event.currentTarget.form?.requestSubmit()}>
            {OUTCOMES.map((outcome) => (
              <option
                key={outcome}
                value={outcome}
                selected={outcome === (search.get("outcome") ?? "")}
              >
                {outcome === "" ? "any" : outcome}
              </option>
            ))}
          </select>
        </label>
      </div>
      <details class="conditions" open={isNarrow || FIELDS.some(([name]) => search.has(name))}>
        <summary>Conditions</summary>
        <div class="condition-grid">
          {FIELDS.map(([name, label, hint]) => (
            <label key={name}>
              <span>{label}</span>
              <input
                name={name}
                defaultValue={search.get(name) ?? ""}
                placeholder={hint}
                autocomplete="off"
                spellcheck={false}
              />
            </label>
          ))}
        </div>
        {search.has("root") && <input type="hidden" name="root" value={search.get("root") ?? ""} />}
      </details>
    </form>
  );
}

function ClearResults({
  query,
  turn,
}: {
  readonly query: string;
  readonly turn: number;
}): JSX.Element {
  const pages = useRef(new Map<number, readonly EntryRow[]>());
  const asked = useRef(new Set<number>());
  const [total, setTotal] = useState<number | undefined>(undefined);
  const [error, setError] = useState<string | undefined>(undefined);
  const [, redraw] = useState(0);
  const load = async (page: number): Promise<void> => {
    if (asked.current.has(page)) return;
    asked.current.add(page);
    try {
      const rest = new URLSearchParams(query);
      rest.set("offset", String(page * PAGE));
      rest.set("limit", String(PAGE));
      const answer = await ask<EntryPage>(`entries?${rest}`);
      pages.current.set(page, answer.rows);
      setTotal(answer.total);
      redraw((count) => count + 1);
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
  };
  useEffect(() => {
    asked.current.clear(); // the rows that are shown stay until newer ones are there
    void load(0);
  }, [query, turn]);
  const rowAt = (at: number): EntryRow | undefined =>
    pages.current.get(Math.floor(at / PAGE))?.[at % PAGE];
  if (error !== undefined) return <Empty>{error}</Empty>;
  if (total === undefined) return <p class="count">…</p>;
  return (
    <Results
      total={total}
      rowAt={rowAt}
      onShow={(first, last) => {
        for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page += 1)
          void load(page);
      }}
      note={plural(total, "entry", "entries")}
    />
  );
}

function ContentResults({ query }: { readonly query: string }): JSX.Element {
  const rows = useRef<EntryRow[]>([]);
  const searching = useRef<AbortController | undefined>(undefined);
  const [progress, setProgress] = useState({ read: 0, unopened: 0, state: "searching" });
  useEffect(() => {
    const search = new AbortController();
    searching.current = search;
    rows.current = [];
    stream(`search?${query}`, search.signal, ({ row, read, unopened, isDone }) => {
      if (row !== undefined) rows.current.push(row);
      else
        setProgress({
          read: read ?? 0,
          unopened: unopened ?? 0,
          state: isDone ? "done" : "searching",
        });
    }).catch((error: unknown) => {
      const state = search.signal.aborted
        ? "stopped"
        : error instanceof Error
          ? error.message
          : String(error);
      setProgress((before) => ({ ...before, state }));
    });
    return () => search.abort();
  }, [query]);
  const { read, unopened, state } = progress;
  const note = (
    <>
      {plural(rows.current.length, "entry", "entries")} found, {formatCount(read)} read
      {unopened > 0 && `, ${formatCount(unopened)} encrypted and not searched`}; {state}
      {state === "searching" && (
        <button type="button" class="button" onClick={() => searching.current?.abort()}>
          Stop
        </button>
      )}
    </>
  );
  return (
    <Results
      total={rows.current.length}
      rowAt={(at) => rows.current[at]}
      onShow={() => undefined}
      note={note}
    />
  );
}

function Results({
  total,
  rowAt,
  onShow,
  note,
}: {
  readonly total: number;
  readonly rowAt: (at: number) => EntryRow | undefined;
  readonly onShow: (first: number, last: number) => void;
  readonly note: JSX.Element | string;
}): JSX.Element {
  const [selected, select] = useState(-1);
  const [first, mark] = useState<string | undefined>(undefined);
  const move = (to: number): void => select(Math.max(0, Math.min(total - 1, to)));
  keys.value = {
    j: () => move(selected + 1),
    k: () => move(selected - 1),
    Enter: () => {
      const row = rowAt(selected);
      if (row !== undefined) go(`/entry/${encodeURIComponent(row.id)}`);
    },
    c: () => {
      const row = rowAt(selected);
      if (row === undefined) return;
      if (first === undefined || first === row.id) mark(row.id);
      else go(`/compare?a=${encodeURIComponent(first)}&b=${encodeURIComponent(row.id)}`);
    },
    e: () => jump("error"),
    b: () => jump("blocked"),
  };
  const jump = (ended: EntryRow["ended"]): void => {
    for (let at = selected + 1; at < total; at += 1) {
      const row = rowAt(at);
      if (row === undefined) break;
      if (row.ended === ended) return select(at);
    }
    const row = rowAt(Math.max(0, selected));
    void jumpTo(ended, row);
  };
  return (
    <>
      <p class="count" role="status">
        {note}
        {first !== undefined && (
          <span class="quiet"> · marked for comparison: press c on another entry</span>
        )}
      </p>
      {total === 0 ? (
        <Empty>No such entry.</Empty>
      ) : (
        <EntryList
          total={total}
          rowAt={rowAt}
          onShow={onShow}
          selected={selected}
          onSelect={select}
        />
      )}
    </>
  );
}

/** Opens the next entry, older than `row`, that failed or was blocked. */
export async function jumpTo(
  ended: EntryRow["ended"],
  row: Pick<EntryRow, "id" | "timestamp"> | undefined,
): Promise<void> {
  const flag = ended === "blocked" ? "blocked" : "failed";
  const after = row === undefined ? "" : `&after=${encodeURIComponent(row.timestamp)}`;
  const { row: next } = await ask<{ readonly row: EntryRow | null }>(
    `next/${encodeURIComponent(row?.id ?? "-")}?${flag}=1${after}`,
  );
  if (next !== null) go(`/entry/${encodeURIComponent(next.id)}`);
}

/** The address of a form is its conditions. */
function submit(event: TargetedSubmitEvent<HTMLFormElement>): void {
  event.preventDefault();
  const next = new URLSearchParams();
  for (const [name, value] of new FormData(event.currentTarget))
    if (typeof value === "string" && value.trim() !== "") next.append(name, value.trim());
  go(`/search?${next}`);
}
