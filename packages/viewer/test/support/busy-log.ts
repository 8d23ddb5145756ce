// A log of some weeks of an application: chats, agents with tools, blocks, errors, reviews, a loss,
// a removal, an erased person, hostile prompts, and an hour in which nothing was recorded.
import { join } from "node:path";
import { mock } from "node:test";
import {
  AuditLogger,
  EncryptionManager,
  FileKeyStore,
  FileStorage,
  generateKey,
  Signer,
} from "@ai-audit/core";
import { HOSTILE } from "./page-log.ts";

type Interaction = Parameters<AuditLogger["log"]>[0];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The first day. The log ends shortly before noon of its last. */
const BEGIN = Date.UTC(2026, 10, 2);

/** The log, and what its reader is given. */
export interface BusyLog {
  readonly directory: string;
  readonly vkey: string;
  readonly encryption: EncryptionManager;
  readonly keyText: string;
  readonly subjects: string;
  /** The time at which it ends, in milliseconds since the epoch. */
  readonly end: number;
}

const ACTORS = [
  "ada@bank.example",
  "grace@bank.example",
  "linus@bank.example",
  "edsger@bank.example",
];
const MODELS: readonly (readonly [provider: string, model: string])[] = [
  ["openai", "gpt-5"],
  ["openai", "gpt-5-mini"],
  ["anthropic", "claude-sonnet-4-5"],
  ["azure.ai.openai", "gpt-4o"],
];

/** Writes about `entries` entries over `days` days. */
export async function writeBusyLog(place: string, entries = 800, days = 12): Promise<BusyLog> {
  const directory = join(place, "log");
  const subjects = join(place, "subjects");
  const keyText = generateKey();
  const end = BEGIN + (days - 1) * DAY_MS + 11.5 * HOUR_MS;
  mock.timers.enable({ apis: ["Date"], now: BEGIN });
  try {
    const signer = await Signer.generate("bank.example/assistant");
    const encryption = new EncryptionManager(keyText, {
      subjects: new FileKeyStore({ path: subjects }),
    });
    const storage = new FileStorage({ path: directory, signer });
    const log = new AuditLogger(storage, { storeContent: true, encryption });
    const random = randomOf(7);
    const hours = Math.floor((end - BEGIN) / HOUR_MS);
    const weights = Array.from({ length: hours }, (_, hour) => weightOf(hour));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    let number = 0;
    for (const [hour, weight] of weights.entries()) {
      const count = Math.round((weight / sum) * entries);
      const batch: Promise<string>[] = [];
      for (let at = 0; at < count; at += 1) {
        mock.timers.setTime(BEGIN + hour * HOUR_MS + Math.floor(((at + 0.5) / count) * HOUR_MS));
        for (const interaction of interactionsOf(number, random)) batch.push(log.log(interaction));
        number += 1;
        if (batch.length >= 500) await Promise.all(batch.splice(0));
      }
      await Promise.all(batch);
      if (hour === 30) storage.lose(crypto.randomUUID(), "ENOSPC: no space left on device");
    }
    mock.timers.setTime(end);
    await log.review({
      of: await waitingRun(log, number),
      by: { id: "grace@bank.example", kind: "user", role: "credit officer" },
      verdict: "approved",
      reason: "The invoice is ours.",
    });
    await log.eraseSubject("customer-3", {
      actor: "privacy@bank.example",
      reason: "request of 11 November",
    });
    await log.close();
    const { vkey } = signer;
    return { directory, vkey, encryption, keyText, subjects, end };
  } finally {
    mock.timers.reset();
  }
}

/** Nights and weekends are quiet; nothing was recorded from 13:00 to 15:00 of the fourth day. */
function weightOf(hour: number): number {
  const [day, time] = [Math.floor(hour / 24), hour % 24];
  if (day === 3 && (time === 13 || time === 14)) return 0;
  const ofDay = time < 6 ? 0.1 : time < 8 ? 1 : time < 18 ? 6 : time < 22 ? 2 : 0.4;
  return day % 7 >= 5 ? ofDay * 0.3 : ofDay;
}

