// Safety events that no model or tool call shows: moderation, PII and human review, as LangChain's
// middleware and LangGraph leave them in the chains around the calls. So are events that stop or steer
// a run.
import { AuditError } from "@ai-audit/core";
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  causesOf,
  defined,
  fieldsOf,
  isFields,
  listOf,
  textOf,
} from "@ai-audit/core/capture";
import { describeFailure, isBubbleUp } from "./failure.ts";
import { isMessage, onlyText, roleOf } from "./messages.ts";
import type { RunContext } from "./runs.ts";
import { describeMessage, isCommand, snapshot } from "./snapshot.ts";

/** An event to record once. */
export interface SafetyEvent {
  /** The error that reports it. The same error at another node is the same event. */
  readonly cause?: object;
  /**
   * Ids of its interrupts. An outer graph reports its inner graph's interrupts again, in another
   * error.
   */
  readonly ids?: readonly string[];
  readonly fields: CapturedFields;
}

const HOOK = /^(.+)\.(before_model|after_model|before_agent|after_agent)$/;
const PII = /^PIIMiddleware\[(.+)\]$/;
const MODERATION = "OpenAIModerationMiddleware";
const MODERATION_CHECK = "openai:moderation";

/**
 * The safety check that a middleware's node runs: `openai:moderation` or `pii:<type>`; else
 * undefined.
 */
export function checkOfNode(
  name: string,
): { readonly check: string; readonly at: "input" | "output" } | undefined {
  const [, middleware, hook] = HOOK.exec(name) ?? [];
  if (middleware === undefined || hook === undefined) return undefined;
  const type = PII.exec(middleware)?.[1];
  const check =
    middleware === MODERATION ? MODERATION_CHECK : type === undefined ? undefined : `pii:${type}`;
  return check === undefined
    ? undefined
    : { check, at: hook.startsWith("before") ? "input" : "output" };
}

/** The messages that a moderation node is about to check; undefined for every other node. */
export function checkedBy(
  name: string,
  inputs: unknown,
  inlineBytes: number,
): JsonValue | undefined {
  const node = checkOfNode(name);
  if (node?.check !== MODERATION_CHECK) return undefined;
  const role = node.at === "input" ? "user" : "assistant";
  const messages = listOf(fieldsOf(inputs)["messages"]).filter((message) => isMessage(message));
  const roles = messages.map((message) => roleOf(message));
  const last = messages[roles.lastIndexOf(role)];
  // Before a model, the tool answers since its last message may be checked too. The node does not
  // report which ones were.
  const answers = node.at === "input" ? messages.slice(roles.lastIndexOf("assistant") + 1) : [];
  const looked = [
    ...(last === undefined ? [] : [last]),
    ...answers.filter((message) => message !== last && roleOf(message) === "tool"),
  ];
  const described = looked.map((message) => describeMessage(message, inlineBytes));
  const [only] = described;
  if (only === undefined || described.length > 1) return only && described;
  return onlyText(only, role) ?? only;
}

/** The event of a middleware's node that returned: it ended the run, or changed messages. */
export function eventOfEnd(
  context: RunContext,
  output: unknown,
  inlineBytes: number,
): SafetyEvent | undefined {
  const node = checkOfNode(context.name);
  // A node that found nothing returns no messages.
  const { messages, jumpTo } = updateOf(output);
  if (!node) return eventOfStop(context, output, inlineBytes);
  if (!Array.isArray(messages)) return undefined;
  const blocked = jumpTo === "end";
  const verdict =
    node.check === MODERATION_CHECK && blocked ? snapshot(messages, inlineBytes) : undefined;
  return {
    fields: {
      operation: "guardrail",
      outcome: blocked ? "blocked" : "ok",
      ...defined({ input: context.checked, output: verdict }),
      safetyPassed: false,
      safetyChecks: [node.check],
      detectorsTriggered: [node.check],
      ...(blocked && { blockReason: node.check }),
      metadata: {
        safety_event: node.check,
        ...(blocked ? { blocked_at: node.at } : { modified_at: node.at }),
      },
    },
  };
}

/** The event of an error that leaves a chain, if a safety check or a human review threw it. */
export function eventOfError(error: unknown, inlineBytes: number): SafetyEvent | undefined {
  // Middleware errors come wrapped in errors of the same name.
  for (const cause of [...causesOf(error)].filter(isFields).toReversed()) {
    const fields = eventFieldsOf(cause, inlineBytes);
    if (fields) return { cause, ids: interruptIds(cause), fields };
  }
  return undefined;
}

function eventFieldsOf(error: Fields, inlineBytes: number): CapturedFields | undefined {
  if (isBubbleUp(error)) return reviewRequested(error, inlineBytes);
  if (error["name"] === "OpenAIModerationError") return moderationBlocked(error);
  if (error["name"] === "PIIDetectionError") return piiBlocked(error);
  return undefined;
}

function moderationBlocked({ stage, result, content }: Fields): CapturedFields {
  const { categories, category_scores: scores } = fieldsOf(result);
  const flagged = Object.entries(fieldsOf(categories)).flatMap(([category, hit]) =>
    hit === true ? [category] : [],
  );
  return {
    operation: "guardrail",
    outcome: "blocked",
    input: typeof content === "string" ? content : "",
    safetyPassed: false,
    safetyChecks: [MODERATION_CHECK],
    detectorsTriggered: [
      MODERATION_CHECK,
      ...flagged.map((category) => `${MODERATION_CHECK}:${category}`),
    ],
    blockReason: flagged.join(", ") || MODERATION_CHECK,
    metadata: {
      safety_event: MODERATION_CHECK,
      blocked_at: stage === "output" ? "output" : "input",
      ...defined({ stage: textOf(stage), category_scores: scores }),
    },
  };
}

