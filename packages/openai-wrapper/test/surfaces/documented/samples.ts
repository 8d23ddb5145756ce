// What the calls of the table of surfaces send, and the shape of a case.
import { createHash } from "node:crypto";
import type { AuditEntry, JsonValue } from "@ai-audit/core";
import type { OpenAI } from "openai";

export const bytes = Buffer.alloc(5000, 7);
export const digest = { bytes: 5000, sha256: createHash("sha256").update(bytes).digest("hex") };
export const png = new File([bytes], "a.png", { type: "image/png" });
export const described = { name: "a.png", mime: "image/png", ...digest };
export const user = { role: "user" as const, content: "Hello!" };
export const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };

/** One call and its entry. An answer that is a function is a reply of its own. */
export interface Case {
  readonly how: string;
  readonly answer: unknown;
  readonly call: (client: OpenAI) => PromiseLike<unknown>;
  readonly input: JsonValue;
  readonly output: JsonValue;
  readonly entry?: Partial<AuditEntry>;
}
