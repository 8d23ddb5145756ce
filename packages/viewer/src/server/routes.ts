// The answers of the server, by path. Over 300 lines: one function for each view, in the order of
// the navigation.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AuditEntry, ReviewCase } from "@ai-audit/core";
import { lineToEntry, safeLine } from "@ai-audit/core/format";
import {
  buildTree,
  type CallNode,
  ContentOpener,
  decisionOf,
  factText,
  figuresOf,
  Filter,
  interruptsOf,
  messagesOf,
  passagesOf,
  readEntries,
  readFacts,
  readInvocation,
  readRuns,
  rootsOf,
  Statistics,
  titleOf,
  Transcript,
  walk,
} from "@ai-audit/core/reading";
import { checkProof, type ProofCheck, proveEntry } from "@ai-audit/core/verify";
import type {
  ContentView,
  ConversationView,
  EntryPage,
  EntryRow,
  EntryView,
  FactView,
  MessageView,
  PersonView,
  ProofView,
  ReviewsView,
  ReviewView,
  RunView,
  ViewerState,
} from "../data/rows.ts";
import { compareEntries } from "../data/compare.ts";
import { VERSION } from "../version.ts";
import { begin, csvHeadOf, csvLineOf, csvOf, RequestError, sendJson } from "./answers.ts";
import { selectionOf } from "./conditions.ts";
import type { OpenedLog } from "./opened-log.ts";
import { overviewOf } from "./overview.ts";

/** A request, ready to be answered. */
export interface Asked {
  readonly log: OpenedLog;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly search: URLSearchParams;
  /** The last part of the path: an id. */
  readonly id: string;
}

/** Answers a request, or throws a `RequestError`. */
export type Route = (asked: Asked) => Promise<void> | void;

/** A route whose answer would be wrong while the log is still being read: it waits. */
function ofWholeLog(route: Route): Route {
  return async (asked) => {
    await asked.log.indexed;
    await route(asked);
  };
}

/** Routes below `/api/`, by name. */
export const ROUTES: Readonly<Record<string, Route>> = {
  state: ({ log, response }) => sendJson(response, stateOf(log)),
  verdict,
  files,
  overview: async (asked) => {
    const { log, search } = asked;
    const { clear, range } = selectionOf(search);
    const places = log.index.select(clear, range);
    const waiting = (await log.reviewCases())
      .filter(({ decided }) => !decided)
      .map(({ entry }) => Date.parse(entry.timestamp))
      .filter((at) => at >= (range.from ?? -Infinity) && at <= (range.to ?? Infinity));
    const overview = overviewOf(log.index, places, { waiting, range });
    answer(asked, overview, () => {
      const by = Object.entries(overview.by);
      return by.flatMap(([kind, groups]) => groups.map((group) => ({ by: kind, ...group })));
    });
  },
  entries,
  search: searchContents,
  entry: ofWholeLog(entryView),
  content: contentView,
  proof: showProof,
  next: ofWholeLog(nextEntry),
  conversation: ofWholeLog(conversation),
  run: ofWholeLog(runView),
  reviews: ofWholeLog(async (asked) => {
    const { from = -Infinity, to = Infinity } = selectionOf(asked.search).range;
    const isOpen = asked.search.get("open") === "1";
    const cases = (await asked.log.reviewCases()).filter(({ entry, decided }) => {
      const at = Date.parse(entry.timestamp);
      return at >= from && at <= to && !(isOpen && decided);
    });
    const viewOf = ({ entry, decisions, decided, waitedMs }: ReviewCase): ReviewView => ({
      title: titleOf({ entry, beganAt: 0, children: [] }),
      request: rowOf(asked.log, entry),
      decisions: decisions.map((decision) => ({
        verdict: decisionOf(decision)?.verdict ?? "decided",
        row: rowOf(asked.log, decision),
      })),
      decided,
      waitedMs,
    });
    const offset = numberOf(asked.search, "offset", 0);
    const newest = cases.toReversed().slice(offset, offset + PAGE_ROWS);
    const view: ReviewsView = {
      total: cases.length,
      waiting: cases.filter(({ decided }) => !decided).length,
      offset,
      cases: newest.map(viewOf),
    };
    answer(asked, view, () =>
      cases.map(viewOf).map(({ title, request, decisions, decided, waitedMs }) => ({
        asked: request.timestamp,
        title,
        agent: request.agent,
        asked_by: request.actor,
        decided,
        verdicts: decisions.map(({ verdict: word }) => word).join(" "),
        decided_by: decisions.map(({ row }) => row.actor).join(" "),
        waited_ms: waitedMs,
        id: request.id,
      })),
    );
  }),
  person: ofWholeLog(person),
  people: ofWholeLog(async (asked) => {
    const rows = await asked.log.subjects(asked.search.get("name") ?? "");
    answer(asked, rows, () => rows);
  }),
  facts: async (asked) => {
    const { sources } = asked.log;
    const facts: FactView[] = (
      await readFacts(await sources(), selectionOf(asked.search).range)
    ).map((fact) => ({
      at: fact.at,
      kind: fact.line.type,
      text: factText(fact),
      file: fact.file,
    }));
    answer(asked, facts, () => facts);
  },
  compare: ofWholeLog(async (asked) => {
    const [a, b] = await Promise.all(
      ["a", "b"].map(async (name) => entryOf(asked.log, asked.search.get(name) ?? "")),
    );
    if (a === undefined || b === undefined) throw new RequestError(400, "a and b are needed");
    const fields = compareEntries(withoutContent(a), withoutContent(b));
    answer(asked, { a: a.id, b: b.id, fields }, () => fields);
  }),
  events,
};