function interactionsOf(number: number, random: () => number): Interaction[] {
  const [provider, model] = MODELS[Math.floor(random() ** 2 * MODELS.length)] ?? MODELS[0]!;
  const actor = { id: ACTORS[number % ACTORS.length] ?? "ada", kind: "user" } as const;
  const latencyMs = Math.round(400 + 2500 * random() ** 3 + (random() < 0.03 ? 9000 : 0));
  const conversationId = `conv-${Math.floor(number / 3)}`;
  const chat: Interaction = {
    operation: "chat",
    provider,
    model,
    actor,
    conversationId,
    latencyMs,
    input: [
      { role: "system", content: "You help customers of the bank. Answer briefly." },
      { role: "user", content: QUESTIONS[number % QUESTIONS.length] ?? "" },
    ],
    output: { role: "assistant", content: ANSWERS[number % ANSWERS.length] ?? "" },
    inputTokens: 120 + Math.floor(random() * 900),
    outputTokens: 40 + Math.floor(random() * 300),
    usage: { source: "reported" },
    outcome: "ok",
    finishReasons: ["stop"],
    parameters: { temperature: 0.2, max_tokens: 800 },
    safetyChecks: ["azure.content_filter"],
    metadata: { channel: number % 2 === 0 ? "web" : "phone", release: "2026.11" },
    ...(number % 9 === 0 && { subject: `customer-${number % 5}` }),
  };
  if (number % 97 === 13)
    return [
      {
        ...chat,
        input: HOSTILE[Math.floor(number / 97) % HOSTILE.length] ?? "",
        output: `Answer with\u202E hidden order and <b>markup</b>`,
        conversationId: "conv-hostile",
      },
    ];
  if (number % 41 === 5)
    return [
      {
        ...chat,
        outcome: "blocked",
        safetyPassed: false,
        output: "",
        finishReasons: ["content_filter"],
        detectorsTriggered: [number % 2 === 0 ? "azure:jailbreak" : "pii:iban"],
        blockReason:
          number % 2 === 0 ? "jailbreak attempt in the prompt" : "an account number in the answer",
        diagnostics: {
          blockMessage:
            "The response was filtered due to the prompt triggering the content management policy.",
          assessments: { jailbreak: { detected: true, filtered: true } },
        },
      },
    ];
  if (number % 53 === 7)
    return [
      {
        ...chat,
        output: "",
        outcome: "error",
        error: { type: "RateLimitError", code: "rate_limit_exceeded", status: 429 },
        inputTokens: null,
        outputTokens: null,
        diagnostics: { errorMessage: "Rate limit reached for gpt-5 in organization bank." },
      },
    ];
  if (number % 29 === 3) return agentRun(number, chat);
  return [chat];
}

/** An agent that reads an invoice, and asks a person before it pays. */
function agentRun(number: number, chat: Interaction): Interaction[] {
  const root = `run-${number}`;
  const agent = { agentName: "payments" };
  const run = (
    id: string,
    parentId: string | undefined,
    more: Interaction["run"] = {},
  ): NonNullable<Interaction["run"]> => ({
    id: `${root}-${id}`,
    ...(parentId !== undefined && { parentId: `${root}-${parentId}` }),
    rootId: `${root}-agent`,
    ...agent,
    ...more,
  });
  const { safetyChecks: _checks, ...plain } = chat;
  return [
    {
      ...plain,
      latencyMs: 1900,
      run: run("plan", "agent"),
      output: {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: "call_1",
            type: "function",
            function: { name: "read_invoice", arguments: '{"file":"8.pdf"}' },
          },
        ],
      },
      finishReasons: ["tool_calls"],
    },
    {
      ...plain,
      operation: "execute_tool",
      latencyMs: 900,
      input: { file: "8.pdf" },
      output: "Invoice 8: 950 EUR to Example GmbH",
      run: run("read", "agent", { toolName: "read_invoice", toolCallId: "call_1" }),
      inputTokens: null,
      outputTokens: null,
    },
    {
      ...plain,
      operation: "human_review",
      outcome: "interrupted",
      latencyMs: 20,
      input: { actionRequests: [{ name: "pay", args: { amount: 950, to: "Example GmbH" } }] },
      output: "",
      run: run("ask", "agent"),
      inputTokens: null,
      outputTokens: null,
      metadata: { actions: ["pay"], interrupt_ids: [`${root}-interrupt`] },
    },
    {
      ...plain,
      operation: "invoke_agent",
      latencyMs: 4200,
      input: "Pay what is due.",
      output: "I ask before I pay.",
      run: run("agent", undefined, { name: "payments" }),
      inputTokens: null,
      outputTokens: null,
    },
  ];
}

/** The request of the last agent's run. */
async function waitingRun(log: AuditLogger, number: number): Promise<string> {
  for (let at = number; at >= 0; at -= 1)
    if (at % 29 === 3 && at % 97 !== 13 && at % 41 !== 5 && at % 53 !== 7)
      return `run-${at}-interrupt`;
  await log.flush();
  return "none";
}

const QUESTIONS = [
  "How do I block my card?",
  "What does a transfer to Norway cost?",
  "Why was my payment of 950 EUR returned?",
  "Please explain the fee of 4.90 EUR.",
  "Can I raise my limit for a day?",
];
const ANSWERS = [
  "You can block it in the app under Cards, or call us at any time.",
  "A SEPA transfer within the EEA is free. It arrives on the next bank day.",
  "The recipient's account number was not valid. The money is back on your account.",
  "It is the monthly fee of the account. From an income of 700 EUR on it is waived.",
];

/** Numbers from 0 to 1, the same ones each time. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}
