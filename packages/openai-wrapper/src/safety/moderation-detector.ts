// A detector that asks OpenAI's moderation endpoint.
import { AsyncLocalStorage } from "node:async_hooks";
import { AuditConfigError } from "@ai-audit/core";
import {
  type ContentSide,
  type Detector,
  type DetectorFinding,
  type JsonValue,
  fieldsOf,
  isFields,
  listOf,
  textsOf,
} from "@ai-audit/core/capture";

/** The part of a client that is used, of any version, audited or not. */
export interface ModerationClient {
  readonly moderations: { create(body: { model: string; input: string }): PromiseLike<unknown> };
}

/** Options of `openAIModerationDetector`. */
export interface ModerationDetectorOptions {
  /** @default "openai:moderation" */
  readonly name?: string | undefined;
  /** @default "omni-moderation-latest" */
  readonly model?: string | undefined;
  /** @default "block" */
  readonly action?: DetectorFinding["action"] | undefined;
  /** @default both sides */
  readonly sides?: readonly ContentSide[] | undefined;
  /**
   * Scores from 0 to 1 by category, from which on it counts; other categories count when OpenAI
   * flags them.
   */
  readonly thresholds?: Readonly<Record<string, number>> | undefined;
}

/**
 * A detector that sends the texts of a content to OpenAI's moderation endpoint; images are not
 * sent. Each check is a call of `client`: with an audited client it has an entry of its own, and is
 * itself not checked.
 *
 * @throws `AUDIT_CONFIG_INVALID`
 */
export function openAIModerationDetector(
  client: ModerationClient,
  options: ModerationDetectorOptions = {},
): Detector {
  const {
    name = "openai:moderation",
    model = "omni-moderation-latest",
    action = "block",
  } = options;
  const { sides = ["input", "output"], thresholds = {} } = options;
  if (typeof client?.moderations?.create !== "function") {
    throw new AuditConfigError("openAIModerationDetector takes an OpenAI client");
  }
  const checking = new AsyncLocalStorage<true>();
  const check = async (value: JsonValue): Promise<DetectorFinding | undefined> => {
    // The check's own call goes through the same detectors when the client is the audited one.
    if (checking.getStore()) return undefined;
    const input = [...textsOf(value)].join("\n");
    if (input.trim() === "") return undefined;
    const answer = await checking.run(true, async () =>
      client.moderations.create({ model, input }),
    );
    const results = listOf(fieldsOf(answer)["results"]);
    if (results.length === 0)
      throw new TypeError("the moderation endpoint answered without results");
    const categories = [...new Set(results.flatMap((result) => objections(result, thresholds)))];
    return categories.length > 0
      ? { action, reason: `${name}: ${categories.join(", ")}`, categories }
      : undefined;
  };
  return {
    name,
    ...(sides.includes("input") && { checkInput: check }),
    ...(sides.includes("output") && { checkOutput: check }),
  };
}

function objections(
  result: unknown,
  thresholds: Readonly<Record<string, number>>,
): readonly string[] {
  const { categories, category_scores: scores } = fieldsOf(result);
  if (!isFields(categories)) throw new TypeError("a moderation result without categories");
  return Object.entries(categories).flatMap(([category, flagged]) => {
    const threshold = thresholds[category];
    const score = fieldsOf(scores)[category];
    const counts =
      threshold !== undefined && typeof score === "number" ? score >= threshold : flagged === true;
    return counts ? [category] : [];
  });
}
