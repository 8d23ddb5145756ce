// The checks of a report: a closed list. Each looks at one property of the log by machine, and says
// no more than it saw. Over 300 lines: one row for each check.
import { anchoringOf } from "../data/anchoring.ts";
import { plural } from "../data/format.ts";
import { share } from "./share.ts";
import type { Evidence, EvidenceSet } from "./evidence.ts";
import type { Gathered } from "./gather.ts";
import type { Verification } from "@ai-audit/core/verify";
import { createHash } from "node:crypto";
import { DAY_MS, dayOfSegment } from "@ai-audit/core/format";

/**
 * `pass`: the log shows it. `partial`: for a part, or without proof. `fail`: the log shows the
 * opposite, or lacks it. `none`: there was no case in the period.
 */
export type CheckState = "pass" | "partial" | "fail" | "none";

/** The result of a check. */
export interface CheckResult {
  readonly id: CheckId;
  /** `retention-183` for a check with a number of days. */
  readonly key: string;
  readonly title: string;
  readonly state: CheckState;
  /** The finding in one sentence. */
  readonly text: string;
  readonly evidence: Evidence;
}

/** The facts that checks look at. */
export interface Facts {
  readonly gathered: Gathered;
  readonly verification: Verification;
  /** The time of the report. */
  readonly now: Date;
  /** Options that select the report's period, for commands: `--since … --until …`. */
  readonly range: string;
}

type Finding = Pick<CheckResult, "state" | "text" | "evidence">;

interface Check {
  readonly title: string;
  readonly run: (facts: Facts, days: number) => Finding;
}

/** The names of all checks. */
export const CHECK_IDS = [
  "integrity",
  "anchored",
  "recording",
  "times",
  "content",
  "outcomes",
  "models",
  "actors",
  "runs",
  "safety-checks",
  "blocks",
  "reviews",
  "reviewers",
  "retention",
  "removals",
  "losses",
  "protection",
  "erasures",
  "holds",
  "access",
] as const;

/** The name of a check. */
export type CheckId = (typeof CHECK_IDS)[number];

