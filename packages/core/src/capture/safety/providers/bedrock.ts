// Amazon Bedrock: stop reasons, and what its guardrails assessed.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailAssessment.html
import { type Fields, fieldsOf, firstText, isFields, listOf } from "../../payload/read.ts";
import type { ProviderTable } from "../provider-table.ts";
import type { SafetyAction, SafetyReport, Side } from "../report.ts";

const CHECK = "bedrock:guardrail";

export const bedrock: ProviderTable = {
  vendor: "bedrock",
  // A guardrail looks at both sides and has one reason: its assessments tell which one it was.
  blocking: { guardrail_intervened: null, content_filtered: undefined },

  changesOnly,

  answer(report, answer) {
    for (const one of assessmentsOf(answer)) judged(report, one);
    const guardrail = guardrailOf(answer);
    report.keep("guardrail", withoutMatches(guardrail));
    report.quote("guardrail", guardrail);
    if (answer["amazon-bedrock-guardrailAction"] === "INTERVENED")
      report.code("guardrail_intervened", undefined, changesOnly(answer));
  },
};

/** Masking has the stop reason of a block, and the answer goes through. */
function changesOnly(answer: Fields): boolean {
  const actions = assessmentsOf(answer).map(({ item }) => ACTIONS.get(item["action"]));
  return actions.includes("modify") && !actions.includes("block");
}

/** One thing that a guardrail looked for, with what it did. */
interface Assessed {
  readonly policy: string;
  readonly list: string;
  readonly item: Fields;
  readonly at: Side;
}

/** Its places in `Converse` and `InvokeModel`, and in which event of a stream. */
function guardrailOf(answer: Fields): unknown {
  const trace =
    answer["trace"] ?? answer["amazon-bedrock-trace"] ?? fieldsOf(answer["metadata"])["trace"];
  return fieldsOf(trace)["guardrail"];
}

function assessmentsOf(answer: Fields): readonly Assessed[] {
  const { inputAssessment, outputAssessments } = fieldsOf(guardrailOf(answer));
  return [...assessed(inputAssessment, "input"), ...assessed(outputAssessments, "output")];
}

/** Assessments by the guardrail's id; those of an output are lists. */
function assessed(assessments: unknown, at: Side): readonly Assessed[] {
  const lists = Object.values(fieldsOf(assessments));
  return lists
    .flatMap((given) => (Array.isArray(given) ? listOf(given) : [given]))
    .flatMap((assessment) => Object.entries(fieldsOf(assessment)))
    .flatMap(([policy, found]) =>
      Object.entries(fieldsOf(found)).flatMap(([list, items]) =>
        listOf(items).map((item) => ({ policy, list, item: fieldsOf(item), at })),
      ),
    );
}

function judged(report: SafetyReport, { policy, list, item, at }: Assessed): void {
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
