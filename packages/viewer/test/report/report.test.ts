// Reports: their figures, findings and formats on a log with every kind of event.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { AuditInputError, FileStorage, verifyLog } from "@ai-audit/core";
import { sharedDirectory } from "@ai-audit/test-support/temporary-directory";
import { Ajv } from "ajv";
import { beforeAll, describe, expect, it } from "vitest";
import { lineToEntry } from "@ai-audit/core/format";
import {
  CHECK_IDS,
  createReport,
  loadProfile,
  parseProfile,
  PROFILE_NAMES,
  type Report,
  reportToHtml,
  reportToMarkdown,
  reportToOscal,
} from "../../src/index.ts";
import { figureFactsOf, Statistics } from "@ai-audit/core/reading";
import { type ReportLog, writeReportLog } from "../support/report-log.ts";

const SCHEMA = new URL("../../profiles/profile.schema.json", import.meta.url);

let log: ReportLog;
let storage: FileStorage;
let report: Report;

async function reportOn(keys: readonly string[], profile = "eu-ai-act"): Promise<Report> {
  const name = PROFILE_NAMES.find((each) => each === profile);
  const verification = await verifyLog(log.directory, { trustedKeys: keys });
  return createReport(
    { storage, verification, location: "audit-logs" },
    name === undefined ? {} : { profile: await loadProfile(name) },
  );
}

beforeAll(async () => {
  log = await writeReportLog(await sharedDirectory());
  storage = new FileStorage({ path: log.directory });
  report = await reportOn([log.vkey]);
});

function stateOf(id: string, { requirements }: Report = report): string | undefined {
  return requirements.find((requirement) => requirement.id === id)?.state;
}

describe("createReport()", () => {
  it("counts as the statistics of the command do", async () => {
    const statistics = new Statistics();
    for await (const page of storage.pages({}, "oldest-first")) {
      for (const line of page) {
        const entry = lineToEntry(line);
        if (entry !== undefined) statistics.add(entry.timestamp.slice(0, 10), figureFactsOf(entry));
      }
    }
    expect(report.volume.total).toEqual(statistics.total());
    expect(report.volume.byDay).toEqual(statistics.groups());
  });

  it("lists every block, and the digest of their lines", async () => {
    const lines: string[] = [];
    for await (const page of storage.pages({}, "oldest-first"))
      lines.push(...page.filter((line) => line.includes('"outcome":"blocked"')));
    expect(report.blocks.count).toBe(lines.length);
    expect(report.blocks.entries).toHaveLength(lines.length);
    const digest = createHash("sha256").update(lines.map((line) => `${line}\n`).join(""));
    const result = report.results.find(({ id }) => id === "blocks");
    expect(result?.evidence.sha256).toBe(digest.digest("hex"));
  });

  it("joins requests for review and the decisions of people", () => {
    expect(report.reviews.map(({ state, decisions }) => [state, decisions])).toEqual([
      [
        "decided",
        [expect.objectContaining({ verdict: "approved", by: "carol", role: "credit officer" })],
      ],
      ["waiting", []],
    ]);
  });

  it("knows decisions after its period, about requests within it", async () => {
    const verification = await verifyLog(log.directory, { trustedKeys: [log.vkey] });
    const to = new Date(report.reviews[0]?.requested ?? "");
    const part = await createReport({ storage, verification, location: "" }, { to });
    expect(part.reviews).toEqual(report.reviews.slice(0, 1));
    expect(part.reviews[0]?.state).toBe("decided");
  });

  it("lists accesses to content that are on record", () => {
    expect(report.access).toMatchObject({
      count: 1,
      entries: [{ actor: "dora", target: "content revealed" }],
    });
  });

  it("names models as asked for and as served, and when", () => {
    const model = report.models.find((each) => each.model === "gpt-5");
    expect(model).toMatchObject({
      provider: "openai",
      versions: [expect.stringMatching(/^gpt-5-/)],
    });
    expect(model && model.first < model.last).toBe(true);
  });

  it("leaves a report without a profile without requirements", async () => {
    const bare = await reportOn([log.vkey], "none");
    expect(bare).toMatchObject({ profile: null, requirements: [] });
  });

  it("takes a period, and refuses one that ends before it begins", async () => {
    const verification = await verifyLog(log.directory, { trustedKeys: [log.vkey] });
    const day = report.volume.byDay[1]?.group ?? "";
    const from = new Date(`${day}T00:00:00Z`);
    const to = new Date(`${day}T23:59:59.999Z`);
    const source = { storage, verification, location: "" };
    const part = await createReport(source, { from, to });
    expect(part.volume.byDay.map(({ group }) => group)).toEqual([day]);
    const error = await createReport(source, { from: to, to: from }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(AuditInputError);
    expect(error).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: "The report's period ends before it begins",
    });
  });
});

