// A report as one HTML file, for a screen and for paper. No script is in it, and no request leaves
// it. Over 300 lines: one function for each section, in their order.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { safeLine } from "@ai-audit/core/format";
import { h } from "preact";
import { renderToString } from "preact-render-to-string";
import { Legend } from "../charts/legend.ts";
import { TimeBars } from "../charts/time-bars.ts";
import { formatCount, formatMs, formatTime, plural } from "../data/format.ts";
import type { GroupFigures } from "@ai-audit/core/reading";
import type { CheckResult } from "./check.ts";
import type { ListedEntry } from "./gather.ts";
import { share } from "./share.ts";
import type { JudgedRequirement, Report } from "./report.ts";
import {
  CHECK_WORDS,
  cutNote,
  decisionsOf,
  LIMITS,
  periodOf,
  REQUIREMENT_WORDS,
  stateCounts,
  VERDICT_WORDS,
  type Word,
} from "./words.ts";

const DAY_MS = 86_400_000;
/** Rows of tables that JSON has in full. */
const MAX_ROWS = 400;

/** The report as an HTML document. */
export async function reportToHtml(report: Report): Promise<string> {
  const style = await readStyle();
  const policy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'`;
  const { profile } = report;
  const title = profile === null ? "Report on an audit log" : `Report: ${profile.title}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${esc(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${[
  titleBlock(report, profile?.title ?? "Report on an audit log"),
  requirementsSection(report),
  volumeSection(report),
  modelsSection(report),
  usesSection(report),
  integritySection(report),
  blocksSection(report),
  reviewsSection(report),
  retentionSection(report),
  coverageSection(report),
  accessSection(report),
  evidenceSection(report),
  footer(report),
].join("\n")}
</main>
</body>
</html>
`;
}

/** Style sheets of the viewer's pages, and the report's own. */
async function readStyle(): Promise<string> {
  const sheets = ["tokens", "charts", "report"].map((name) =>
    readFile(new URL(`../../src/styles/${name}.css`, import.meta.url), "utf8"),
  );
  return (await Promise.all(sheets)).join("\n");
}

function titleBlock(report: Report, title: string): string {
  const { integrity, volume, profile, location, made, version } = report;
  const { word, tone } = VERDICT_WORDS[integrity.exitCode] ?? { word: "?", tone: "bad" };
  const waiting = report.reviews.filter(({ state }) => state === "waiting").length;
  const lost = report.losses.reduce((sum, { entries }) => sum + entries, 0);
  const { total } = volume;
  return `<header>
<p class="kicker">Report on an audit log of AI calls</p>
<h1>${esc(title)}</h1>
<dl>
<dt>Period</dt><dd>${esc(periodOf(report))}</dd>
<dt>Log</dt><dd><code>${esc(location)}</code></dd>
${profile === null ? "" : `<dt>Profile</dt><dd>${esc(profile.id)}, as of ${esc(profile.asOf)}</dd>`}
<dt>Made</dt><dd>${esc(formatTime(made))} UTC by ai-audit ${esc(version)}</dd>
</dl>
</header>
<div class="verdict ${tone}"><strong>${word}</strong><span>${esc(integrity.verdict)}</span></div>
<div class="tiles">
${tile(formatCount(total.calls), "calls")}
${tile(formatCount(total.blocked), "blocked")}
${tile(formatCount(total.flagged), "flagged by safety")}
${tile(formatCount(total.errors), "errors")}
${tile(formatCount(waiting), "reviews waiting")}
${tile(formatCount(lost), "entries lost")}
</div>`;
}

function tile(value: string, name: string): string {
  return `<div><b>${value}</b><span>${name}</span></div>`;
}

