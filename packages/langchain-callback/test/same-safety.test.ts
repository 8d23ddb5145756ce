// The same bytes of an HTTP answer leave the same safety fields through both wrappers. Rows name
// the members that LangChain drops before its callbacks see them.
import type { AuditEntry } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { describe, expect, it } from "vitest";
import { API_KEY, only, startBench } from "./fixtures.ts";
import { chat, chatChunks, failure, responded, type Reply } from "./openai-server.ts";

interface Safety {
  readonly outcome: string | undefined;
  readonly safetyPassed: boolean;
  readonly detectors: readonly string[];
  readonly checks: readonly string[] | undefined;
  readonly blockReason: string | null;
  /** `metadata.blocked_at` */
  readonly side: unknown;
}

interface Row {
  readonly name: string;
  readonly reply: Reply;
  readonly api?: "responses";
  readonly stream?: boolean;
  readonly safety: Safety;
  /** What the handler's entry says instead, because the host drops members of the answer. */
  readonly dropped?: Safety;
}

const SAFE = {
  outcome: "ok",
  safetyPassed: true,
  detectors: [],
  checks: [],
  blockReason: null,
  side: undefined,
} as const;

const filtered = { hate: { filtered: true, severity: "high" } };
const byFilter = {
  outcome: "blocked",
  safetyPassed: false,
  detectors: ["openai:content_filter"],
  checks: ["openai:content_filter"],
  blockReason: "content_filter",
  side: "output",
} as const;

/** A block with one detector, which is its own check. */
function blocked(detector: string, side: "input" | "output" | undefined): Safety {
  return {
    outcome: "blocked",
    safetyPassed: false,
    detectors: [detector],
    checks: [detector],
    blockReason: detector.slice(detector.indexOf(":") + 1),
    side,
  };
}

const stoppedBy = (finishReason: string): Reply => chat("I would", { finishReason });
const streamStoppedBy = (finishReason: string): Reply => ({
  events: chatChunks(["I ", "would"], { finishReason }),
});

const ROWS: readonly Row[] = [
  { name: "an ordinary answer", reply: chat("Hi."), safety: SAFE },
  { name: "a content filter", reply: stoppedBy("content_filter"), safety: byFilter },
  {
    name: "a content filter, in a stream",
    reply: streamStoppedBy("content_filter"),
    stream: true,
    safety: byFilter,
  },
  {
    name: "a content filter with Azure's results",
    reply: chat("Hi.", {
      finishReason: "content_filter",
      choice: { content_filter_results: { ...filtered, custom_blocklists: [{ filtered: true }] } },
    }),
    safety: {
      ...byFilter,
      detectors: ["openai:content_filter", "azure:hate", "azure:custom_blocklists"],
      checks: ["openai:content_filter", "azure:content_filter"],
      blockReason: "content_filter, hate, custom_blocklists",
    },
    dropped: byFilter,
  },
  {
    name: "Azure's results alone",
    reply: chat("Hi.", { choice: { content_filter_results: filtered } }),
    safety: {
      outcome: "blocked",
      safetyPassed: false,
      detectors: ["azure:hate"],
      checks: ["azure:content_filter"],
      blockReason: "hate",
      side: "output",
    },
    dropped: SAFE,
  },
  {
    name: "a refusal in the message",
    reply: chat(null, {
      message: { refusal: "I cannot help with that." },
      usage: { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 },
    }),
    safety: blocked("openai:refusal", "output"),
    dropped: {
      outcome: "ok",
      safetyPassed: false,
      detectors: ["possible_refusal"],
      checks: ["possible_refusal"],
      blockReason: null,
      side: undefined,
    },
  },
  ...[
    ["SAFETY", "gemini:SAFETY"],
    ["content_filter: PROHIBITED_CONTENT", "gemini:PROHIBITED_CONTENT"],
    ["refusal", "anthropic:refusal"],
    ["content_filtered", "bedrock:content_filtered"],
    ["sensitive", "zhipu:sensitive"],
  ].flatMap(([reason = "", detector = ""]): Row[] => [
    {
      name: `a gateway's finish reason ${reason}`,
      reply: stoppedBy(reason),
      safety: blocked(detector, "output"),
    },
    {
      name: `a gateway's finish reason ${reason}, in a stream`,
      reply: streamStoppedBy(reason),
      stream: true,
      safety: blocked(detector, "output"),
    },
  ]),
  {
    name: "a finish reason that nobody knows and that speaks of safety",
    reply: stoppedBy("new_safety_stop"),
    safety: {
      outcome: "ok",
      safetyPassed: false,
      detectors: ["openai:suspected:new_safety_stop"],
      checks: ["openai:policy"],
      blockReason: null,
      side: undefined,
    },
  },
  {
    name: "one of two answers stopped",
    reply: oneOfTwo(),
    safety: { ...byFilter, outcome: "ok" },
  },
  {
    name: "400 by Azure's filter",
    reply: failure(400, {
      message: "filtered",
      code: "content_filter",
      type: null,
      param: "prompt",
      innererror: {
        code: "ResponsibleAIPolicyViolation",
        content_filter_result: { ...filtered, custom_blocklists: [{ id: "bl", filtered: true }] },
      },
    }),
    safety: {
      outcome: "blocked",
      safetyPassed: false,
      detectors: [
        "openai:content_filter",
        "azure:ResponsibleAIPolicyViolation",
        "azure:hate",
        "azure:custom_blocklists",
      ],
      checks: [
        "openai:content_filter",
        "azure:ResponsibleAIPolicyViolation",
        "azure:content_filter",
      ],
      blockReason: "content_filter, ResponsibleAIPolicyViolation, hate, custom_blocklists",
      side: "input",
    },
  },
  ...[
    ["content_policy_violation", undefined],
    ["cyber_policy", undefined],
    ["invalid_prompt", "input"],
  ].map(([code = "", side]): Row => ({
    name: `400 ${code}`,
    reply: failure(400, { message: "rejected", code, type: "invalid_request_error" }),
    safety: blocked(`openai:${code}`, side === "input" ? side : undefined),
  })),
  {
    name: "400 moderation_blocked with its details",
    reply: failure(400, {
      message: "rejected",
      code: "moderation_blocked",
      moderation_details: { moderation_stage: "output", categories: ["violence"] },
    }),
    safety: {
      outcome: "blocked",
      safetyPassed: false,
      detectors: ["openai:moderation_blocked", "openai:moderation:violence"],
      checks: ["openai:moderation_blocked", "openai:moderation"],
      blockReason: "moderation_blocked, violence",
      side: "output",
    },
  },
  {
    name: "400 with a policy code that nobody knows",
    reply: failure(400, { message: "No.", code: "new_policy_violation" }),
    safety: {
      outcome: "error",
      safetyPassed: false,
      detectors: ["openai:suspected:new_policy_violation"],
      checks: ["openai:policy"],
      blockReason: null,
      side: undefined,
    },
  },
  {
    name: "400 by Anthropic's filter, through a gateway",
    reply: failure(400, {
      type: "invalid_request_error",
      message: "Output blocked by content filtering policy",
    }),
    safety: blocked("anthropic:content_filtering_policy", "output"),
  },
  {
    name: "403 by a guardrail of Mistral",
    reply: failure(403, { message: "blocked", type: "guardrail_violation" }),
    safety: blocked("mistral:guardrail_violation", undefined),
  },
  {
    name: "403 by OpenRouter's moderation",
    reply: failure(403, {
      code: 403,
      message: "flagged",
      metadata: { reasons: ["violence"], flagged_input: "the prompt", provider_name: "OpenAI" },
    }),
    safety: {
      ...blocked("openrouter:moderation:violence", "input"),
      checks: ["openrouter:moderation"],
      blockReason: "violence",
    },
  },
  {
    name: "400 by Alibaba's inspection",
    reply: failure(400, { code: "data_inspection_failed", message: "x" }),
    safety: blocked("alibaba:data_inspection_failed", undefined),
  },
  {
    name: "429",
    reply: failure(429, { code: "rate_limit_exceeded", message: "slow down" }),
    safety: { ...SAFE, outcome: "error" },
  },
  {
    name: "Responses: an ordinary answer",
    api: "responses",
    reply: responded("Hi."),
    safety: SAFE,
  },
  {
    name: "Responses: incomplete by the filter",
    api: "responses",
    reply: responded("I would", {
      status: "incomplete",
      incomplete_details: { reason: "content_filter" },
    }),
    safety: byFilter,
  },
  {
    name: "Responses: a refusal",
    api: "responses",
    reply: responded([{ type: "refusal", refusal: "No." }]),
    safety: blocked("openai:refusal", "output"),
  },
];

