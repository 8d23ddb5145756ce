// Decisions of people that a graph is resumed with: one entry for each, joined to its request.
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  type OpenRequest,
  type ReviewVerdict,
  defined,
  fieldsOf,
  isFields,
  listOf,
  textOf,
} from "@ai-audit/core/capture";
import { isCommand, snapshot } from "./snapshot.ts";

/** A command that resumes a graph. */
export interface Decision {
  /** One command passes every chain on the way to its graph. */
  readonly command: object;
  /** The entries of the decisions in it. */
  readonly describe: (
    requests: readonly OpenRequest[],
    place: { readonly threadId: string | undefined; readonly runId: string },
  ) => readonly CapturedFields[];
}

/** The decision in a chain's input; undefined for any other input. */
export function decisionIn(input: unknown, inlineBytes: number): Decision | undefined {
  if (!isCommand(input)) return undefined;
  const { resume } = input;
  if (resume === undefined || resume === null) return undefined;
  return {
    command: input,
    describe: (requests, { threadId, runId }) =>
      answersIn(resume, requests).flatMap(({ value, asked, interruptId }) => {
        const of = interruptId ?? threadId ?? runId;
        return verdictsOf(value, asked?.value, inlineBytes).map(({ verdict, ...fields }) => ({
          operation: "human_review",
          outcome: "ok" as const,
          ...fields,
          review: {
            of,
            verdict,
            ...(asked && {
              inputHash: asked.request.entry.inputHash,
              outputHash: asked.request.entry.outputHash,
            }),
          },
          ...(!asked && {
            alerts: ["ai-audit: the request that this decides on was not found in the log"],
          }),
        }));
      }),
  };
}

/** One of the questions of a request. */
interface Asked {
  readonly request: OpenRequest;
  readonly interruptId: string;
  /** Undefined where only the hash of the request was kept. */
  readonly value: JsonValue | undefined;
}

interface Answer {
  readonly value: unknown;
  readonly interruptId: string | undefined;
  readonly asked: Asked | undefined;
}

/** The answers of a resume: one for a graph that waits for one, or one for each interrupt id. */
function answersIn(resume: unknown, requests: readonly OpenRequest[]): Answer[] {
  const asked = requests.flatMap(questionsOf);
  const ids = isFields(resume) && !Array.isArray(resume) ? Object.keys(resume) : [];
  const areIds = ids.length > 0 && ids.every((id) => INTERRUPT_ID.test(id));
  if (areIds)
    return ids.map((id) => ({
      value: fieldsOf(resume)[id],
      interruptId: id,
      asked: asked.find(({ interruptId }) => interruptId === id),
    }));
  const [only] = asked;
  return [{ value: resume, interruptId: only?.interruptId, asked: only }];
}

/** LangGraph's ids of interrupts: 128 bits in hex. */
const INTERRUPT_ID = /^[0-9a-f]{32}$/;

function questionsOf(request: OpenRequest): Asked[] {
  const { interrupt_ids: ids } = request.entry.metadata;
  const known = listOf(ids).flatMap((id) => textOf(id) ?? []);
  const { input } = request;
  return known.map((interruptId, at) => ({
    request,
    interruptId,
    value: known.length === 1 ? input : Array.isArray(input) ? input[at] : undefined,
  }));
}

type Verdict = CapturedFields & { readonly verdict: ReviewVerdict };

/** The decisions of LangChain's human-in-the-loop middleware, else the one of a plain interrupt. */
function verdictsOf(value: unknown, asked: JsonValue | undefined, inlineBytes: number): Verdict[] {
  const decisions = listOf(fieldsOf(value)["decisions"]).filter(isFields);
  if (decisions.length === 0)
    return [
      {
        verdict: plainVerdict(value),
        input: asked === undefined ? "" : { before: asked },
        output: snapshot(value, inlineBytes),
        metadata: { review: "decided" },
      },
    ];
  const actions = listOf(fieldsOf(asked)["actionRequests"]);
  return decisions.map((decision, at) => verdictOn(decision, fieldsOf(actions[at]), inlineBytes));
}

/** A decision of the middleware. Its contents are those of `AuditLogger.review()`. */
function verdictOn(decision: Fields, action: Fields, inlineBytes: number): Verdict {
  const { type, editedAction, message } = decision;
  const { name, args } = action;
  const input = defined({ before: name === undefined ? undefined : { name, args } });
  const output = defined({
    after: editedAction ?? (type === "respond" ? message : undefined),
    reason: type === "respond" ? undefined : message,
  });
  return {
    verdict: VERDICTS.get(type) ?? "answered",
    input: Object.keys(input).length === 0 ? "" : snapshot(input, inlineBytes),
    output: Object.keys(output).length === 0 ? "" : snapshot(output, inlineBytes),
    metadata: defined({
      review: "decided",
      decisions: [textOf(type) ?? null],
      action: textOf(fieldsOf(editedAction)["name"]) ?? textOf(name),
    }),
  };
}

const VERDICTS: ReadonlyMap<unknown, ReviewVerdict> = new Map([
  ["approve", "approved"],
  ["accept", "approved"],
  ["edit", "modified"],
  ["reject", "rejected"],
  ["ignore", "rejected"],
  ["respond", "answered"],
]);

/**
 * The verdict of an answer to `interrupt()`: yes and no in their usual forms. Any other answer is
 * an answer.
 */
function plainVerdict(value: unknown): ReviewVerdict {
  const said = isFields(value)
    ? ["approved", "approve", "decision", "action", "type"]
        .map((name) => value[name])
        .find((each) => each !== undefined)
    : value;
  const [first] = Array.isArray(value) && value.length === 1 ? value : [];
  if (isFields(first)) return plainVerdict(first);
  if (said === true || (typeof said === "string" && YES.test(said))) return "approved";
  if (said === false || (typeof said === "string" && NO.test(said))) return "rejected";
  return typeof said === "string" && EDIT.test(said) ? "modified" : "answered";
}

const YES = /^\s*(?:yes|ok|okay|approved?|accept(?:ed)?)\s*[.!]?\s*$/i;
const NO = /^\s*(?:no|reject(?:ed)?|den(?:y|ied)|declined?|ignored?)\s*[.!]?\s*$/i;
const EDIT = /^\s*(?:edit(?:ed)?|modif(?:y|ied))\s*$/i;
