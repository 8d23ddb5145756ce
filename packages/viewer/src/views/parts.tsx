// Small parts of views: links, states, tables of figures, long text.
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { formatCount } from "../data/format.ts";
import type { EntryRow } from "../data/rows.ts";
import { shownLine, shownText } from "../data/text.ts";
import { toneOf, type Tone } from "../data/verdict-facts.ts";

/** A state or an outcome, in its colour. */
export function Chip({
  tone,
  children,
}: {
  readonly tone: Tone;
  readonly children: ComponentChildren;
}): JSX.Element {
  return <span class={`chip ${tone}`}>{children}</span>;
}

/** The end of a call. */
export function OutcomeChip({ row }: { readonly row: EntryRow }): JSX.Element {
  const { ended, outcome, safetyPassed } = row;
  if (ended === "blocked" || !safetyPassed) return <Chip tone="bad">{shownLine(outcome)}</Chip>;
  if (ended === "error" || ended === "stopped")
    return <Chip tone="warn">{shownLine(outcome)}</Chip>;
  return <span class="quiet">{shownLine(outcome)}</span>;
}

/** The proof state of an entry in a list. */
export function ProofCell({ row }: { readonly row: EntryRow }): JSX.Element {
  if (row.mark === undefined)
    return (
      <span class="quiet" title={row.isAsSealed ? "As its file was sealed" : "Not verified"}>
        {row.isAsSealed ? "✓" : "?"}
      </span>
    );
  const { state, message } = row.mark;
  return (
    <span title={shownLine(message)}>
      <Chip tone={toneOf(state)}>{state}</Chip>
    </span>
  );
}

/** Characters of a text that are shown at first. */
const SHOWN_CHARS = 20_000;

/** Text of any length and any author. It is a text node, never markup. */
export function LongText({
  text,
  mono = false,
}: {
  readonly text: string;
  readonly mono?: boolean;
}): JSX.Element {
  const [isWhole, setWhole] = useState(false);
  const isLong = text.length > SHOWN_CHARS;
  return (
    <div class="long-text">
      <pre class={mono ? "mono" : ""} dir="ltr">
        {shownText(isLong && !isWhole ? text.slice(0, SHOWN_CHARS) : text)}
      </pre>
      {isLong && !isWhole && (
        <button type="button" class="button" onClick={() => setWhole(true)}>
          Show all {formatCount(text.length)} characters
        </button>
      )}
    </div>
  );
}

/** A heading of a page, with links to its twins in JSON and CSV. */
export function PageHead({
  title,
  note,
  twin,
  children,
}: {
  readonly title: ComponentChildren;
  readonly note?: ComponentChildren;
  /** Address of the page's data. */
  readonly twin?: string | undefined;
  readonly children?: ComponentChildren;
}): JSX.Element {
  const separator = twin?.includes("?") ? "&" : "?";
  return (
    <header class="page-head">
      <div>
        <h2>{title}</h2>
        {note !== undefined && <p class="note">{note}</p>}
      </div>
      <div class="actions">
        {children}
        {twin !== undefined && (
          <>
            <a class="button" href={twin} target="_blank" rel="noreferrer">
              JSON
            </a>
            <a class="button" href={`${twin}${separator}format=csv`}>
              CSV
            </a>
          </>
        )}
      </div>
    </header>
  );
}

/** A labelled value; nothing where it is unknown. */
export function Field({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}): JSX.Element | null {
  if (children === null || children === undefined || children === false || children === "")
    return null;
  return (
    <div class="field">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A note where a page has nothing to show. */
export function Empty({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <p class="empty">{children}</p>;
}