function oneOfTwo(): Reply {
  const reply = chat("one", { more: ["two"] });
  if (!("json" in reply)) throw new Error("not JSON");
  const body = reply.json as { choices: { finish_reason: string }[] };
  body.choices[1]!.finish_reason = "content_filter";
  return reply;
}

function safetyOf(entry: AuditEntry): Safety {
  return {
    outcome: entry.outcome,
    safetyPassed: entry.safetyPassed,
    detectors: entry.detectorsTriggered,
    checks: entry.safetyChecks,
    blockReason: entry.blockReason,
    side: entry.metadata["blocked_at"],
  };
}

/** The entry of the same call through the handler, or through the audited client. */
async function entryThrough(wrapper: "handler" | "client", row: Row): Promise<AuditEntry> {
  await using bench = await startBench(() => row.reply);
  const ended = wrapper === "handler" ? throughHandler(bench, row) : throughClient(bench, row);
  await ended.catch(() => undefined); // errors are rows too
  return only(await bench.entries());
}

type Bench = Awaited<ReturnType<typeof startBench>>;

async function throughHandler(bench: Bench, { api, stream }: Row): Promise<void> {
  const chosen = bench.model({ useResponsesApi: api === "responses" });
  const options = { callbacks: [bench.handler] };
  if (stream) for await (const _ of await chosen.stream("How?", options));
  else await chosen.invoke("How?", options);
}

async function throughClient({ server, logger }: Bench, { api, stream }: Row): Promise<void> {
  const client = new AuditedOpenAI({
    apiKey: API_KEY,
    baseURL: server.url,
    maxRetries: 0,
    audit: logger,
  });
  const messages = [{ role: "user" as const, content: "How?" }];
  if (api === "responses") await client.responses.create({ model: "gpt-test", input: "How?" });
  else if (stream)
    for await (const _ of await client.chat.completions.create({
      model: "gpt-test",
      messages,
      stream: true,
    }));
  else await client.chat.completions.create({ model: "gpt-test", messages });
}

describe("the safety fields of one HTTP answer", () => {
  it.each(ROWS)("are the same through both wrappers: $name", async (row) => {
    const [direct, seen] = [
      await entryThrough("client", row),
      await entryThrough("handler", row),
    ].map(safetyOf);
    expect(direct).toEqual(row.safety);
    expect(seen).toEqual(row.dropped ?? row.safety);
    // A detector that fired has a check that ran.
    for (const one of [direct, seen])
      expect(one?.checks?.length === 0).toBe(one?.detectors.length === 0);
  });
});
