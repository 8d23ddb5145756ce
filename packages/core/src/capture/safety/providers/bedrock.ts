// Amazon Bedrock: stop reasons, and what its guardrails assessed.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailAssessment.html
import { type Fields, fieldsOf, firstText, isFields, listOf } from "../../payload/read.ts";
import type { ProviderTable } from "../provider-table.ts";
import type { SafetyAction, SafetyReport, Side } from "../report.ts";

const CHECK = "bedrock:guardrail";

export const bedrock: ProviderTable = {
  vendor: "bedrock",
  blocking: { guardrail_intervened: undefined, content_filtered: undefined },

  answer(report, answer) {
    const trace = answer["trace"] ?? answer["amazon-bedrock-trace"];
    const { guardrail } = fieldsOf(trace);
    const { inputAssessment, outputAssessments } = fieldsOf(guardrail);
    assessed(report, inputAssessment, "input");
    assessed(report, outputAssessments, "output");
    report.keep("guardrail", withoutMatches(guardrail));
    report.quote("guardrail", guardrail);
    if (answer["amazon-bedrock-guardrailAction"] === "INTERVENED")
      report.code("guardrail_intervened", undefined);
  },
};

/** Assessments by the guardrail's id; those of an output are lists. */
function assessed(report: SafetyReport, assessments: unknown, at: Side): void {
  for (const given of Object.values(fieldsOf(assessments)))
    for (const assessment of Array.isArray(given) ? given : [given])
      for (const [policy, found] of Object.entries(fieldsOf(assessment)))
        for (const [list, items] of Object.entries(fieldsOf(found)))
          for (const item of listOf(items)) judged(report, policy, list, fieldsOf(item), at);
}

function judged(report: SafetyReport, policy: string, list: string, item: Fields, at: Side): void {
  report.ran(CHECK);
  const action = ACTIONS.get(item["action"]);
  if (action === undefined) return;
  const kind = KINDS.get(policy) ?? policy;
  // `match` quotes the content: a word of the customer's list is named by its kind alone.
  const what =
    list === "customWords"
      ? "custom"
      : list === "topics"
        ? firstText(item["name"])
        : firstText(item["type"], item["name"]);
  const reason = what === undefined ? kind : `${kind}:${what}`;
  report.found(CHECK, { detector: `bedrock:${reason}`, action, reason, at });
}

const ACTIONS: ReadonlyMap<unknown, SafetyAction> = new Map([
  ["BLOCKED", "block"],
  ["ANONYMIZED", "modify"],
]);

const KINDS: ReadonlyMap<string, string> = new Map([
  ["topicPolicy", "topic"],
  ["contentPolicy", "content"],
  ["wordPolicy", "word"],
  ["sensitiveInformationPolicy", "pii"],
  ["contextualGroundingPolicy", "grounding"],
  ["automatedReasoningPolicy", "reasoning"],
]);

/** The assessment without the passages of the content that it quotes. */
function withoutMatches(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMatches);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !QUOTING.has(name))
      .map(([name, member]) => [name, withoutMatches(member)]),
  );
}

const QUOTING: ReadonlySet<string> = new Set(["match", "modelOutput", "regex", "actionReason"]);
