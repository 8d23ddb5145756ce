// The browser's part of `ai-audit view`: the frame around every page, and the live tail. Over 300
// lines: routes, keys and frame in one list each.
import { type Signal, signal } from "@preact/signals";
import type { Verification } from "@ai-audit/core/verify";
import { type JSX, render } from "preact";
import { formatCount, formatTime } from "../data/format.ts";
import type { ViewerState } from "../data/rows.ts";
import { shownLine } from "../data/text.ts";
import type { Tone } from "../data/verdict-facts.ts";
import { VerdictBanner, VERDICTS } from "../views/verdict-banner.tsx";
import { keys, listenToKeys } from "./keyboard.ts";
import { followLinks, go, place } from "./location.ts";
import {
  CompareView,
  ConversationDetails,
  EntryDetails,
  OverviewView,
  type PageProps,
  PeopleView,
  PersonDetails,
  ReviewsView,
  RunDetails,
  VerdictView,
} from "./pages.tsx";
import { jumpTo, SearchPage } from "./search-page.tsx";
import { ask } from "./server.ts";

const state: Signal<ViewerState | undefined> = signal(undefined);
const verdict: Signal<Verification | undefined> = signal(undefined);
const failure: Signal<string | undefined> = signal(undefined);
const isLive: Signal<boolean> = signal(true);
const turn: Signal<number> = signal(0);
const isHelpShown: Signal<boolean> = signal(false);

const NAVIGATION: readonly (readonly [view: string, label: string])[] = [
  ["", "Overview"],
  ["search", "Search"],
  ["reviews", "Reviews"],
  ["people", "Persons"],
  ["compare", "Compare"],
  ["verdict", "Verdict"],
];

const PAGES: Readonly<Record<string, (props: PageProps) => JSX.Element>> = {
  "": OverviewView,
  search: SearchPage,
  reviews: ReviewsView,
  people: PeopleView,
  person: PersonDetails,
  compare: CompareView,
  verdict: VerdictView,
  entry: EntryDetails,
  conversation: ConversationDetails,
  run: RunDetails,
};

function App(): JSX.Element {
  const { view, id } = place.value;
  const result = verdict.value;
  const tone: Tone = result === undefined ? "none" : (VERDICTS[result.exitCode]?.tone ?? "bad");
  const Page = Object.hasOwn(PAGES, view) ? PAGES[view] : undefined;
  return (
    <div class="frame">
      <a class="skip" href="#main">
        To the content
      </a>
      <nav aria-label="Views">
        <a class="brand" href="/">
          <i class={`brand-mark ${tone}`} />
          ai-audit
        </a>
        <ul>
          {NAVIGATION.map(([name, label]) => (
            <li key={name}>
              <a href={`/${name}`} aria-current={isWithin(view, name) ? "page" : undefined}>
                {label}
              </a>
            </li>
          ))}
        </ul>
        <Foot />
      </nav>
      <main id="main" tabIndex={-1}>
        {state.value !== undefined && (
          <p class="print-only">
            {shownLine(state.value.location)}, {formatCount(state.value.entries)} entries, seen with
            ai-audit {state.value.version} on {formatTime(Date.now())} UTC
          </p>
        )}
        <Banner result={result} isFull={view === "" || view === "verdict"} />
        <div class="page">
          {Page === undefined ? (
            <p class="empty">There is no such page.</p>
          ) : (
            <Page
              key={`${view}/${id}`}
              turn={isLive.value ? turn.value : 0}
              result={result}
              tone={tone}
            />
          )}
        </div>
      </main>
      {isHelpShown.value && <Help />}
    </div>
  );
}

function isWithin(view: string, name: string): boolean {
  if (name === "search") return ["search", "entry", "conversation", "run"].includes(view);
  return view === name || (name === "people" && view === "person");
}

