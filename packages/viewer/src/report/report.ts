// A report on a log: figures, findings, and the requirements of a profile that they speak for.
import { AuditInputError, type AuditStorage } from "@ai-audit/core";
import type { RecordedHold, RecordedRemoval, Verification } from "@ai-audit/core/verify";
import { VERSION } from "../version.ts";
import { type CheckId, type CheckResult, CHECK_IDS, runCheck } from "./check.ts";
import { gather, type Gathered, type ListedEntry } from "./gather.ts";
import type { Profile, Requirement } from "./profile.ts";

/** The log that a report is about. */
export interface ReportedLog {
  readonly storage: AuditStorage;
  /** The result of `verifyLog()` on the same log. */
  readonly verification: Verification;
  /** Its directory, or `s3://bucket/prefix`, for the reader. */
  readonly location: string;
}

/** Options of a report. */
export interface ReportOptions {
  /** First and last time of the period, both inclusive. @default from the first entry, to the last */
  readonly from?: Date;
  readonly to?: Date;
  /** Requirements to look at. @default none: figures and findings alone */
  readonly profile?: Profile;
  /** @default the system's clock */
  readonly now?: Date;
  /** Called with the share of the log that is read, from 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/**
 * `met`: each check that speaks for it passes, and nothing is left to show. `partly`: for a part of
 * it. `not met`: the log shows the opposite. `no case`: nothing happened that it is about.
 * `outside`: not a matter of logs.
 */
export type RequirementState = "met" | "partly" | "not met" | "no case" | "outside";

/** A requirement, and what this log shows of it. */
export interface JudgedRequirement extends Requirement {
  readonly state: RequirementState;
  /** Keys of the results that it rests on. */
  readonly results: readonly string[];
}

/** A decision of a person, or a request that waits for one. No content. */
export interface ReportedReview {
  readonly id: string;
  readonly requested: string;
  readonly target: string | null;
  readonly state: "decided" | "waiting";
  readonly waitedMs: number;
  readonly decisions: readonly {
    readonly id: string;
    readonly time: string;
    readonly verdict: string;
    readonly by: string | null;
    readonly role: string | null;
  }[];
}

/** A report, as data. It holds no content of the log. */
export interface Report {
  readonly format: "ai-audit-report@v1";
  readonly version: string;
  readonly made: string;
  readonly location: string;
  /** RFC 3339; null for an open end. */
  readonly period: { readonly from: string | null; readonly to: string | null };
  readonly profile: Omit<Profile, "requirements"> | null;
  readonly integrity: Pick<Verification, "exitCode" | "verdict" | "entries" | "files" | "pins"> & {
    readonly newest: string | null;
    /** In plain words: `Not anchored: …`. */
    readonly anchoring: string;
  };
  readonly volume: Pick<Gathered, "total" | "byDay" | "byOperation" | "byActor" | "byOutcome">;
  readonly models: Gathered["models"];
  readonly uses: Gathered["uses"];
  readonly blocks: { readonly count: number; readonly entries: readonly ListedEntry[] };
  readonly reviews: readonly ReportedReview[];
  readonly retention: {
    readonly removals: readonly RecordedRemoval[];
    readonly holds: readonly RecordedHold[];
    readonly erasures: Gathered["erasures"];
  };
  readonly losses: Gathered["losses"];
  readonly calls: Verification["calls"];
  readonly access: { readonly count: number; readonly entries: readonly ListedEntry[] };
  readonly results: readonly CheckResult[];
  readonly requirements: readonly JudgedRequirement[];
}

/**
 * A report on a log. Reads the entries of the period once; holds figures, digests, and the blocks,
 * reviews and accesses.
 *
 * @throws {AuditInputError} `AUDIT_INPUT_INVALID` for a period that ends before it begins
 */
export async function createReport(
  { storage, verification, location }: ReportedLog,
  options: ReportOptions = {},
): Promise<Report> {
  const { from, to, profile, now = new Date(), onProgress } = options;
  if (from !== undefined && to !== undefined && from > to)
    throw new AuditInputError("The report's period ends before it begins");
  const range = {
    ...(from !== undefined && { from: from.getTime() }),
    ...(to !== undefined && { to: to.getTime() }),
  };
  const gathered = await gather(storage, { range, now, verification, onProgress });
  const facts = { gathered, verification, now, range: rangeWords(from, to) };
  const results = new Map<string, CheckResult>();
  const add = (id: CheckId, days?: number): string => {
    const result = runCheck(id, facts, days);
    results.set(result.key, result);
    return result.key;
  };
  for (const id of CHECK_IDS) if (id !== "retention") add(id);
  const requirements = (profile?.requirements ?? []).map((requirement) => {
    const keys = requirement.checks.map((id) => add(id, requirement.days));
    return {
      ...requirement,
      state: judge(
        requirement,
        keys.flatMap((key) => results.get(key) ?? []),
      ),
      results: keys,
    };
  });
  const { exitCode, verdict, entries, files, pins, newest, removals, holds, calls } = verification;
  return {
    format: "ai-audit-report@v1",
    version: VERSION,
    made: now.toISOString(),
    location,
    period: { from: from?.toISOString() ?? null, to: to?.toISOString() ?? null },
    profile: profile === undefined ? null : withoutRequirements(profile),
    integrity: {
      exitCode,
      verdict,
      entries,
      files,
      pins,
      newest: newest ?? null,
      anchoring: results.get("anchored")?.text ?? "",
    },
    volume: {
      total: gathered.total,
      byDay: gathered.byDay,
      byOperation: gathered.byOperation,
      byActor: gathered.byActor,
      byOutcome: gathered.byOutcome,
    },
    models: gathered.models,
    uses: gathered.uses,
    blocks: { count: gathered.blocked.count, entries: gathered.listedBlocks },
    reviews: gathered.cases.map(reported),
    retention: { removals, holds, erasures: gathered.erasures },
    losses: gathered.losses,
    calls,
    access: { count: gathered.access.count, entries: gathered.listedAccess },
    results: [...results.values()],
    requirements,
  };
}

/** A requirement's state. Nothing is met without a check that passes. */
function judge({ checks, beyond }: Requirement, results: readonly CheckResult[]): RequirementState {
  if (checks.length === 0) return "outside";
  const states = results.map(({ state }) => state).filter((state) => state !== "none");
  if (states.length === 0) return "no case";
  if (states.every((state) => state === "fail")) return "not met";
  return beyond === undefined && states.every((state) => state === "pass") ? "met" : "partly";
}

function withoutRequirements({
  id,
  title,
  asOf,
  sources,
  notes,
}: Profile): Omit<Profile, "requirements"> {
  return { id, title, asOf, sources, notes };
}

function rangeWords(from: Date | undefined, to: Date | undefined): string {
  return [
    ...(from === undefined ? [] : [`--since ${from.toISOString()}`]),
    ...(to === undefined ? [] : [`--until ${to.toISOString()}`]),
  ].join(" ");
}

function reported({
  entry,
  decisions,
  decided,
  waitedMs,
}: Gathered["cases"][number]): ReportedReview {
  return {
    id: entry.id,
    requested: entry.timestamp,
    target: entry.run?.name ?? entry.operation ?? null,
    state: decided ? "decided" : "waiting",
    waitedMs,
    decisions: decisions.map((decision) => ({
      id: decision.id,
      time: decision.timestamp,
      verdict: decision.review?.verdict ?? "decided",
      by: decision.actor?.id ?? null,
      role: decision.review?.role ?? decision.actor?.role ?? null,
    })),
  };
}