const CHECKS: Readonly<Record<CheckId, Check>> = {
  integrity: {
    title: "The log is as it was sealed",
    run: ({ verification }) => ({
      state: STATES[verification.exitCode],
      text: verification.verdict,
      evidence: filesEvidence(verification),
    }),
  },
  anchored: {
    title: "The log agrees with states noted outside of it",
    run: ({ verification }) => {
      const { state, text } = anchoringOf(verification);
      return { state, text, evidence: filesEvidence(verification) };
    },
  },
  recording: {
    title: "Events are recorded automatically",
    run: ({ gathered, range }) => {
      const { all } = gathered;
      return {
        state: all.count > 0 ? "pass" : "none",
        text:
          all.count > 0
            ? `${plural(all.count, "entry", "entries")} from ${all.first} to ${all.last}, each made by the call itself.`
            : "No entry lies in this period.",
        evidence: all.evidence(exportOf(range)),
      };
    },
  },
  times: {
    title: "Each use has its beginning and its end",
    run: ({ gathered: { calls, timed }, range }) =>
      ofShare(timed, calls, "call", "calls", "have a time and a duration", exportOf(range)),
  },
  content: {
    title: "Inputs and outputs are on record",
    run: ({ gathered: { all, withContent }, range }) => ({
      state: all.count === 0 ? "none" : "pass",
      text: `All ${plural(all.count, "entry", "entries")} have hashes of input and output; ${share(withContent.count, all.count)} have the content itself.`,
      evidence: withContent.evidence(exportOf(range)),
    }),
  },
  outcomes: {
    title: "Each event has its outcome",
    run: ({ gathered: { all, withOutcome }, range }) =>
      ofShare(withOutcome, all, "entry", "entries", "have an outcome", exportOf(range)),
  },
  models: {
    title: "The model and its version are on record",
    run: ({ gathered: { modelCalls, named, versioned }, range }) => ({
      state: stateOf(versioned.count, modelCalls.count),
      text: `Of ${plural(modelCalls.count, "model call")} ${share(named.count, modelCalls.count)} name the model asked for and ${share(versioned.count, modelCalls.count)} the model served.`,
      evidence: versioned.evidence(exportOf(range)),
    }),
  },
  actors: {
    title: "The person or program that acted is on record",
    run: ({ gathered: { all, withActor }, range }) =>
      ofShare(withActor, all, "entry", "entries", "name who acted", exportOf(range)),
  },
  runs: {
    title: "Calls of agents and tools are traceable to their run",
    run: ({ gathered: { agentCalls, inRun }, range }) =>
      ofShare(
        inRun,
        agentCalls,
        "call of an agent or a tool",
        "calls of agents and tools",
        "name their run",
        exportOf(range),
      ),
  },
  "safety-checks": {
    title: "Safety checks ran, and are on record",
    run: ({ gathered: { modelCalls, checked }, range }) =>
      ofShare(
        checked,
        modelCalls,
        "model call",
        "model calls",
        "name the safety checks that ran",
        exportOf(range),
      ),
  },
  blocks: {
    title: "Blocks and refusals are on record with their reason",
    run: ({ gathered: { blocked, reasoned }, range }) =>
      blocked.count === 0
        ? {
            state: "none",
            text: "No call was blocked, refused or flagged in this period.",
            evidence: blocked.evidence(exportOf(range, "--outcome blocked")),
          }
        : ofShare(
            reasoned,
            blocked,
            "block, refusal or flag",
            "blocks, refusals and flags",
            "have a reason or a detector",
            exportOf(range, "--flagged"),
          ),
  },
  reviews: {
    title: "Requests for review were decided by a person",
    run: ({ gathered: { cases, reviews }, range }) => {
      const decided = cases.filter((one) => one.decided).length;
      const evidence = reviews.evidence(exportOf(range, "--operation human_review"));
      if (cases.length === 0)
        return { state: "none", text: "Nothing waited for a person in this period.", evidence };
      return {
        state: stateOf(decided, cases.length),
        text: `${decided} of ${plural(cases.length, "request")} for review ${decided === 1 ? "was" : "were"} decided; ${cases.length - decided} still ${cases.length - decided === 1 ? "waits" : "wait"}.`,
        evidence,
      };
    },
  },
  reviewers: {
    title: "The person who decided is on record",
    run: ({ gathered: { decisions, byPerson }, range }) =>
      decisions.count === 0
        ? {
            state: "none",
            text: "Nobody decided anything in this period.",
            evidence: decisions.evidence(exportOf(range, "--operation human_review")),
          }
        : ofShare(
            byPerson,
            decisions,
            "decision",
            "decisions",
            "name the person",
            exportOf(range, "--operation human_review"),
          ),
  },
  retention: {
    title: "Entries were kept long enough",
    run: ({ verification, now }, days) => {
      const pruned = verification.removals.filter(({ state }) => state === "PRUNED");
      const early = pruned.filter(
        ({ to, at }) => to != null && Date.parse(at) - Date.parse(to) < days * DAY_MS,
      );
      const unknown = pruned.filter(({ to }) => to === undefined);
      const missing = verification.files.filter(({ state }) => state === "MISSING");
      const evidence = recordsEvidence("removal", pruned, "ai-audit list --control");
      if (missing.length > 0 || early.length > 0)
        return {
          state: "fail",
          text: `${plural(early.length, "file")} removed before ${days} days had passed, ${plural(missing.length, "file")} missing.`,
          evidence,
        };
      const ageDays = Math.floor((now.getTime() - oldestDay(verification)) / DAY_MS);
      const isYoung = pruned.length === 0 && !(ageDays >= days);
      const texts = [
        `${pruned.length === 0 ? "No file was removed" : `${plural(pruned.length, "file")} removed`}, and none before its newest entry was ${days} days old.`,
        ...(unknown.length > 0 ? [`${plural(unknown.length, "removal")} without times.`] : []),
        ...(isYoung ? [`The log is younger than ${days} days, and does not show it yet.`] : []),
      ];
      return {
        state: unknown.length > 0 || isYoung ? "partial" : "pass",
        text: texts.join(" "),
        evidence,
      };
    },
  },
  removals: {
    title: "Each removal is on record with its rule and its actor",
    run: ({ verification }) => {
      const { removals, files } = verification;
      const missing = files.filter(({ state }) => state === "MISSING").length;
      return {
        state: missing > 0 ? "fail" : removals.length === 0 ? "none" : "pass",
        text:
          missing > 0
            ? `${plural(missing, "file")} missing without a record of the removal.`
            : `${plural(removals.length, "file")} removed or moved to an archive, each with a sealed record before it.`,
        evidence: recordsEvidence("removal", removals, "ai-audit list --control"),
      };
    },
  },
  losses: {
    title: "No entry was lost",
    run: ({ gathered: { losses }, verification: { calls } }) => {
      const lost = losses.reduce((sum, { entries }) => sum + entries, 0);
      const texts = [
        losses.length === 0
          ? "No loss is on record in this period"
          : `${plural(lost, "entry", "entries")} lost, on record in ${plural(losses.length, "line")}`,
        ...(calls.neverEnded > 0
          ? [`${plural(calls.neverEnded, "call")} begun without an end on record`]
          : []),
      ];
      return {
        state: losses.length + calls.neverEnded === 0 ? "pass" : "partial",
        text: `${texts.join("; ")}. A log cannot show calls that never reached it.`,
        evidence: recordsEvidence("loss", losses, "ai-audit list --control"),
      };
    },
  },
  protection: {
    title: "Content that is kept is encrypted",
    run: ({ gathered: { withContent, plain }, range }) => ({
      state:
        withContent.count === 0
          ? "none"
          : plain.count === 0
            ? "pass"
            : plain.count < withContent.count
              ? "partial"
              : "fail",
      text:
        withContent.count === 0
          ? "No content is kept: hashes alone."
          : `${plural(plain.count, "entry", "entries")} of ${withContent.count} with content ${plain.count === 1 ? "keeps" : "keep"} it in clear text.`,
      evidence: plain.evidence(exportOf(range)),
    }),
  },
  erasures: {
    title: "Erasures of a person's content are on record",
    run: ({ gathered: { erasures } }) => ({
      state: erasures.length === 0 ? "none" : "pass",
      text: `${plural(erasures.length, "erasure")} in this period, each with its actor and its reason.`,
      evidence: recordsEvidence("erasure", erasures, "ai-audit list --control"),
    }),
  },
  holds: {
    title: "Legal holds are on record",
    run: ({ verification: { holds } }) => ({
      state: holds.length === 0 ? "none" : "pass",
      text: `${plural(holds.filter(({ released }) => released === undefined).length, "hold")} in force, ${holds.filter(({ released }) => released !== undefined).length} released.`,
      evidence: recordsEvidence("hold", holds, "ai-audit hold list"),
    }),
  },
  access: {
    title: "Access to content is on record",
    run: ({ gathered: { access }, range }) => ({
      state: access.count === 0 ? "none" : "pass",
      text:
        access.count === 0
          ? "No access to content is on record here. Reading without a record is possible for anybody with the key."
          : `${plural(access.count, "access", "accesses")} to content on record, each with its actor.`,
      evidence: access.evidence(exportOf(range, "--operation event")),
    }),
  },
};