/** Type and number of the findings. The matches themselves must not be kept. */
function piiBlocked({ piiType, matches }: Fields): CapturedFields {
  const detector = `pii:${textOf(piiType) ?? "unknown"}`;
  return {
    operation: "guardrail",
    outcome: "blocked",
    safetyPassed: false,
    safetyChecks: [detector],
    detectorsTriggered: [detector],
    blockReason: detector,
    metadata: { safety_event: detector, matches: listOf(matches).length },
  };
}

function reviewRequested(error: Fields, inlineBytes: number): CapturedFields | undefined {
  const interrupts = listOf(error["interrupts"]);
  if (interrupts.length === 0) return undefined;
  const ids = interruptIds(error);
  const values = interrupts.map((interrupt) => fieldsOf(interrupt)["value"]);
  const actions = values.flatMap((value) => listOf(fieldsOf(value)["actionRequests"]));
  return {
    operation: "human_review",
    outcome: "interrupted",
    input: snapshot(values.length === 1 ? values[0] : values, inlineBytes),
    metadata: {
      review: "requested",
      ...(ids.length > 0 && { interrupt_ids: ids }),
      ...(actions.length > 0 && {
        actions: actions.map((action) => textOf(fieldsOf(action)["name"]) ?? null),
      }),
    },
  };
}

function interruptIds(error: Fields): string[] {
  return listOf(error["interrupts"]).flatMap(
    (interrupt) => textOf(fieldsOf(interrupt)["id"]) ?? [],
  );
}

/**
 * The event of a hook of any other middleware that ended the run, or of a limit that refused a tool
 * call.
 */
function eventOfStop(
  context: RunContext,
  output: unknown,
  inlineBytes: number,
): SafetyEvent | undefined {
  const [, middleware] = HOOK.exec(context.name) ?? [];
  if (middleware === undefined) return undefined;
  const { messages, jumpTo } = updateOf(output);
  const limit = LIMITS.get(middleware);
  const said = listOf(messages);
  // A limit that is not reached returns its messages unchanged.
  const refused =
    said.length > 0 && said.every((message) => isMessage(message) && roleOf(message) === "tool");
  if (jumpTo !== "end" && !(limit !== undefined && refused)) return undefined;
  return {
    fields: {
      operation: "event",
      // A limit stopped the run; why another middleware ended it is not known.
      outcome: limit === undefined ? "ok" : "blocked",
      ...(limit !== undefined && { blockReason: limit }),
      input: "",
      output: said.length > 0 ? snapshot(said, inlineBytes) : "",
      metadata: {
        event: limit ?? "ended_by_middleware",
        middleware,
        ends_run: jumpTo === "end",
      },
    },
  };
}

/** LangChain's middleware that counts calls. */
const LIMITS: ReadonlyMap<string, string> = new Map([
  ["ModelCallLimitMiddleware", "model_call_limit"],
  ["ToolCallLimitMiddleware", "tool_call_limit"],
]);

/** The event of an error that ended a run outside of model and tool calls. */
export function eventOfFailure(error: unknown): CapturedFields | undefined {
  // Errors of this library were reported already: an entry that could not be written caused them.
  if (isBubbleUp(error) || AuditError.isInstance(error)) return undefined;
  const described = describeFailure(error, undefined);
  if (described.outcome === "ok" || described.outcome === "aborted") return undefined;
  const isLimit = fieldsOf(error)["lc_error_code"] === "GRAPH_RECURSION_LIMIT";
  return {
    operation: "event",
    ...described,
    metadata: { event: isLimit ? "recursion_limit" : "run_failed" },
  };
}

/** The event that an application dispatches by a name of its own. */
export function customEvent(name: string, data: unknown, inlineBytes: number): CapturedFields {
  return {
    operation: "event",
    outcome: "ok",
    input: data === undefined ? "" : snapshot(data, inlineBytes),
    metadata: { event: name },
  };
}

/**
 * Values written into a paused graph (`updateState`), and a graph that continues after a breakpoint
 * (`invoke(null)`). LangGraph names the first one's run after the graph.
 */
export function eventOfSteering(
  { name, parent, place }: RunContext,
  input: unknown,
  inlineBytes: number,
): CapturedFields | undefined {
  if (parent !== undefined) return undefined;
  if (name.endsWith("UpdateState"))
    return {
      operation: "event",
      outcome: "ok",
      input: snapshot(input, inlineBytes),
      metadata: { event: "state_updated" },
    };
  // LangChain passes an input that is not an object as `{ input }`.
  const isNothing = input === null || (isFields(input) && input["input"] === null);
  if (isNothing && place.kind !== "chain")
    return { operation: "event", outcome: "ok", metadata: { event: "resumed" } };
  return undefined;
}

/** A node's update: what it returned, or the update of the command it returned. */
function updateOf(output: unknown): Fields {
  const { update } = fieldsOf(output);
  return isCommand(output) ? fieldsOf(update) : isMessage(output) ? {} : fieldsOf(output);
}