function Banner({
  result,
  isFull,
}: {
  readonly result: Verification | undefined;
  readonly isFull: boolean;
}): JSX.Element {
  const now = state.value;
  if (failure.value !== undefined)
    return (
      <section class="verdict slim bad" role="alert">
        <div class="verdict-head">
          <span class="verdict-mark">✕</span>
          <div class="verdict-words">
            <h1>Not verifiable</h1>
            <p>{shownLine(failure.value)}</p>
          </div>
        </div>
      </section>
    );
  if (result === undefined) {
    const share = Math.round((now?.verified ?? 0) * 100);
    return (
      <section class="verdict slim none" role="status">
        <div class="verdict-head">
          <span class="verdict-mark spin" aria-hidden="true">
            ◌
          </span>
          <div class="verdict-words">
            <h1>Verifying</h1>
            <p>
              {share} % verified, {Math.round((now?.indexed ?? 0) * 100)} % read
            </p>
          </div>
        </div>
      </section>
    );
  }
  if (isFull)
    return (
      <VerdictBanner result={result}>
        <button type="button" class="button" onClick={() => void verifyAgain()}>
          Verify again
        </button>
      </VerdictBanner>
    );
  const { tone, word, says } = VERDICTS[result.exitCode] ?? { tone: "bad", word: "?", says: "" };
  return (
    <a class={`verdict slim ${tone}`} href="/verdict">
      <span class="verdict-head">
        <span class="verdict-mark" aria-hidden="true">
          {tone === "good" ? "✓" : tone === "warn" ? "!" : "✕"}
        </span>
        <span class="verdict-words">
          <strong>{word}</strong>
          <span>{says}</span>
        </span>
      </span>
    </a>
  );
}

function Foot(): JSX.Element {
  const now = state.value;
  return (
    <div class="foot">
      {now !== undefined && (
        <>
          <p class="mono" title={shownLine(now.location)}>
            {shownLine(now.location)}
          </p>
          <p>
            {formatCount(now.entries)} entries
            {now.indexed < 1 && `, ${Math.round(now.indexed * 100)} % read`}
          </p>
          <p>
            {now.hasKeys ? "Content key given" : "No content key"}
            {now.recordsAccess ? ", access recorded" : ""}
          </p>
        </>
      )}
      <div class="foot-actions">
        <button
          type="button"
          class={`button small${isLive.value ? " on" : ""}`}
          aria-pressed={isLive.value}
          onClick={() => (isLive.value = !isLive.value)}
        >
          Live
        </button>
        <button type="button" class="button small" onClick={changeTheme}>
          Theme
        </button>
        <button
          type="button"
          class="button small"
          onClick={() => (isHelpShown.value = true)}
          aria-label="Keys"
        >
          ?
        </button>
      </div>
    </div>
  );
}

const KEYS: readonly (readonly [key: string, does: string])[] = [
  ["/", "search"],
  ["j  k", "next and previous entry"],
  ["Enter", "open the selected entry"],
  ["e", "next error"],
  ["b", "next block"],
  ["r", "reveal content"],
  ["p", "prove the entry"],
  ["c", "mark for comparison, compare"],
  ["g", "overview"],
  ["v", "verdict"],
  ["Esc", "leave a field, close this"],
];

function Help(): JSX.Element {
  return (
    <div class="help" role="dialog" aria-modal="true" aria-label="Keys">
      <h2>Keys</h2>
      <dl>
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="button" autofocus onClick={() => (isHelpShown.value = false)}>
        Close
      </button>
    </div>
  );
}

function changeTheme(): void {
  const root = document.documentElement;
  const isDark =
    root.dataset["theme"] === undefined
      ? matchMedia("(prefers-color-scheme: dark)").matches
      : root.dataset["theme"] === "dark";
  root.dataset["theme"] = isDark ? "light" : "dark";
}

async function loadVerdict(again = ""): Promise<void> {
  try {
    verdict.value = await ask<Verification>(`verdict${again}`);
    failure.value = undefined;
  } catch (error) {
    failure.value = error instanceof Error ? error.message : String(error);
  }
}

async function verifyAgain(): Promise<void> {
  verdict.value = undefined;
  await loadVerdict("?again=1");
}

function focusSearch(): void {
  if (place.value.view !== "search") go("/search");
  requestAnimationFrame(() => document.getElementById("text")?.focus());
}

place.subscribe(() => (keys.value = {}));
followLinks();
listenToKeys({
  "/": focusSearch,
  g: () => go("/"),
  v: () => go("/verdict"),
  e: () => void jumpTo("error", undefined),
  b: () => void jumpTo("blocked", undefined),
  "?": () => (isHelpShown.value = true),
  Escape: () => (isHelpShown.value = false),
});
const events = new EventSource("/api/events");
events.addEventListener("message", ({ data }) => {
  const next: ViewerState = JSON.parse(data);
  const before = state.value;
  state.value = next;
  if (before === undefined || before.entries !== next.entries || before.verified !== next.verified)
    turn.value += 1;
});
const root = document.getElementById("app");
if (root === null) throw new Error("the page has no element #app");
render(<App />, root);
await loadVerdict();
