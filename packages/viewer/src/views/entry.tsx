// One entry: content as chat, safety, parameters, timings, digests, reviews, proof. Over 300 lines:
// the sections of one page, in their order.
import type { AuditEntry } from "@ai-audit/core";
import type { OpenedField } from "@ai-audit/core/reading";
import type { JSX } from "preact";
import { formatCount, formatMs, formatTime } from "../data/format.ts";
import type { ContentView, EntryRow, EntryView, MessageView, ProofView } from "../data/rows.ts";
import { shownLine } from "../data/text.ts";
import { Chip, Empty, Field, LongText, OutcomeChip } from "./parts.tsx";
import type { Tone } from "../data/verdict-facts.ts";

/** Properties of `EntryPage`. */
export interface EntryPageProps {
  readonly view: EntryView;
  /** The contents, once they are revealed. */
  readonly content: ContentView | undefined;
  readonly proof: ProofView | undefined;
  /** The tone of the whole log's verdict. */
  readonly logTone: Tone;
  readonly onReveal: (() => void) | undefined;
  readonly onProve: (() => void) | undefined;
}

/** The page. */
export function EntryPage({
  view,
  content,
  proof,
  logTone,
  onReveal,
  onProve,
}: EntryPageProps): JSX.Element {
  const { entry, row, reviews, reviewed } = view;
  return (
    <div class="entry-page">
      <div class="entry-main">
        <ProofLine row={row} proof={proof} logTone={logTone} onProve={onProve} />
        <section class="card">
          <div class="card-head">
            <h3>Content</h3>
          </div>
          {content === undefined ? (
            <div class="reveal">
              <p>{keptText(entry)}</p>
              {onReveal !== undefined && (
                <button type="button" class="button primary" onClick={onReveal}>
                  Reveal content
                </button>
              )}
            </div>
          ) : (
            <Content content={content} />
          )}
        </section>
        <Safety entry={entry} content={content} />
        {(reviews.length > 0 || reviewed !== null || entry.reviewRequired === true) && (
          <section class="card">
            <h3>Review</h3>
            <ul class="facts">
              {reviewed !== null && (
                <li>
                  decides about <RowLink row={reviewed} />
                </li>
              )}
              {reviews.map((each) => (
                <li key={each.id}>
                  <Chip tone="good">reviewed</Chip> <RowLink row={each} /> by{" "}
                  {shownLine(each.actor ?? "somebody")}
                </li>
              ))}
              {reviews.length === 0 && reviewed === null && (
                <li>
                  <Chip tone="warn">waiting</Chip> nobody has decided
                </li>
              )}
            </ul>
          </section>
        )}
      </div>
      <aside class="entry-side">
        <section class="card">
          <h3>Call</h3>
          <CallFields entry={entry} row={row} />
        </section>
        {entry.parameters !== undefined && (
          <section class="card">
            <h3>Parameters</h3>
            <JsonFields value={entry.parameters} />
          </section>
        )}
        {Object.keys(entry.metadata).length > 0 && (
          <section class="card">
            <h3>Metadata</h3>
            <JsonFields value={entry.metadata} />
          </section>
        )}
        <section class="card">
          <h3>Digests</h3>
          <dl class="fields">
            <Field label="input">
              <code class="digest">{shownLine(entry.inputHash)}</code>
            </Field>
            <Field label="output">
              <code class="digest">{shownLine(entry.outputHash)}</code>
            </Field>
            <Field label="diagnostics">
              {entry.diagnosticsHash && (
                <code class="digest">{shownLine(entry.diagnosticsHash)}</code>
              )}
            </Field>
          </dl>
        </section>
      </aside>
    </div>
  );
}

function keptText({ diagnosticsHash }: AuditEntry): string {
  return diagnosticsHash === undefined
    ? "Content is opened on demand, and only with a key that the operator gave."
    : "Content and the provider's words are opened on demand, and only with a key that the operator gave.";
}

function RowLink({ row }: { readonly row: EntryRow }): JSX.Element {
  return (
    <a href={`/entry/${encodeURIComponent(row.id)}`}>
      {formatTime(row.timestamp)} {shownLine(row.operation ?? "entry")}{" "}
      {shownLine(row.target ?? "")}
    </a>
  );
}