function requirementsSection(report: Report): string {
  const { profile, requirements } = report;
  if (profile === null) return "";
  const rows = requirements.map((requirement) => requirementRow(requirement, report));
  return `<h2 id="requirements">Requirements</h2>
<p>${esc(stateCounts(report))}. Each state follows from the checks named; “partly” names the part that no log can show.</p>
${profile.notes.map((note) => `<p class="muted">${esc(note)}</p>`).join("\n")}
${table(["Requirement", "State", "Evidence in this log"], rows)}
<p class="muted">Sources: ${profile.sources.map(({ title, url }) => `<a href="${esc(url)}" rel="noreferrer">${esc(title)}</a>`).join("; ")}.</p>`;
}

function requirementRow(requirement: JudgedRequirement, { results }: Report): string {
  const { id, title, text, inForce, beyond, state } = requirement;
  const findings = requirement.results.flatMap((key) => {
    const result = results.find((each) => each.key === key);
    return result === undefined ? [] : [finding(result)];
  });
  const limit = beyond === undefined ? "" : `<small>Not shown by a log: ${esc(beyond)}</small>`;
  const force = inForce === undefined ? "" : `<small>in force ${esc(inForce)}</small>`;
  return cells([
    `<strong>${esc(id)}</strong> ${esc(title)}<small>${esc(text)}</small>${force}`,
    badge(REQUIREMENT_WORDS[state]),
    `${findings.join("")}${limit}`,
  ]);
}

function finding({ key, title, state, evidence }: CheckResult): string {
  const { word } = CHECK_WORDS[state];
  return `<div><a href="#check-${key}">${esc(title)}</a>: ${word} <code title="SHA-256 of the evidence">${evidence.sha256.slice(0, 12)}…</code></div>`;
}

function volumeSection({ volume }: Report): string {
  const { byDay, byOperation, byActor, byOutcome, total } = volume;
  const days = byDay.length > MAX_ROWS ? byDay.slice(-MAX_ROWS) : byDay;
  return `<h2 id="volume">Volume</h2>
${dayChart(byDay)}
${table(columns("Day"), [...days.map(figureRow), figureRow({ ...total, group: "all" })])}
<h3>By operation</h3>
${table(columns("Operation"), byOperation.slice(0, MAX_ROWS).map(figureRow))}
<h3>By outcome</h3>
${table(
  ["Outcome", "#Calls", "#Events", "#Share of calls"],
  byOutcome.map(({ group, calls, events }) =>
    cells(
      [esc(group), formatCount(calls), formatCount(events), share(calls, total.calls)],
      [1, 2, 3],
    ),
  ),
)}
<h3>By actor</h3>
${table(columns("Actor"), byActor.slice(0, MAX_ROWS).map(figureRow))}`;
}

function columns(name: string): string[] {
  return [name, "#Calls", "#Tokens in", "#Tokens out", "#p50", "#p95", "#Errors", "#Blocked"];
}

function dayChart(byDay: readonly GroupFigures[]): string {
  const first = byDay[0];
  const last = byDay.at(-1);
  if (first === undefined || last === undefined) return "";
  const from = Date.parse(first.group);
  const days = Math.round((Date.parse(last.group) - from) / DAY_MS) + 1;
  if (!(days >= 2 && days <= 3700)) return "";
  const valuesOf = (of: (figures: GroupFigures) => number): number[] => {
    const values = Array.from({ length: days }, () => 0);
    for (const figures of byDay)
      values[Math.round((Date.parse(figures.group) - from) / DAY_MS)] = of(figures);
    return values;
  };
  const series = [
    {
      name: "passed",
      tone: "series-1",
      values: valuesOf(({ calls, blocked, errors, stopped }) =>
        Math.max(0, calls - blocked - errors - stopped),
      ),
    },
    { name: "blocked", tone: "series-3", values: valuesOf(({ blocked }) => blocked) },
    { name: "errors", tone: "series-2", values: valuesOf(({ errors }) => errors) },
    { name: "stopped", tone: "series-4", values: valuesOf(({ stopped }) => stopped) },
  ];
  const chart = h(TimeBars, { title: "Calls by day", from, stepMs: DAY_MS, series });
  return `<figure><figcaption>Calls by day (UTC)</figcaption>${renderToString(chart)}${renderToString(h(Legend, { series }))}</figure>`;
}