/** The clear fields of an entry. Contents are opened apart. */
function withoutContent(entry: AuditEntry): AuditEntry {
  const { diagnosticsContent: _content, ...clear } = entry;
  return { ...clear, inputContent: null, outputContent: null };
}

/** JSON, or its CSV twin with `format=csv`. */
function answer(
  { response, search, id }: Asked,
  value: unknown,
  rows: () => readonly object[],
): void {
  if (search.get("format") !== "csv") return sendJson(response, value);
  beginCsv(response, id === "" ? "audit" : id.replaceAll(/[^\w.-]/g, "_").slice(0, 80));
  response.end(csvOf(rows()));
}

function beginCsv(response: ServerResponse, name: string): void {
  begin(response, 200, "text/csv; charset=utf-8", {
    "content-disposition": `attachment; filename="${name}.csv"`,
  });
}

function stateOf(log: OpenedLog): ViewerState {
  const { index } = log;
  const time = (place: number): string | null =>
    index.size === 0 ? null : new Date(index.timeAt(place)).toISOString();
  return {
    location: log.location,
    version: VERSION,
    entries: index.size,
    indexed: index.share,
    verified: log.verified,
    hasKeys: log.encryption !== undefined,
    recordsAccess: log.accessLog !== undefined,
    oldest: time(0),
    newest: time(index.size - 1),
  };
}

async function verdict({ log, response, search }: Asked): Promise<void> {
  if (search.get("again") === "1") log.verifyAgain();
  sendJson(response, await log.verdict());
}

async function files(asked: Asked): Promise<void> {
  const { files: all } = await asked.log.verdict();
  answer(asked, all, () =>
    all.map(({ file, state, entries: count, leaves, signedBy, problems, remarks }) => ({
      file,
      state,
      entries: count,
      leaves,
      signed_by: signedBy,
      problems: problems.map(({ message }) => message).join("; "),
      remarks: remarks.join("; "),
    })),
  );
}

const PAGE_ROWS = 200;
/** Rows of a CSV twin at most: a spreadsheet has no room for more. */
const MAX_CSV_ROWS = 1_000_000;

function entries(asked: Asked): void {
  const { log, search } = asked;
  const { clear, deep, range } = selectionOf(search);
  if (deep !== undefined)
    throw new RequestError(400, "text and metadata are searched for at /api/search");
  const places = log.index.select(clear, range);
  const isOldest = search.get("order") === "oldest";
  const rowAt = (at: number): EntryRow =>
    log.index.rowAt(places[isOldest ? at : places.length - 1 - at] ?? 0);
  const offset = numberOf(search, "offset", 0);
  const limit = Math.min(numberOf(search, "limit", PAGE_ROWS), PAGE_ROWS);
  const count = Math.max(0, Math.min(limit, places.length - offset));
  const page: EntryPage = {
    total: places.length,
    offset,
    rows: Array.from({ length: count }, (_, at) => rowAt(offset + at)),
  };
  answer(asked, page, () =>
    Array.from({ length: Math.min(places.length, MAX_CSV_ROWS) }, (_, at) => csvRowOf(rowAt(at))),
  );
}

