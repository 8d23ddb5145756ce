// One log has one set of figures: in the viewer, the report, `stats --json`, and SQL.
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { AuditSql } from "@ai-audit/core/sql";
import { ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { sharedDirectory } from "@ai-audit/test-support/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeBusyLog } from "../../viewer/test/support/busy-log.ts";
import { buildBundle, openViewer, type OpenViewer } from "../../viewer/test/support/viewer.ts";
import { cli } from "./support/cli.ts";

type Interaction = Parameters<AuditLogger["log"]>[0];

/** Figures of a group that are exact everywhere. */
interface Figures {
  readonly group: string;
  readonly calls: number;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly errors: number;
  readonly stopped: number;
  readonly blocked: number;
  readonly flagged: number;
  readonly events: number;
}

interface Overview {
  readonly by: Readonly<Record<string, readonly Figures[]>>;
  readonly total: Figures;
}

/** SQL for the groups of `stats`. */
const GROUPS: Readonly<Record<string, string>> = {
  model: "model",
  outcome: "coalesce(outcome, CASE WHEN safety_passed THEN '-' ELSE 'flagged' END)",
  agent:
    "coalesce(run->>'$.agent_name', CASE WHEN operation = 'invoke_agent' THEN run->>'$.name' END)",
  actor: "coalesce(actor->>'$.id', metadata->>'$.user_id')",
};

/** Each end of a call, a call that two layers recorded, and numbers at their limits. */
const ODD: readonly Interaction[] = [
  ...(["timeout", "aborted", "abandoned", "interrupted", "blocked", "error"] as const).map(
    (outcome): Interaction => ({ input: "", output: "", outcome, model: "odd", operation: "chat" }),
  ),
  { input: "", output: "", model: "odd", operation: "chat", safetyPassed: false, outcome: "ok" },
  {
    input: "",
    output: "",
    model: "odd",
    inputTokens: 0,
    outputTokens: 9_007_199_254,
    latencyMs: 0,
  },
  { input: "", output: "", model: "", provider: "", latencyMs: 86_400_000 },
  { input: "", output: "", model: 'it\'s "odd"\u2028', metadata: { user_id: "<b>" } },
  {
    input: "",
    output: "",
    model: "odd",
    inputTokens: 5,
    outcome: "blocked",
    safetyPassed: false,
    run: { id: "inner", sameCallAs: "outer" },
  },
  { input: "", output: "", operation: "guardrail", outcome: "blocked", safetyPassed: false },
];

describe("The figures of a log", { timeout: 120_000 }, () => {
  let directory: string;
  let viewer: OpenViewer;
  let sql: AuditSql;
  let statement: string;

  beforeAll(async () => {
    const place = await sharedDirectory();
    const log = await writeBusyLog(place, 300, 5);
    ({ directory } = log);
    const logger = new AuditLogger(new FileStorage({ path: directory }));
    for (const interaction of ODD) await logger.log(interaction);
    await logger.close();
    await cp(join(ORIGINAL_LOGS, "plain"), directory, { recursive: true });
    await buildBundle();
    viewer = await openViewer(log);
    sql = await AuditSql.open({ paths: directory });
    const page = await readFile(new URL("../../../docs/sql.md", import.meta.url), "utf8");
    statement = /```sql\n(SELECT\n[^`]+)```/.exec(page)?.[1] ?? "";
  }, 120_000);

  afterAll(async () => {
    await viewer?.close();
    await sql?.close();
  });

  it.each(Object.keys(GROUPS))("by %s are equal in viewer, `stats --json` and SQL", async (by) => {
    const { stdout } = await cli(["stats", directory, "--json", "--by", by, "-n", "1000"]);
    const stats = JSON.parse(stdout) as { groups: Figures[]; total: Figures };
    const overview = await viewer.get<Overview>("overview");
    expect(overview.by[by]).toEqual(stats.groups);
    expect(overview.total).toEqual(stats.total);
    const rows = await sql.query(statement.replace("coalesce(model,", `coalesce(${GROUPS[by]},`));
    const byName = (a: Figures, b: Figures): number => (a.group < b.group ? -1 : 1);
    const ofSql = rows.map(figuresOfRow).toSorted(byName);
    expect(ofSql).toEqual(stats.groups.map(withoutLatency).toSorted(byName));
    expect(ofSql.length).toBeGreaterThan(1);
    for (const row of rows) {
      const { latencyMs } = stats.groups.find(({ group }) => group === row["group"]) as unknown as {
        latencyMs: { p95: number | null };
      };
      const exact = Number(row["p95"]);
      expect(latencyMs.p95 === null).toBe(row["p95"] === null);
      expect(Math.abs(Number(latencyMs.p95) - exact)).toBeLessThanOrEqual(exact * 0.01 + 1);
    }
  });

  it("are equal in the report, for the whole log and for one day", async () => {
    for (const [given, filter, query] of [
      [[], [], "overview"],
      [
        ["--from", "2026-11-03", "--to", "2026-11-03"],
        ["--since", "2026-11-03", "--until", "2026-11-03"],
        "overview?since=2026-11-03&until=2026-11-03",
      ],
    ] as const) {
      const report = JSON.parse((await cli(["report", directory, "--json", ...given])).stdout);
      const stats = JSON.parse(
        (await cli(["stats", directory, "--json", "--by", "outcome", ...filter])).stdout,
      );
      const overview = await viewer.get<Overview>(query);
      expect(report.volume.total).toEqual(stats.total);
      expect(report.volume.byOutcome).toEqual(stats.groups);
      expect(report.volume.total).toEqual(overview.total);
      expect(stats.total.calls).toBeGreaterThan(10);
    }
  });
});

function figuresOfRow(row: Readonly<Record<string, unknown>>): Figures {
  const number = (name: string): number => Number(row[name]);
  const sum = (name: string): number | null => (row[name] === null ? null : Number(row[name]));
  return {
    group: String(row["group"]),
    calls: number("calls"),
    inputTokens: sum("input_tokens"),
    outputTokens: sum("output_tokens"),
    errors: number("errors"),
    stopped: number("stopped"),
    blocked: number("blocked"),
    flagged: number("flagged"),
    events: number("events"),
  };
}

function withoutLatency(figures: Figures): Figures {
  const { group, calls, inputTokens, outputTokens, errors, stopped, blocked, flagged, events } =
    figures;
  return { group, calls, inputTokens, outputTokens, errors, stopped, blocked, flagged, events };
}