function figureRow({
  group,
  calls,
  inputTokens,
  outputTokens,
  latencyMs,
  errors,
  blocked,
}: GroupFigures): string {
  return cells(
    [
      esc(group),
      formatCount(calls),
      figure(inputTokens),
      figure(outputTokens),
      formatMs(latencyMs.p50),
      formatMs(latencyMs.p95),
      formatCount(errors),
      formatCount(blocked),
    ],
    [1, 2, 3, 4, 5, 6, 7],
  );
}

function modelsSection({ models }: Report): string {
  const most = Math.max(1, ...models.map(({ figures }) => figures.calls));
  const rows = models.map(({ provider, model, versions, figures, first, last }) =>
    cells(
      [
        `${esc(model ?? "not named")}<small>${esc(provider ?? "provider not known")}</small>`,
        versions.length === 0 ? "–" : esc(versions.join(", ")),
        formatCount(figures.calls),
        `<svg class="bar" viewBox="0 0 100 6" width="100" height="6" preserveAspectRatio="none" aria-hidden="true"><rect width="${((100 * figures.calls) / most).toFixed(1)}" height="6"/></svg>`,
        `${esc(formatTime(first))}<small>to ${esc(formatTime(last))}</small>`,
      ],
      [2],
    ),
  );
  return `<h2 id="models">Models and versions</h2>
${models.length === 0 ? "<p>No model was called in this period.</p>" : table(["Model asked for", "Served as", "#Calls", "", "In use"], rows)}`;
}

function usesSection({ uses }: Report): string {
  const shown = uses.slice(-MAX_ROWS);
  const rows = shown.map(({ from, to, entries }) =>
    cells(
      [
        esc(formatTime(from)),
        esc(formatTime(to)),
        formatMs(Date.parse(to) - Date.parse(from)),
        formatCount(entries),
      ],
      [2, 3],
    ),
  );
  const cut = shown.length < uses.length ? ` The last ${shown.length} are listed.` : "";
  return `<h2 id="uses">Periods of use</h2>
<p>${plural(uses.length, "period")}. A period ends where no call follows within an hour.${cut}</p>
${rows.length === 0 ? "" : table(["Begin (UTC)", "End (UTC)", "#Length", "#Entries"], rows)}`;
}

function integritySection({ integrity }: Report): string {
  const { files, verdict, anchoring, newest } = integrity;
  const notable = files.filter(({ problems }) => problems.length > 0);
  const shown = [...notable, ...files.filter(({ problems }) => problems.length === 0)].slice(
    0,
    MAX_ROWS,
  );
  const rows = shown.map(({ file, state, entries, leaves, head, signedBy, problems }) =>
    cells(
      [
        `<code>${esc(file)}</code>${problems.map(({ message }) => `<small>${esc(message)}</small>`).join("")}`,
        esc(state),
        formatCount(entries),
        formatCount(leaves),
        `<code>${esc(head?.root ?? "–")}</code><small>${esc(signedBy ?? "by no key that was given")}</small>`,
      ],
      [2, 3],
    ),
  );
  return `<h2 id="integrity">Integrity and anchoring</h2>
<p>${esc(verdict)}</p>
<p>${esc(anchoring)} ${newest === null ? "" : `The newest sealed time is ${esc(formatTime(newest))} UTC.`}</p>
${table(["File", "State", "#Entries", "#Leaves", "Root, and key"], rows)}
${shown.length < files.length ? `<p class="muted">${plural(files.length - shown.length, "further file")} without a finding.</p>` : ""}`;
}

function blocksSection({ blocks }: Report): string {
  const note = cutNote(blocks.entries.length, blocks.count);
  return `<h2 id="blocks">Blocks and refusals</h2>
<p>${blocks.count === 0 ? "No call was blocked, refused or flagged in this period." : `${plural(blocks.count, "entry", "entries")} blocked, refused, or flagged by a safety check.`} ${note ?? ""}</p>
${entryTable(blocks.entries)}`;
}