/** Columns of a list of entries. */
const CSV_COLUMNS: readonly string[] = [
  "id",
  "timestamp",
  "operation",
  "provider",
  "model",
  "target",
  "agent",
  "actor",
  "outcome",
  "ended",
  "safetyPassed",
  "latencyMs",
  "inputTokens",
  "outputTokens",
  "conversation",
  "root",
  "subject",
  "reason",
  "detectors",
  "proof",
];

function csvRowOf({ mark, isAsSealed, detectors, ...row }: EntryRow): object {
  const proof = mark?.state ?? (isAsSealed ? "OK" : "");
  return { ...row, detectors: detectors.join(" "), proof };
}

function numberOf(search: URLSearchParams, name: string, other: number): number {
  const given = search.get(name);
  if (given === null) return other;
  const value = Number(given);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RequestError(400, `${name} must be a whole number`);
  return value;
}

/**
 * Streams the entries whose contents hold a text, newest first, a line of JSON or CSV each, until
 * the reader goes away. Nothing is kept.
 */
async function searchContents({ log, request, response, search }: Asked): Promise<void> {
  const { clear, deep, range } = selectionOf(search);
  if (deep === undefined) throw new RequestError(400, "text or metadata is needed");
  if (deep.text !== undefined)
    await log.recordAccess("content search", { conditions: [...clearNames(search)].join(" ") });
  const { root, blocked, failed, undecided, marked, ...conditions } = clear;
  const opener = new ContentOpener(log.encryption);
  const filter = new Filter({ ...conditions, ...deep }, opener, opener);
  const isNarrowed = root !== undefined || blocked || failed || undecided || marked;
  const isWanted = new Set(
    isNarrowed ? [...log.index.select(clear, range)].map((place) => log.index.idAt(place)) : [],
  );
  const isCsv = search.get("format") === "csv";
  if (isCsv) beginCsv(response, "search");
  else begin(response, 200, "application/x-ndjson; charset=utf-8");
  response.flushHeaders();
  if (isCsv) response.write(csvHeadOf(CSV_COLUMNS));
  let read = 0;
  let found = 0;
  for await (const page of log.storage.pages(range, "newest-first")) {
    for (const line of page) {
      read += 1;
      const entry = filter.entryOf(line);
      if (entry === undefined || (isNarrowed && !isWanted.has(entry.id))) continue;
      found += 1;
      const row = rowOf(log, entry);
      response.write(
        isCsv ? csvLineOf(csvRowOf(row), CSV_COLUMNS) : `${JSON.stringify({ row })}\n`,
      );
    }
    const progress = JSON.stringify({ read, found, unopened: filter.unopened });
    const isOpen = response.write(isCsv ? "" : `${progress}\n`);
    if (request.destroyed || response.destroyed) return;
    if (!isOpen) await drained(response);
  }
  const done = JSON.stringify({ read, found, unopened: filter.unopened, isDone: true });
  response.end(isCsv ? "" : `${done}\n`);
}

function* clearNames(search: URLSearchParams): Generator<string> {
  for (const [name, value] of search)
    if (value !== "" && name !== "text" && name !== "metadata") yield name;
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      response.off("drain", end);
      response.off("close", end);
      resolve();
    };
    response.on("drain", end);
    response.on("close", end);
  });
}

/** The entry with an id. @throws {RequestError} 404 */
async function entryOf(log: OpenedLog, id: string): Promise<AuditEntry> {
  const line = await log.storage.get(id.toLowerCase());
  const entry = line === undefined ? undefined : lineToEntry(line);
  if (entry === undefined) throw new RequestError(404, `The log has no entry ${safeLine(id)}`);
  return entry;
}

function rowOf({ index }: OpenedLog, { id, timestamp }: AuditEntry): EntryRow {
  const place = index.placeOf(id, timestamp);
  if (place === undefined) throw new RequestError(503, "The entry is new: try again");
  return index.rowAt(place);
}

