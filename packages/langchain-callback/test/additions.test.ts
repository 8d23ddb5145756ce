// Members that hosts put beside the content of a message: verdicts are judged, facts recorded once,
// words of the model kept, credentials censored.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage, HumanMessage } from "@langchain/core/messages";
import type { ChatResult } from "@langchain/core/outputs";
import { describe, expect, it } from "vitest";
import { AuditCallbackHandler } from "../src/index.ts";

type Additions = Readonly<Record<string, unknown>>;

/** A host that answers with a message of this kind. */
class AnsweringModel extends BaseChatModel {
  readonly #additions: Additions;

  constructor(additions: Additions) {
    super({});
    this.#additions = additions;
  }

  override _llmType(): string {
    return "answering";
  }

  override async _generate(): Promise<ChatResult> {
    const message = new AIMessage({ content: "I can", additional_kwargs: { ...this.#additions } });
    return { generations: [{ text: "I can", message }] };
  }
}

/** The entry of an answer, and the answer as it stands in the input of the next call. */
async function recorded(additions: Additions): Promise<{
  readonly entry: object;
  readonly output: unknown;
  readonly repeated: unknown;
}> {
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  const callbacks = [new AuditCallbackHandler(logger)];
  const model = new AnsweringModel(additions);
  const answer = await model.invoke("hi", { callbacks });
  await model.invoke([new HumanMessage("hi"), answer, new HumanMessage("more")], { callbacks });
  await logger.flush();
  const [entry, next] = await Array.fromAsync(logger.entries());
  if (!entry || !next) throw new Error("two entries are missing");
  const { output } = logger.content(entry);
  const [, repeated] = logger.content(next).input as unknown[];
  return { entry, output, repeated };
}

const PLAIN = { role: "assistant", content: "I can" };

describe("a verdict beside the content", () => {
  it.each<[string, Additions, object]>([
    [
      "anthropic:cyber",
      { stop_reason: "refusal", stop_details: { type: "refusal", category: "cyber" } },
      { outcome: "blocked", metadata: { safety: { stop_details: { category: "cyber" } } } },
    ],
    [
      "gemini:HARM_CATEGORY_HARASSMENT",
      { safetyRatings: [{ category: "HARM_CATEGORY_HARASSMENT", blocked: true }] },
      { outcome: "blocked", safetyChecks: ["gemini:safety_ratings"] },
    ],
    ["gemini:SAFETY", { promptFeedback: { blockReason: "SAFETY" } }, { outcome: "blocked" }],
    [
      "azure:violence",
      { content_filter_results: { violence: { filtered: true, severity: "high" } } },
      { outcome: "blocked", safetyChecks: ["azure:content_filter"] },
    ],
    [
      "bedrock:guardrail_intervened",
      { "amazon-bedrock-guardrailAction": "INTERVENED" },
      { outcome: "blocked" },
    ],
    ["openai:refusal", { refusal: "I will not" }, { outcome: "blocked" }],
  ])("is judged: %s", async (detector, additions, fields) => {
    const { entry } = await recorded(additions);
    expect(entry).toMatchObject({ ...fields, safetyPassed: false });
    expect(entry).toMatchObject({ detectorsTriggered: expect.arrayContaining([detector]) });
  });
});

describe("an addition to a message", () => {
  it("that fields of the entry have is in no message", async () => {
    const { entry, output, repeated } = await recorded({
      id: "msg_1",
      model: "claude-x",
      role: "assistant",
      type: "message",
      stop_reason: "end_turn",
      usage: { input_tokens: 1, output_tokens: 2 },
      container: { id: "container_1", expires_at: "2026-12-01T00:00:00Z" },
      context_management: { applied_edits: [{ type: "clear_thinking", cleared_turns: 2 }] },
    });
    expect(entry).toMatchObject({
      outcome: "ok",
      responseModel: "claude-x",
      finishReasons: ["end_turn"],
      metadata: {
        container: "container_1",
        context_management: { applied_edits: [{ type: "clear_thinking", cleared_turns: 2 }] },
      },
    });
    expect([output, repeated]).toEqual(["I can", PLAIN]);
  });

  it("is in clear only as far as it is numbers and words", async () => {
    const text = "Jane Doe of 12 Elm Street";
    const { entry } = await recorded({
      container: { id: text },
      context_management: { applied_edits: [{ type: text, cleared_turns: 2, why: { text } }] },
    });
    expect(entry).toMatchObject({
      metadata: { context_management: { applied_edits: [{ cleared_turns: 2 }] } },
    });
    expect(JSON.stringify(entry)).not.toContain("Elm Street");
  });

  it.each<[string, Additions]>([
    ["is unknown", { reasoning_trace: [{ text: "I thought" }] }],
    ["has the name of an envelope's word, and is none", { model: { said: "more" }, id: ["a"] }],
  ])("is kept where it %s", async (_, additions) => {
    const { output, repeated } = await recorded(additions);
    expect([output, repeated]).toEqual([
      { ...PLAIN, ...additions },
      { ...PLAIN, ...additions },
    ]);
  });

  it("with the name of a credential is censored", async () => {
    const { output } = await recorded({
      api_key: "planted-credential-1",
      headers: { "x-trace": "planted-credential-2" },
      extra: { apiKey: "planted-credential-3" },
    });
    expect(JSON.stringify(output)).not.toContain("planted-credential");
    expect(output).toMatchObject({ headers: "[REDACTED]", extra: { apiKey: "[REDACTED]" } });
  });
});