function entryTable(entries: readonly ListedEntry[]): string {
  if (entries.length === 0) return "";
  return table(
    ["Time (UTC), entry", "Call", "Actor", "Outcome", "Reason and detectors"],
    entries.map(({ id, time, operation, target, actor, outcome, reason, detectors }) =>
      cells([
        `${esc(formatTime(time))}<small><code>${esc(id)}</code></small>`,
        `${esc(target ?? "–")}<small>${esc(operation ?? "")}</small>`,
        esc(actor ?? "–"),
        esc(outcome ?? "–"),
        `${esc(reason ?? "–")}<small>${esc(detectors.join(", "))}</small>`,
      ]),
    ),
  );
}

function reviewsSection({ reviews }: Report): string {
  const rows = reviews
    .slice(0, 10_000)
    .map((review) =>
      cells(
        [
          `${esc(formatTime(review.requested))}<small><code>${esc(review.id)}</code></small>`,
          esc(review.target ?? "–"),
          badge(
            review.state === "decided"
              ? { word: "decided", tone: "good" }
              : { word: "waiting", tone: "warn" },
          ),
          esc(decisionsOf(review)),
          formatMs(review.waitedMs),
        ],
        [4],
      ),
    );
  const waiting = reviews.filter(({ state }) => state === "waiting").length;
  return `<h2 id="reviews">Reviews by people</h2>
<p>${reviews.length === 0 ? "Nothing waited for a person in this period." : `${plural(reviews.length, "request")} for review; ${formatCount(waiting)} without a decision.`}</p>
${rows.length === 0 ? "" : table(["Requested (UTC), entry", "What", "State", "Decisions", "#Waited"], rows)}`;
}

function retentionSection({ retention }: Report): string {
  const { removals, holds, erasures } = retention;
  const removed = removals
    .slice(-MAX_ROWS)
    .map(({ file, state, at, policy, actor, location }) =>
      cells([
        `<code>${esc(file)}</code>`,
        state === "PRUNED" ? "removed" : `moved to <code>${esc(location ?? "")}</code>`,
        esc(formatTime(at)),
        esc(policy ?? "–"),
        esc(actor ?? "–"),
      ]),
    );
  const held = holds.map(({ hold, from, to, reason, actor, placed, released }) =>
    cells([
      `<code>${esc(hold)}</code><small>${esc(reason)}</small>`,
      `${esc(from ?? "the beginning")} to ${esc(to ?? "open end")}`,
      `${esc(formatTime(placed))} by ${esc(actor)}`,
      released === undefined ? "in force" : `released ${esc(formatTime(released))}`,
    ]),
  );
  const erased = erasures.map(({ subject, actor, reason, at }) =>
    cells([
      `<code>${esc(subject)}</code>`,
      esc(at === undefined ? "–" : formatTime(at)),
      esc(actor),
      esc(reason),
    ]),
  );
  return `<h2 id="retention">Retention, holds, erasures</h2>
<h3>Removed files</h3>
${removed.length === 0 ? "<p>No file was removed.</p>" : table(["File", "What", "When (UTC)", "Rule", "By"], removed)}
<h3>Legal holds</h3>
${held.length === 0 ? "<p>No hold is on record.</p>" : table(["Hold", "Entries held", "Placed (UTC)", "State"], held)}
<h3>Erasures</h3>
${erased.length === 0 ? "<p>No content of a person was erased in this period.</p>" : table(["Subject", "When (UTC)", "By", "Reason"], erased)}`;
}