async function entryView(asked: Asked): Promise<void> {
  const { log, id } = asked;
  const entry = await entryOf(log, id);
  const ids = new Set([entry.id, entry.run?.id, ...interruptsOf(entry)]);
  const { of } = entry.review ?? {};
  const reviewed =
    of === undefined
      ? undefined
      : log.index.reviews.find((each) => each.id === of || interruptsOf(each).includes(of));
  const view: EntryView = {
    entry: withoutContent(entry),
    row: rowOf(log, entry),
    reviews: log.index.reviews
      .filter(({ review }) => review !== undefined && ids.has(review.of))
      .map((review) => rowOf(log, review)),
    reviewed: reviewed === undefined ? null : rowOf(log, reviewed),
  };
  answer(asked, view, () => [view.entry]);
}

async function contentView(asked: Asked): Promise<void> {
  const { log, id } = asked;
  const entry = await entryOf(log, id);
  await log.recordAccess("content revealed", { entries: 1, of: entry.id }, entry.subject);
  const { input, output, diagnostics, values } = new ContentOpener(log.encryption).open(entry);
  const said = [
    ...(values.input === undefined ? [] : messagesOf(values.input, "user")),
    ...(values.output === undefined || values.output === ""
      ? []
      : messagesOf(values.output, "assistant")),
  ];
  const messages: MessageView[] = said.map(({ role, text, toolCalls }) => ({
    role,
    text,
    toolCalls: toolCalls.map(({ name, arguments: given }) => ({ name, arguments: given })),
  }));
  const view: ContentView = { input, output, diagnostics: diagnostics ?? null, messages };
  answer(asked, view, () => messages);
}

async function showProof({ log, id, response }: Asked): Promise<void> {
  const entry = await entryOf(log, id);
  const view = await proofOf(log, entry.id);
  sendJson(response, view);
}

async function proofOf(log: OpenedLog, id: string): Promise<ProofView> {
  const [anchor] = log.anchors;
  let text: string | undefined;
  try {
    text = await proveEntry(log.location, id, { s3: log.s3, ...(anchor && { anchor }) });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { state: "unproven", verdict: safeLine(error.message), proof: null };
  }
  if (text === undefined)
    return { state: "unproven", verdict: "The log has no such entry", proof: null };
  const sealed = checkProof(text, log.trustedKeys);
  if (anchor === undefined || sealed.exitCode !== 0) return proofView(sealed, text);
  if (sealed.anchors.length === 0)
    return proofView(
      { ...sealed, verdict: `${sealed.verdict}; not anchored yet: newer than the anchor log` },
      text,
    );
  const { vkey, witnesses = [], tsa, quorum } = anchor;
  const parties = {
    anchorKeys: [vkey],
    witnesses,
    ...(tsa !== undefined && { tsa }),
    ...(quorum !== undefined && { quorum }),
  };
  return proofView(checkProof(text, log.trustedKeys, parties), text);
}

function proofView({ exitCode, verdict: words }: ProofCheck, text: string): ProofView {
  const state = exitCode === 0 ? "proven" : exitCode === 1 ? "altered" : "unproven";
  return { state, verdict: words, proof: text };
}

/**
 * The next older entry that meets conditions, as lists are newest first; with `newer=1` the next
 * newer one.
 */
function nextEntry({ log: { index }, id, search, response }: Asked): void {
  const { clear, range } = selectionOf(search);
  const places = index.select(clear, range);
  const after = search.get("after");
  const at = after === null ? undefined : index.placeOf(id, after);
  const isNewer = search.get("newer") === "1";
  const next =
    at === undefined
      ? places.at(-1)
      : isNewer
        ? places.find((place) => place > at)
        : places.findLast((place) => place < at);
  sendJson(response, { row: next === undefined ? null : index.rowAt(next) });
}

async function treeOf(
  log: OpenedLog,
  found: readonly AuditEntry[],
  roots: ReadonlySet<string>,
): Promise<CallNode[]> {
  const runs = roots.size === 0 ? [] : await readRuns(await log.sources(), roots);
  return buildTree(found, runs);
}