describe("A requirement", () => {
  it("is met where all of its checks pass and nothing is left to show", () => {
    expect(stateOf("12(3)(a)")).toBe("met");
  });

  it("is met in part where a log cannot show all of it", () => {
    expect(stateOf("12(1)")).toBe("partly");
  });

  it("is not a matter of logs where there is no check", () => {
    expect(stateOf("14(4)(e)")).toBe("outside");
  });

  it("about six months is not met by a log of some days", () => {
    expect(stateOf("19(1)")).toBe("partly");
    const found = report.results.find(({ key }) => key === "retention-184");
    expect(found?.text).toContain("younger than 184 days");
  });

  it("that rests on integrity alone is not met without a key", async () => {
    expect(stateOf("AU-9(3)", await reportOn([log.vkey], "nist-800-53-au"))).toBe("met");
    expect(stateOf("AU-9(3)", await reportOn([], "nist-800-53-au"))).toBe("partly");
  });

  it("about anchoring is not met where no state was noted outside", async () => {
    expect(stateOf("AU-9(2)", await reportOn([log.vkey], "nist-800-53-au"))).toBe("not met");
    expect(report.integrity.anchoring).toMatch(/^Not anchored/);
  });
});

describe("A profile", () => {
  it.each(PROFILE_NAMES)("%s fits the schema, and names its sources", async (name) => {
    const validate = new Ajv({ strict: false }).compile(JSON.parse(await readFile(SCHEMA, "utf8")));
    const path = new URL(`../../profiles/${name}.json`, import.meta.url);
    expect(validate(JSON.parse(await readFile(path, "utf8"))) || validate.errors).toBe(true);
    const profile = await loadProfile(name);
    expect(profile.sources.length).toBeGreaterThan(0);
    expect(profile.requirements.every(({ checks, beyond }) => checks.length > 0 || beyond)).toBe(
      true,
    );
  });

  it("may name every check that there is", async () => {
    const schema = JSON.parse(await readFile(SCHEMA, "utf8"));
    expect(schema.definitions.requirement.properties.checks.items.enum).toEqual(CHECK_IDS);
  });

  const requirement = { id: "1", title: "t", text: "t", source: "s", checks: ["integrity"] };
  const valid = {
    id: "own",
    title: "Own rules",
    asOf: "2026-11-30",
    sources: [{ id: "s", title: "Rules", url: "https://example.com/rules" }],
    requirements: [requirement],
  };

  it.each([
    ["text that is no JSON", "{", "The profile is not JSON"],
    [
      "a member that is misspelt",
      { ...valid, requirement: [] },
      'has "requirement", which is none of',
    ],
    ["no sources", { ...valid, sources: undefined }, "The profile's sources must be a list"],
    [
      "a day that is none",
      { ...valid, asOf: "soon" },
      "The profile's asOf must be a day: 2027-12-02",
    ],
    [
      "an unknown check",
      { ...valid, requirements: [{ ...requirement, checks: ["magic"] }] },
      'The profile\'s requirements[0].checks names "magic", which is no check: integrity, anchored',
    ],
    [
      "an unknown source",
      { ...valid, requirements: [{ ...requirement, source: "x" }] },
      "The profile's requirements[0].source names x, which is not in sources",
    ],
    [
      "retention without days",
      { ...valid, requirements: [{ ...requirement, checks: ["retention"] }] },
      "The profile's requirements[0].days goes with the check retention",
    ],
    [
      "no check and no reason",
      { ...valid, requirements: [{ ...requirement, checks: [] }] },
      "The profile's requirements[0].beyond must give the reason",
    ],
    [
      "a requirement twice",
      { ...valid, requirements: [requirement, requirement] },
      "The profile's requirements names 1 twice",
    ],
    [
      "a link that is none",
      { ...valid, sources: [{ id: "s", title: "Rules", url: "javascript:alert(1)" }] },
      "The profile's sources[0].url must be an https URL",
    ],
  ])("with %s is refused by name", (_, given, message) => {
    const text = typeof given === "string" ? given : JSON.stringify(given);
    let error: unknown;
    try {
      parseProfile(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AuditInputError);
    expect(error).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: expect.stringContaining(message),
    });
  });

  it("of others is read", () => {
    expect(parseProfile(JSON.stringify(valid))).toMatchObject({ id: "own", notes: [] });
  });
});