function ProofLine({
  row,
  proof,
  logTone,
  onProve,
}: { readonly row: EntryRow } & Pick<
  EntryPageProps,
  "proof" | "logTone" | "onProve"
>): JSX.Element {
  const { mark } = row;
  const tone: Tone =
    proof !== undefined
      ? proof.state === "proven"
        ? "good"
        : proof.state === "altered"
          ? "bad"
          : "warn"
      : mark === undefined
        ? logTone === "warn" || !row.isAsSealed
          ? "warn"
          : "good"
        : mark.state === "TAMPERED" || mark.state === "FORK" || mark.state === "ROLLBACK"
          ? "bad"
          : "warn";
  return (
    <section class={`proof-line ${tone}`} aria-label="Proof">
      <div>
        <strong>
          {proof !== undefined
            ? { proven: "Proven by itself", unproven: "Not proven", altered: "Altered" }[
                proof.state
              ]
            : mark === undefined
              ? row.isAsSealed
                ? "As its file was sealed"
                : "Not verified"
              : mark.state}
        </strong>
        <p>
          {shownLine(
            proof?.verdict ??
              (mark === undefined
                ? row.isAsSealed
                  ? "The verifier found nothing about this entry."
                  : "No verification has covered this entry: verify again, or prove it."
                : `${mark.file}: ${mark.message}`),
          )}
        </p>
      </div>
      {onProve !== undefined && proof === undefined && (
        <button type="button" class="button" onClick={onProve}>
          Prove this entry
        </button>
      )}
      {proof?.proof != null && (
        <details>
          <summary>tlog-proof</summary>
          <LongText mono text={proof.proof} />
        </details>
      )}
    </section>
  );
}

function CallFields({
  entry,
  row,
}: {
  readonly entry: AuditEntry;
  readonly row: EntryRow;
}): JSX.Element {
  const { usage, run, actor, error, trace } = entry;
  return (
    <dl class="fields">
      <Field label="outcome">
        <OutcomeChip row={row} />
      </Field>
      <Field label="error">
        {error &&
          shownLine(
            [error.type, error.code, error.status && `HTTP ${error.status}`]
              .filter(Boolean)
              .join(", "),
          )}
      </Field>
      <Field label="operation">{entry.operation && shownLine(entry.operation)}</Field>
      <Field label="provider">{entry.provider && shownLine(entry.provider)}</Field>
      <Field label="model">{entry.model && shownLine(entry.model)}</Field>
      <Field label="served by">
        {entry.responseModel !== undefined &&
          entry.responseModel !== entry.model &&
          shownLine(entry.responseModel)}
      </Field>
      <Field label="tool or target">
        {row.target !== entry.model && row.target && shownLine(row.target)}
      </Field>
      <Field label="agent">{row.agent && shownLine(row.agent)}</Field>
      <Field label="actor">
        {row.actor &&
          shownLine(
            actor === undefined
              ? row.actor
              : `${actor.id} (${[actor.kind, actor.role].filter(Boolean).join(", ")})${actor.onBehalfOf === undefined ? "" : `, for ${actor.onBehalfOf}`}`,
          )}
      </Field>
      <Field label="latency">{entry.latencyMs !== null && formatMs(entry.latencyMs)}</Field>
      <Field label="first token">
        {entry.timeToFirstTokenMs !== undefined && formatMs(entry.timeToFirstTokenMs)}
      </Field>
      <Field label="attempts">
        {entry.attempts !== undefined && entry.attempts > 1 && formatCount(entry.attempts)}
      </Field>
      <Field label="tokens">
        {(entry.inputTokens !== null || entry.outputTokens !== null) &&
          `${entry.inputTokens ?? "?"} in, ${entry.outputTokens ?? "?"} out${usage?.source === undefined ? "" : ` (${usage.source})`}`}
      </Field>
      <Field label="finish">
        {entry.finishReasons && shownLine(entry.finishReasons.join(", "))}
      </Field>
      <Field label="conversation">{linkTo("conversation", entry.conversationId)}</Field>
      <Field label="run">{linkTo("run", run?.rootId)}</Field>
      <Field label="person">{linkTo("person", entry.subject)}</Field>
      <Field label="trace">{trace && <code class="digest">{shownLine(trace.traceId)}</code>}</Field>
      <Field label="entry">
        <code class="digest">{shownLine(entry.id)}</code>
      </Field>
    </dl>
  );
}