async function conversation(asked: Asked): Promise<void> {
  const { log, id, search } = asked;
  const isOpened = search.get("reveal") === "1";
  const found = await readEntries(
    log.storage,
    log.rangeOf({ conversation: id }),
    id,
    ({ conversationId }) => conversationId === id,
  );
  if (found.length === 0)
    throw new RequestError(404, `The log has no conversation ${safeLine(id)}`);
  if (isOpened)
    await log.recordAccess("conversation revealed", { entries: found.length, conversation: id });
  const tree = await treeOf(log, found, rootsOf(found));
  const opener = new ContentOpener(log.encryption);
  const transcript = new Transcript();
  const nodes = [...walk(tree)];
  const toldToolCalls = new Set(
    nodes.flatMap(({ node: { entry } }) =>
      entry?.operation === "execute_tool" ? (entry.run?.toolCallId ?? []) : [],
    ),
  );
  const within: (AuditEntry | undefined)[] = [];
  const view: ConversationView = {
    id,
    figures: figuresOf(tree),
    isOpened,
    passages: nodes.map(({ node, depth }) => {
      const { entry, beganAt } = node;
      within[depth + 1] = entry?.operation === "execute_tool" ? entry : within[depth];
      const options = { transcript, within: within[depth], toldToolCalls };
      return {
        id: entry?.id ?? null,
        began: new Date(beganAt).toISOString(),
        depth,
        title: titleOf(node),
        row: entry === undefined ? null : rowOf(log, entry),
        passages:
          entry === undefined || !isOpened
            ? []
            : passagesOf(entry, { ...options, content: opener.open(entry) }),
      };
    }),
  };
  answer(asked, view, () =>
    view.passages.flatMap(({ began, title, id: of, passages }) =>
      passages.length === 0
        ? [{ began, title, id: of, label: "", text: "" }]
        : passages.map(({ label, text }) => ({ began, title, id: of, label, text })),
    ),
  );
}

async function runView(asked: Asked): Promise<void> {
  const { log, id } = asked;
  const { root, entries: found } = await readInvocation(log.storage, {}, id);
  if (found.length === 0) throw new RequestError(404, `The log has no run ${safeLine(id)}`);
  const tree = await treeOf(log, found, new Set([root, ...rootsOf(found)]));
  const view: RunView = {
    root,
    figures: figuresOf(tree),
    nodes: [...walk(tree)].map(({ node, depth }) => ({
      title: titleOf(node),
      kind: node.entry?.operation ?? node.run?.kind ?? "run",
      depth,
      beganAt: node.beganAt,
      endedAt: node.entry === undefined ? endOf(node) : Date.parse(node.entry.timestamp),
      row: node.entry === undefined ? null : rowOf(log, node.entry),
    })),
  };
  answer(asked, view, () =>
    view.nodes.map(({ row, ...node }) => ({ ...node, id: row?.id, outcome: row?.outcome })),
  );
}

/** A run without an entry ends with the last call within it. */
function endOf(node: CallNode): number {
  return figuresOf([node]).endedAt;
}

async function person(asked: Asked): Promise<void> {
  const { log, id } = asked;
  const places = log.index.select({ subjectIds: [id] }, {});
  const statistics = new Statistics();
  let withContent = 0;
  for (const place of places) {
    statistics.add(id, log.index.factsAt(place));
    if (log.index.hasContentAt(place)) withContent += 1;
  }
  const time = (place: number | undefined): string | null =>
    place === undefined ? null : new Date(log.index.timeAt(place)).toISOString();
  const { erasures } = await log.verdict();
  const own = erasures.filter(({ subject }) => subject === id);
  if (places.length === 0 && own.length === 0)
    throw new RequestError(404, `The log has nothing about ${safeLine(id)}`);
  const view: PersonView = {
    subject: id,
    total: statistics.total(),
    oldest: time(places[0]),
    newest: time(places.at(-1)),
    withContent,
    erasures: own.map(({ at, actor, reason, file }) => ({ at: at ?? null, actor, reason, file })),
  };
  answer(asked, view, () => Array.from(places, (place) => csvRowOf(log.index.rowAt(place))));
}

/** Live tail: an event for each change, until the page is closed. */
function events({ log, request, response }: Asked): void {
  begin(response, 200, "text/event-stream");
  response.flushHeaders();
  const send = (): void => {
    response.write(`data: ${JSON.stringify(stateOf(log))}\n\n`);
  };
  send();
  const stop = log.onChange(send);
  request.on("close", stop);
}
