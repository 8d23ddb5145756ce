// A report as an assessment-results document of NIST's OSCAL. Each check is an observation with the
// digest of its evidence; a requirement is satisfied only where all of its checks pass.
import { createHash } from "node:crypto";
import type { CheckResult } from "./check.ts";
import type { JudgedRequirement, Report } from "./report.ts";
import { CHECK_WORDS, LIMITS, REQUIREMENT_WORDS } from "./words.ts";

/** Version of OSCAL that the document is written for. */
const OSCAL_VERSION = "1.0.4";
/** Namespace of properties that OSCAL does not define. */
const NS = "https://github.com/ai-audit/ai-audit/ns/oscal";

/** The report as an OSCAL assessment-results document. */
export function reportToOscal(report: Report): object {
  const { made, profile, period, location, integrity, results, requirements } = report;
  const idOf = (name: string): string => uuidOf(`${made} ${location} ${name}`);
  const judged = requirements.filter(({ state }) => state !== "outside");
  const outside = requirements.filter(({ state }) => state === "outside");
  const party = idOf("party");
  const title = `Audit log: ${profile?.title ?? "all checks"}`;
  return {
    "assessment-results": {
      uuid: idOf("document"),
      metadata: {
        title,
        "last-modified": made,
        version: made,
        "oscal-version": OSCAL_VERSION,
        roles: [{ id: "tool", title: "Assessment tool" }],
        parties: [{ uuid: party, type: "organization", name: `ai-audit ${report.version}` }],
        "responsible-parties": [{ "role-id": "tool", "party-uuids": [party] }],
        remarks: LIMITS.join(" "),
      },
      "import-ap": {
        href: `#${idOf("plan")}`,
        remarks: "There is no assessment plan beyond the checks of this report.",
      },
      results: [
        {
          uuid: idOf("result"),
          title,
          description: integrity.verdict,
          start: period.from ?? firstTime(report) ?? made,
          end: period.to ?? made,
          props: [
            { name: "location", ns: NS, value: oneLine(location) },
            { name: "verdict-exit-code", ns: NS, value: String(integrity.exitCode) },
          ],
          "reviewed-controls": reviewedControls(judged, profile?.id),
          observations: results.map((result) => observation(result, made, idOf)),
          ...(judged.length > 0 && {
            findings: judged.map((requirement) => findingOf(requirement, results, idOf)),
          }),
          ...(outside.length > 0 && {
            remarks: `Not a matter of logs: ${outside.map(({ id, title: name }) => `${id} ${name}`).join("; ")}.`,
          }),
        },
      ],
      "back-matter": {
        resources: [
          {
            uuid: idOf("plan"),
            title: "Checks of ai-audit",
            description: "docs/report.md of ai-audit describes each check.",
            rlinks: [{ href: "https://github.com/ai-audit/ai-audit/blob/main/docs/report.md" }],
          },
          ...results.map(({ key, title: name, evidence }) => ({
            uuid: idOf(`evidence ${key}`),
            title: `Evidence: ${name}`,
            description: `${evidence.count} ${evidence.kind}. Command: ${evidence.command}`,
            rlinks: [
              {
                href: `urn:sha256:${evidence.sha256}`,
                hashes: [{ algorithm: "SHA-256", value: evidence.sha256 }],
              },
            ],
          })),
        ],
      },
    },
  };
}

/** Controls of a catalog where the profile names them; otherwise the profile's own ids. */
function reviewedControls(
  requirements: readonly JudgedRequirement[],
  profile: string | undefined,
): object {
  const controls = requirements.map(controlOf);
  return {
    description: `Requirements of ${profile ?? "no profile"} that a log speaks for.`,
    "control-selections": [
      controls.length === 0
        ? { description: "None." }
        : { "include-controls": controls.map((id) => ({ "control-id": id })) },
    ],
  };
}

/** `au-3`, or a token made of the requirement's id: `12(1)` becomes `r-12.1`. */
function controlOf({ control, id }: JudgedRequirement): string {
  return (
    control ??
    `r-${id
      .replaceAll(/[^A-Za-z0-9]+/g, ".")
      .replace(/\.$/, "")
      .toLowerCase()}`
  );
}

function observation(
  { key, title, state, text, evidence }: CheckResult,
  made: string,
  idOf: (name: string) => string,
): object {
  return {
    uuid: idOf(`observation ${key}`),
    title,
    description: text,
    props: [{ name: "state", ns: NS, value: state, remarks: CHECK_WORDS[state].word }],
    methods: ["TEST"],
    types: ["finding"],
    "relevant-evidence": [
      {
        href: `#${idOf(`evidence ${key}`)}`,
        description: `${evidence.count} ${evidence.kind}`,
        props: [
          { name: "sha256", ns: NS, value: evidence.sha256 },
          ...evidence.examples.map((each) => ({ name: "example", ns: NS, value: oneLine(each) })),
        ],
        remarks: evidence.command,
      },
    ],
    collected: made,
  };
}

function findingOf(
  requirement: JudgedRequirement,
  results: readonly CheckResult[],
  idOf: (name: string) => string,
): object {
  const { id, title, text, state, beyond } = requirement;
  const isSatisfied = state === "met";
  const words = requirement.results.flatMap((key) => {
    const result = results.find((each) => each.key === key);
    return result === undefined ? [] : [result.text];
  });
  return {
    uuid: idOf(`finding ${id}`),
    title: `${id} ${title}`,
    description: text,
    props: [{ name: "state", ns: NS, value: REQUIREMENT_WORDS[state].word }],
    target: {
      type: "objective-id",
      "target-id": controlOf(requirement),
      title,
      status: {
        state: isSatisfied ? "satisfied" : "not-satisfied",
        reason: isSatisfied ? "pass" : state === "not met" ? "fail" : "other",
        remarks: words.join(" ") || "No check.",
      },
    },
    "related-observations": requirement.results.map((key) => ({
      "observation-uuid": idOf(`observation ${key}`),
    })),
    ...(beyond !== undefined && { remarks: `Not shown by a log: ${beyond}` }),
  };
}

function firstTime({ uses }: Report): string | undefined {
  return uses[0]?.from;
}

/** A value of a property: not empty, on one line, without spaces at its ends. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim() || "-";
}

/** A UUID of version 5 form, so that the same report gives the same document. RFC 9562, 5.5. */
function uuidOf(name: string): string {
  const hex = createHash("sha256").update(name).digest("hex");
  const variant = "89ab"[Number.parseInt(hex[16] ?? "0", 16) % 4] ?? "8";
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