/** Whether a value is the name of a check. */
export function isCheckId(value: unknown): value is CheckId {
  return typeof value === "string" && Object.hasOwn(CHECKS, value);
}

/** Runs a check. @param days for `retention` */
export function runCheck(id: CheckId, facts: Facts, days = 0): CheckResult {
  const { title, run } = CHECKS[id];
  const key = id === "retention" ? `${id}-${days}` : id;
  const named = id === "retention" ? `${title}: ${days} days` : title;
  return { id, key, title: named, ...run(facts, days) };
}

const STATES = { 0: "pass", 1: "fail", 2: "partial", 3: "fail" } as const;

function ofShare(
  part: EvidenceSet,
  whole: EvidenceSet,
  one: string,
  many: string,
  what: string,
  command: string,
): Finding {
  return {
    state: stateOf(part.count, whole.count),
    text: `${share(part.count, whole.count)} of ${plural(whole.count, one, many)} ${what}.`,
    evidence: part.evidence(command),
  };
}

function stateOf(part: number, whole: number): CheckState {
  if (whole === 0) return "none";
  if (part === whole) return "pass";
  return part === 0 ? "fail" : "partial";
}

function exportOf(range: string, condition = ""): string {
  return ["ai-audit export", condition, range].filter((word) => word !== "").join(" ");
}

/** The states of the files: their names, sizes and roots. */
function filesEvidence({ files }: Verification): Evidence {
  const lines = files.map(({ file, leaves, head }) => `${file} ${leaves} ${head?.root ?? "-"}`);
  return {
    kind: "files",
    count: files.length,
    sha256: digestOf(lines),
    examples: files.slice(-5).map(({ file }) => file),
    command: "ai-audit verify --files --trust VKEY",
  };
}

function recordsEvidence(
  kind: "removal" | "loss" | "erasure" | "hold",
  records: readonly object[],
  command: string,
): Evidence {
  return {
    kind: "records",
    count: records.length,
    sha256: digestOf(records.map((record) => JSON.stringify(record))),
    examples: records.slice(0, 5).map((record) => nameOf(kind, record)),
    command,
  };
}

function nameOf(kind: string, record: object): string {
  const name: unknown = Reflect.get(
    record,
    kind === "erasure" ? "subject" : kind === "hold" ? "hold" : "file",
  );
  return typeof name === "string" ? name : kind;
}

/** The UTC day of the oldest file, in milliseconds since the epoch; NaN without one. */
function oldestDay({ files }: Verification): number {
  const days = files.flatMap(
    ({ file }) => dayOfSegment(file.slice(file.lastIndexOf("/") + 1)) ?? [],
  );
  const [day = ""] = days.toSorted();
  return Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`);
}

function digestOf(lines: readonly string[]): string {
  return createHash("sha256")
    .update(lines.map((line) => `${line}\n`).join(""))
    .digest("hex");
}
