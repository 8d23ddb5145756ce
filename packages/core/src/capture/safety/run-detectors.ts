// Runs detectors over one content and turns their findings into an entry's safety fields.
import type { JsonValue } from "../../format/canonical.ts";
import { ContentBlockedError } from "../../errors.ts";
import type { InteractionFields, Metadata } from "../interaction.ts";
import type {
  ContentSide,
  Detector,
  DetectorContext,
  DetectorFinding,
  DetectorVerdict,
} from "./detector.ts";

/** The safety fields that detectors decide. */
export type DetectionFields = Pick<
  InteractionFields,
  "safetyPassed" | "detectorsTriggered" | "safetyChecks" | "blockReason" | "alerts" | "outcome"
> & { readonly metadata?: Metadata };

/** The findings of all detectors about one content. */
export interface Detection {
  /** For the entry: `metadata.blocked_at`, and each finding under `metadata.safety.detectors`. */
  readonly fields: DetectionFields;
  /** The error to stop the call with; undefined if no detector blocks. */
  readonly blocked: ContentBlockedError | undefined;
}

/** Options for running detectors. */
export interface RunDetectorsOptions {
  /**
   * The effect of a failed detector: the content passes and the entry names it, or it is blocked.
   * @default "pass"
   */
  readonly onFailure?: "pass" | "block" | undefined;
  /**
   * Whether the caller will stop the call. `mark`: it will go on, so the entry has the findings,
   * but neither the outcome `blocked` nor a reason. @default "stop"
   */
  readonly enforcement?: "stop" | "mark" | undefined;
  /** A detector that takes longer has failed, in milliseconds. @default 10000 */
  readonly timeoutMs?: number | undefined;
}

type Answer = { readonly finding: DetectorFinding | undefined } | { readonly failure: string };

/**
 * Shows the content to every detector that wants to see this side of a call; all run, also after
 * one has objected. Synchronous when all of them are. Never throws and never rejects.
 */
export function runDetectors(
  detectors: readonly Detector[],
  side: ContentSide,
  value: JsonValue,
  context: DetectorContext = {},
  options: RunDetectorsOptions = {},
): Detection | Promise<Detection> {
  const method = side === "input" ? "checkInput" : "checkOutput";
  const running = detectors.filter((detector) => detector[method] !== undefined);
  const names = running.map(({ name }) => name);
  const answers = running.map((detector) =>
    ask(() => detector[method]?.(value, context), options.timeoutMs ?? 10_000),
  );
  const conclude = (settled: readonly Answer[]): Detection =>
    summarize(
      side,
      settled.map((answer, at) => ({ name: names[at] ?? "", answer })),
      options,
    );
  const settled = answers.filter((answer): answer is Answer => !(answer instanceof Promise));
  if (settled.length === answers.length) return conclude(settled);
  return Promise.all(answers.map(async (answer) => answer)).then(conclude);
}

function ask(check: () => DetectorVerdict, timeoutMs: number): Answer | Promise<Answer> {
  try {
    const verdict = check();
    return isThenable(verdict) ? awaitVerdict(verdict, timeoutMs) : answerOf(verdict);
  } catch (error) {
    return failureOf(error);
  }
}

async function awaitVerdict(verdict: PromiseLike<unknown>, timeoutMs: number): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Answer>((resolve) => {
    timer = setTimeout(() => resolve({ failure: `no answer within ${timeoutMs} ms` }), timeoutMs);
  });
  try {
    return await Promise.race([Promise.resolve(verdict).then(answerOf), limit]);
  } catch (error) {
    return failureOf(error);
  } finally {
    clearTimeout(timer);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}

/** The error's name alone: its message may quote the content. */
function failureOf(error: unknown): Answer {
  return { failure: error instanceof Error ? error.name : typeof error };
}

/** Detectors are foreign JavaScript: an invalid finding is a failure, never a pass. */
function answerOf(verdict: unknown): Answer {
  if (verdict === undefined || verdict === null) return { finding: undefined };
  if (typeof verdict !== "object" || !("action" in verdict) || !("reason" in verdict))
    return { failure: "no finding" };
  const { action, reason } = verdict;
  if ((action !== "block" && action !== "flag") || typeof reason !== "string")
    return { failure: "no finding" };
  const categories =
    "categories" in verdict && Array.isArray(verdict.categories)
      ? verdict.categories.map(String)
      : [];
  return { finding: { action, reason, categories } };
}

function summarize(
  side: ContentSide,
  answers: readonly { readonly name: string; readonly answer: Answer }[],
  { onFailure = "pass", enforcement = "stop" }: RunDetectorsOptions,
): Detection {
  const findings = answers.flatMap(({ name, answer }) =>
    "finding" in answer && answer.finding ? [{ name, at: side, ...answer.finding }] : [],
  );
  const failures = answers.flatMap(({ name, answer }) =>
    "failure" in answer ? [{ name, why: answer.failure }] : [],
  );
  const blocks: {
    readonly name: string;
    readonly reason: string;
    readonly categories?: readonly string[] | undefined;
  }[] = findings.filter(({ action }) => action === "block");
  if (onFailure === "block") {
    blocks.push(...failures.map(({ name, why }) => ({ name, reason: `failed: ${why}` })));
  }
  const first = enforcement === "stop" ? blocks[0] : undefined;
  const checks = answers.flatMap(({ name, answer }) => ("finding" in answer ? [name] : []));
  const triggered = new Set(
    [...findings, ...blocks].flatMap(({ name, categories = [] }) => [
      name,
      ...categories.map((category) => `${name}:${category}`),
    ]),
  );
  return {
    fields: {
      ...(checks.length > 0 && { safetyChecks: checks }),
      ...(failures.length > 0 && {
        alerts: failures.map(
          ({ name, why }) => `ai-audit: detector ${name} failed on the ${side} (${why})`,
        ),
      }),
      ...(triggered.size > 0 && { safetyPassed: false, detectorsTriggered: [...triggered] }),
      ...(first && {
        outcome: "blocked",
        blockReason: blocks.map(({ reason }) => reason).join("; "),
      }),
      ...((findings.length > 0 || first) && {
        metadata: {
          ...(first && { blocked_at: side }),
          ...(findings.length > 0 && { safety: { detectors: findings } }),
        },
      }),
    },
    blocked: first && new ContentBlockedError(first.name, side, first.reason),
  };
}
