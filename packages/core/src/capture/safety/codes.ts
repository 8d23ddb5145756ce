// Which of the provider's codes mean that content was blocked.

/** Lists of codes; an application may have its own. */
export interface SafetyCodes {
  /** Error codes and incomplete reasons that mean: a filter or a policy stopped this. */
  readonly blocking: readonly string[];
  /** Any other code that this matches is recorded as suspected: flagged, but an error and not a block. */
  readonly suspected: RegExp | undefined;
}

/**
 * Codes of OpenAI (openai-node's `ResponseError.code`, the image and chat error references) and of Azure OpenAI
 * ("Content filtering": `content_filter`, `ResponsibleAIPolicyViolation`).
 */
export const SAFETY_CODES: SafetyCodes = {
  blocking: [
    "content_filter",
    "content_policy_violation",
    "ResponsibleAIPolicyViolation",
    "moderation_blocked",
    "image_content_policy_violation",
    "cyber_policy",
    "bio_policy",
    "misalignment_policy_violation",
    "invalid_prompt",
  ],
  suspected: /(?:^|_)policy(?:_|$)|PolicyViolation/,
};

/** What a code means for safety; undefined: nothing. */
export function judgeCode(code: unknown, codes: SafetyCodes): "block" | "suspect" | undefined {
  if (typeof code !== "string") return undefined;
  if (codes.blocking.includes(code)) return "block";
  return codes.suspected !== undefined && code.length <= 200 && code.search(codes.suspected) >= 0
    ? "suspect"
    : undefined;
}