describe("A report as HTML", () => {
  it("has no script, and lets nothing load", async () => {
    const html = await reportToHtml(report);
    expect(html).not.toMatch(/<script/i);
    expect(html).toContain("default-src 'none'; style-src 'sha256-");
    expect(html).toContain('<svg class="chart"');
  });

  it("keeps hostile text as text", async () => {
    const [first] = report.blocks.entries;
    const hostile = '<img src=x onerror="alert(1)">\u202E';
    const entries = first === undefined ? [] : [{ ...first, actor: hostile, target: hostile }];
    const spoiled = { ...report, location: hostile, blocks: { count: 1, entries } };
    const html = await reportToHtml(spoiled);
    expect(html).not.toContain("<img");
    expect(html).toContain("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;\\u202e");
    expect(reportToMarkdown(spoiled)).toContain(
      String.raw`\<img src=x onerror="alert(1)"\>\\u202e`,
    );
  });

  it("links each requirement to the evidence of its checks", async () => {
    const html = await reportToHtml(report);
    const links = [...html.matchAll(/href="#(check-[^"]+)"/g)].map(([, id]) => id ?? "");
    expect(links.length).toBeGreaterThan(10);
    for (const id of links) expect(html).toContain(`id="${id}"`);
  });
});

interface Oscal {
  readonly "assessment-results": {
    readonly results: readonly {
      readonly observations: readonly { readonly uuid: string }[];
      readonly findings: readonly {
        readonly title: string;
        readonly target: { readonly status: { readonly state: string } };
        readonly "related-observations": readonly { readonly "observation-uuid": string }[];
      }[];
    }[];
  };
}

describe("A report as OSCAL", () => {
  it("is satisfied only by what is met, and refers to observations", () => {
    const document = JSON.parse(JSON.stringify(reportToOscal(report))) as Oscal;
    const [result] = document["assessment-results"].results;
    const observations = new Set(result?.observations.map(({ uuid }) => uuid));
    for (const { title, target, "related-observations": related } of result?.findings ?? []) {
      const id = title.split(" ", 1)[0] ?? "";
      expect(target.status.state === "satisfied").toBe(stateOf(id) === "met");
      expect(related.length).toBeGreaterThan(0);
      for (const { "observation-uuid": uuid } of related) expect(observations).toContain(uuid);
    }
    expect(result?.observations).toHaveLength(report.results.length);
  });

  it("names no finding for what is not a matter of logs", () => {
    const text = JSON.stringify(reportToOscal(report));
    expect(text).not.toContain('"title":"14(4)(e)');
    expect(text).toContain("Not a matter of logs: 12(3)(b) Reference database");
  });

  const schema = process.env["AUDIT_OSCAL_SCHEMA"];
  it.skipIf(schema === undefined).each([...PROFILE_NAMES, "none"])(
    "is valid against NIST's schema with %s",
    async (profile) => {
      const text = await readFile(schema ?? "", "utf8");
      const ajv = new Ajv({ strict: false, unicodeRegExp: true, validateFormats: false });
      const validate = ajv.compile(JSON.parse(text));
      const document: unknown = reportToOscal(await reportOn([log.vkey], profile));
      expect(validate(JSON.parse(JSON.stringify(document))) || validate.errors).toBe(true);
    },
  );
});