/** Members of an object, each with its JSON. */
export function JsonFields({
  value,
}: {
  readonly value: Readonly<Record<string, unknown>>;
}): JSX.Element {
  return (
    <dl class="fields">
      {Object.entries(value).map(([name, member]) => (
        <Field key={name} label={shownLine(name)}>
          {shownLine(typeof member === "string" ? member : JSON.stringify(member))}
        </Field>
      ))}
    </dl>
  );
}

function Safety({
  entry,
  content,
}: {
  readonly entry: AuditEntry;
  readonly content: ContentView | undefined;
}): JSX.Element | null {
  const { safetyPassed, detectorsTriggered, blockReason, safetyChecks = [], alerts } = entry;
  if (
    safetyPassed &&
    safetyChecks.length === 0 &&
    alerts.length === 0 &&
    entry.outcome !== "blocked"
  )
    return null;
  const isBad = !safetyPassed || entry.outcome === "blocked";
  const words = content?.diagnostics;
  return (
    <section class={`card${isBad ? " bad-card" : ""}`}>
      <h3>Safety</h3>
      <dl class="fields">
        <Field label="verdict">
          {isBad ? (
            <Chip tone="bad">not passed</Chip>
          ) : safetyChecks.length > 0 ? (
            <Chip tone="good">passed</Chip>
          ) : (
            "no check is on record"
          )}
        </Field>
        <Field label="reason">{blockReason && shownLine(blockReason)}</Field>
        <Field label="triggered">{shownLine(detectorsTriggered.join(", "))}</Field>
        <Field label="checks">{shownLine(safetyChecks.join(", "))}</Field>
        <Field label="alerts">{shownLine(alerts.join("; "))}</Field>
      </dl>
      {words?.state === "open" && (
        <>
          <h4>In the provider's own words</h4>
          <LongText text={jsonText(words.value)} mono />
        </>
      )}
    </section>
  );
}

/** The contents as a chat, or as they are. */
export function Content({ content }: { readonly content: ContentView }): JSX.Element {
  const { input, output, messages } = content;
  return (
    <>
      {messages.length > 0 && <Chat messages={messages} />}
      {(
        [
          ["input", input],
          ["output", output],
        ] as const
      ).map(([name, field]) => (
        <Missing key={name} name={name} field={field} />
      ))}
    </>
  );
}

function Missing({
  name,
  field,
}: {
  readonly name: string;
  readonly field: OpenedField;
}): JSX.Element | null {
  if (field.state === "open") return null;
  return (
    <Empty>
      {name}: {field.state === "hash-only" ? "only its hash was kept" : shownLine(field.reason)}
    </Empty>
  );
}

/** Messages, each with its speaker. */
export function Chat({ messages }: { readonly messages: readonly MessageView[] }): JSX.Element {
  return (
    <ol class="chat">
      {messages.map(({ role, text, toolCalls }, at) => (
        <li
          key={at}
          class={`message role-${["user", "assistant", "system", "tool"].includes(role) ? role : "other"}`}
        >
          <span class="role">{shownLine(role)}</span>
          {text !== "" && <LongText text={text} />}
          {toolCalls.map((call, place) => (
            <div class="tool-call" key={place}>
              <span class="tool-name">asks for tool {shownLine(call.name)}</span>
              <LongText mono text={call.arguments} />
            </div>
          ))}
        </li>
      ))}
    </ol>
  );
}

function jsonText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
}

function linkTo(kind: string, id: string | null | undefined): JSX.Element | null {
  if (id === null || id === undefined) return null;
  return <a href={`/${kind}/${encodeURIComponent(id)}`}>{shownLine(id)}</a>;
}