function coverageSection({ losses, calls, uses }: Report): string {
  const pauses = uses
    .slice(1)
    .map((use, index) => ({ from: uses[index]?.to ?? "", to: use.from }))
    .map((pause) => ({ ...pause, ms: Date.parse(pause.to) - Date.parse(pause.from) }))
    .toSorted((a, b) => b.ms - a.ms);
  const lost = losses.map(({ from, to, entries, reason, certain, file }) =>
    cells(
      [
        `${esc(formatTime(from))}<small>to ${esc(formatTime(to))}</small>`,
        `${formatCount(entries)}${certain ? "" : " at most"}`,
        esc(reason),
        `<code>${esc(file)}</code>`,
      ],
      [1],
    ),
  );
  return `<h2 id="coverage">Coverage and losses</h2>
${lost.length === 0 ? "<p>No loss is on record in this period.</p>" : table(["Time (UTC)", "#Entries", "Reason", "Recorded in"], lost)}
<p>${calls.neverEnded === 0 ? "Every call that began has its end on record." : `${plural(calls.neverEnded, "call")} began and ${calls.neverEnded === 1 ? "has" : "have"} no end on record.`}</p>
${
  pauses.length === 0
    ? ""
    : `<h3>Longest hours without entries, between busy ones</h3>
${table(
  ["From (UTC)", "To (UTC)", "#Length"],
  pauses
    .slice(0, 10)
    .map(({ from, to, ms }) =>
      cells([esc(formatTime(from)), esc(formatTime(to)), formatMs(ms)], [2]),
    ),
)}`
}`;
}

function accessSection({ access }: Report): string {
  const note = cutNote(access.entries.length, access.count);
  return `<h2 id="access">Access to content</h2>
<p>${access.count === 0 ? "No access to content is on record in this log. Anybody with the key and the files can read without a record." : `${plural(access.count, "access", "accesses")} on record. ${note ?? ""}`}</p>
${entryTable(access.entries)}`;
}

function evidenceSection({ results }: Report): string {
  const rows = results.map(({ key, title, state, text, evidence }) =>
    cells([
      `<span id="check-${key}">${esc(title)}</span><small>${esc(text)}</small>`,
      badge(CHECK_WORDS[state]),
      `${counted(evidence)}${evidence.examples.length === 0 ? "" : `<small>${evidence.examples.map((each) => `<code>${esc(each)}</code>`).join(" ")}</small>`}<small>SHA-256 <code>${evidence.sha256}</code></small><small><code>${esc(evidence.command)}</code></small>`,
    ]),
  );
  return `<h2 id="evidence">Checks and their evidence</h2>
<p>Each check was made by machine. The digest of entries is over their lines, each with its line feed, in the order of the export; the command shows them.</p>
${table(["Check", "State", "Evidence"], rows)}`;
}

function counted({ kind, count }: CheckResult["evidence"]): string {
  const [one, many] = KINDS[kind];
  return plural(count, one, many);
}

const KINDS = {
  entries: ["entry", "entries"],
  files: ["file", "files"],
  records: ["record", "records"],
} as const;

function footer({ version }: Report): string {
  return `<footer>
${LIMITS.map((limit) => `<p>${esc(limit)}</p>`).join("\n")}
<p>ai-audit ${esc(version)}. The same report as data: <code>ai-audit report --format json</code>.</p>
</footer>`;
}

/** A table. A title that begins with `#` is of numbers. Rows are HTML. */
function table(titles: readonly string[], rows: readonly string[]): string {
  const head = titles
    .map((title) =>
      title.startsWith("#")
        ? `<th scope="col" class="number">${esc(title.slice(1))}</th>`
        : `<th scope="col">${esc(title)}</th>`,
    )
    .join("");
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`;
}

/** A row of cells, which are HTML. @param numbers places of numbers */
function cells(contents: readonly string[], numbers: readonly number[] = []): string {
  const parts = contents.map((content, place) =>
    numbers.includes(place) ? `<td class="number">${content}</td>` : `<td>${content}</td>`,
  );
  return `<tr>${parts.join("")}</tr>`;
}

function badge({ word, tone }: Word): string {
  return `<span class="state ${tone}">${esc(word)}</span>`;
}

function figure(value: number | null): string {
  return value === null ? "–" : formatCount(value);
}

/** Text of the log as text of a document: nothing in it is markup, or turns other text around. */
function esc(text: string): string {
  return safeLine(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
