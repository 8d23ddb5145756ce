// A report as Markdown, for a ticket or a wiki.
import { safeLine } from "@ai-audit/core/format";
import { formatCount, formatMs, formatTime, plural } from "../data/format.ts";
import type { Report } from "./report.ts";
import {
  CHECK_WORDS,
  cutNote,
  decisionsOf,
  LIMITS,
  periodOf,
  REQUIREMENT_WORDS,
  stateCounts,
  VERDICT_WORDS,
} from "./words.ts";

/** The report as a Markdown document. */
export function reportToMarkdown(report: Report): string {
  const { profile, integrity, volume, models, uses, blocks, reviews } = report;
  const { retention, losses, calls, access, results, requirements } = report;
  const parts = [
    `# ${text(profile?.title ?? "Report on an audit log")}`,
    `- Period: ${text(periodOf(report))}\n- Log: ${text(report.location)}\n- Made: ${formatTime(report.made)} UTC by ai-audit ${text(report.version)}`,
    `**${VERDICT_WORDS[integrity.exitCode]?.word ?? "?"}**: ${text(integrity.verdict)}`,
    text(integrity.anchoring),
    ...(profile === null
      ? []
      : [
          "## Requirements",
          `${stateCounts(report)}.`,
          ...profile.notes.map(text),
          table(
            ["requirement", "state", "evidence in this log", "not shown by a log"],
            requirements.map(({ id, title, inForce, state, results: keys, beyond }) => [
              `${id} ${title}${inForce === undefined ? "" : ` (in force ${inForce})`}`,
              REQUIREMENT_WORDS[state].word,
              keys
                .map((key) => {
                  const result = results.find((each) => each.key === key);
                  return result === undefined
                    ? key
                    : `${result.title}: ${CHECK_WORDS[result.state].word}`;
                })
                .join("; "),
              beyond ?? "",
            ]),
          ),
          `Sources: ${profile.sources.map(({ title, url }) => `[${text(title)}](${url})`).join("; ")}.`,
        ]),
    "## Volume",
    table(
      ["day", "calls", "tokens in", "tokens out", "p50", "p95", "errors", "blocked"],
      [...volume.byDay, { ...volume.total, group: "all" }].map((figures) => [
        figures.group,
        formatCount(figures.calls),
        figure(figures.inputTokens),
        figure(figures.outputTokens),
        formatMs(figures.latencyMs.p50),
        formatMs(figures.latencyMs.p95),
        formatCount(figures.errors),
        formatCount(figures.blocked),
      ]),
    ),
    "## Models and versions",
    table(
      ["model", "provider", "served as", "calls", "first", "last"],
      models.map(({ model, provider, versions, figures, first, last }) => [
        model ?? "not named",
        provider ?? "not known",
        versions.join(", "),
        formatCount(figures.calls),
        formatTime(first),
        formatTime(last),
      ]),
    ),
    "## Periods of use",
    table(
      ["begin", "end", "entries"],
      uses.map(({ from, to, entries }) => [formatTime(from), formatTime(to), formatCount(entries)]),
    ),
    "## Integrity",
    table(
      ["file", "state", "entries", "root"],
      integrity.files.map(({ file, state, entries, head }) => [
        file,
        state,
        formatCount(entries),
        head?.root ?? "–",
      ]),
    ),
    "## Blocks and refusals",
    `${plural(blocks.count, "entry", "entries")}. ${cutNote(blocks.entries.length, blocks.count) ?? ""}`.trim(),
    table(
      ["time", "entry", "call", "actor", "outcome", "reason and detectors"],
      blocks.entries.map(({ time, id, target, actor, outcome, reason, detectors }) => [
        formatTime(time),
        id,
        target ?? "–",
        actor ?? "–",
        outcome ?? "–",
        [reason ?? "", ...detectors].filter((word) => word !== "").join(", "),
      ]),
    ),
    "## Reviews by people",
    table(
      ["requested", "entry", "state", "decisions"],
      reviews.map((review) => [
        formatTime(review.requested),
        review.id,
        review.state,
        decisionsOf(review),
      ]),
    ),
    "## Retention, holds, erasures",
    `${plural(retention.removals.length, "file")} removed or moved, ${plural(retention.holds.length, "hold")}, ${plural(retention.erasures.length, "erasure")}.`,
    "## Coverage and losses",
    `${plural(
      losses.reduce((sum, { entries }) => sum + entries, 0),
      "entry",
      "entries",
    )} lost; ${plural(calls.neverEnded, "call")} without an end on record.`,
    "## Access to content",
    access.count === 0
      ? "No access to content is on record in this log."
      : `${plural(access.count, "access", "accesses")} on record.`,
    "## Checks and their evidence",
    table(
      ["check", "state", "finding", "evidence", "SHA-256"],
      results.map(({ title, state, text: found, evidence }) => [
        title,
        CHECK_WORDS[state].word,
        found,
        `${formatCount(evidence.count)} ${evidence.kind}: \`${evidence.command}\``,
        evidence.sha256,
      ]),
    ),
    "## Limits",
    LIMITS.map((limit) => `- ${limit}`).join("\n"),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "None.";
  return [line(titles), `|${titles.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

function line(cells: readonly string[]): string {
  return `| ${cells.map(text).join(" | ")} |`;
}

function figure(value: number | null): string {
  return value === null ? "–" : formatCount(value);
}

/** Text of the log as Markdown: no markup in it works, and it stays in its cell. */
function text(value: string): string {
  return safeLine(value).replaceAll(/[\\|<>[\]*_&!#]/g, String.raw`\$&`);
}
