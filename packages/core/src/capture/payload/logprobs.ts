// Token log probabilities are many times the text they belong to: by default an entry counts and
// digests them.
import { createHash, type Hash } from "node:crypto";
import type { JsonValue } from "../../format/canonical.ts";
import { fieldsOf, listOf } from "./read.ts";

/**
 * Count and SHA-256 of log probabilities, over the JSON of each token's entry, as it was received,
 * followed by a line feed. Canonical JSON would cost several times the call: 4,000 tokens with 20
 * alternatives are 4 MB.
 */
export class LogprobsDigest {
  /** Made for the first token: few calls ask for log probabilities. */
  #hash: Hash | undefined;
  #tokens = 0;

  /** Chat: `{ content, refusal }`; completions: the object itself; Responses: a list. */
  push(logprobs: unknown): void {
    if (typeof logprobs !== "object" || logprobs === null) return;
    const { content, refusal, tokens } = fieldsOf(logprobs);
    if (Array.isArray(tokens)) {
      this.#add(logprobs, tokens.length);
      return;
    }
    for (const entry of [...listOf(logprobs), ...listOf(content), ...listOf(refusal)])
      this.#add(entry, 1);
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** The digest so far. */
  value(): JsonValue {
    return {
      tokens: this.#tokens,
      sha256: (this.#hash?.copy() ?? createHash("sha256")).digest("hex"),
    };
  }

  #add(entry: unknown, tokens: number): void {
    this.#tokens += tokens;
    this.#hash ??= createHash("sha256");
    this.#hash.update(`${JSON.stringify(entry)}\n`);
  }
}

/**
 * Metadata that stands for log probabilities left out of the output: one digest a choice; none when
 * there are none.
 */
export function logprobsMetadata(
  digests: readonly LogprobsDigest[],
): { readonly logprobs: JsonValue } | undefined {
  const some = digests.filter(({ tokens }) => tokens > 0);
  return some.length > 0 ? { logprobs: some.map((digest) => digest.value()) } : undefined;
}
