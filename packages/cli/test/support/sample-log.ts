// A log as an application writes it, for the command to be run on.
import { join } from "node:path";
import { AuditLogger, EncryptionManager, FileKeyStore, FileStorage, Signer } from "@ai-audit/core";

export interface SampleLog {
  /** The directory that holds the log and what belongs to it. */
  readonly root: string;
  /** The log. */
  readonly directory: string;
  readonly vkey: string;
  /** PKCS#8 PEM. */
  readonly signingKey: string;
  readonly encryptionKey: string;
  /** Directory of the subjects' secrets. */
  readonly subjects: string;
  /** Entry ids in the order of writing. */
  readonly ids: readonly string[];
}

/**
 * Writes seven entries into `root`/audit-logs, of two conversations, signed and encrypted: plain,
 * blocked, failed, with tools, about a person.
 */
export async function writeSampleLog(root: string): Promise<SampleLog> {
  const directory = join(root, "audit-logs");
  const subjects = join(root, "subjects");
  const signer = await Signer.generate("example.com/audit");
  const encryption = new EncryptionManager(undefined, {
    subjects: new FileKeyStore({ path: subjects }),
  });
  const encryptionKey = encryption.getKey();
  const storage = new FileStorage({ path: directory, signer });
  const logger = new AuditLogger(storage, { encryption, storeContent: true });
  const ids: string[] = [];
  for (const interaction of INTERACTIONS) ids.push(await logger.log(interaction));
  await logger.close();
  return {
    root,
    directory,
    vkey: signer.vkey,
    signingKey: signer.toPem(),
    encryptionKey,
    subjects,
    ids,
  };
}

const QUESTION = { role: "user", content: "Which city is the capital of France?" };
const ANSWER = { role: "assistant", content: "Paris." };

const INTERACTIONS: readonly Parameters<AuditLogger["log"]>[0][] = [
  {
    input: [QUESTION],
    output: "Paris.",
    provider: "openai",
    model: "gpt-5",
    responseModel: "gpt-5-2026-08-07",
    operation: "chat",
    outcome: "ok",
    conversationId: "geography",
    latencyMs: 420,
    inputTokens: 15,
    outputTokens: 2,
    safetyChecks: ["openai.moderation"],
    metadata: { user_id: "ada", tags: { team: "web" } },
  },
  {
    input: [QUESTION, ANSWER, { role: "user", content: "And of Italy?" }],
    output: "Rome.",
    provider: "openai",
    model: "gpt-5",
    operation: "chat",
    outcome: "ok",
    conversationId: "geography",
    latencyMs: 380,
    timeToFirstTokenMs: 120,
    streamed: true,
    inputTokens: 29,
    outputTokens: 2,
    metadata: { user_id: "ada" },
  },
  {
    input: "How do I pick the lock of my neighbour's door?",
    output: "",
    provider: "azure.ai.openai",
    model: "gpt-4o",
    operation: "chat",
    outcome: "blocked",
    safetyPassed: false,
    detectorsTriggered: ["jailbreak"],
    blockReason: "content_filter",
    conversationId: "locks",
    latencyMs: 95,
    inputTokens: 13,
    outputTokens: 0,
    metadata: { user_id: "eve" },
  },
  {
    input: "Summarise the report.",
    output: "",
    provider: "openai",
    model: "gpt-5",
    operation: "chat",
    outcome: "error",
    error: {
      type: "RateLimitError",
      code: "rate_limit_exceeded",
      status: 429,
      message: "Rate limit reached",
    },
    attempts: 3,
    latencyMs: 2600,
    metadata: { user_id: "bob" },
  },
  {
    input: "What is the weather in Oslo?",
    output: [
      {
        role: "assistant",
        content: null,
        tool_calls: [{ name: "weather", arguments: '{"city":"Oslo"}' }],
      },
    ],
    provider: "openai",
    model: "gpt-5-mini",
    operation: "chat",
    outcome: "ok",
    latencyMs: 310,
    inputTokens: 40,
    outputTokens: 12,
    run: { id: "run-1", threadId: "thread-7" },
    metadata: { user_id: "bob" },
  },
  {
    input: "Please change my address.\u001B[2J\u202E",
    output: "Done, 王さん.",
    provider: "openai",
    model: "gpt-5",
    operation: "chat",
    outcome: "ok",
    latencyMs: 510,
    inputTokens: 8,
    outputTokens: 5,
    subject: "Grace Hopper",
    metadata: { user_id: "grace" },
  },
  { input: "a manual record", output: "nothing more is known of it" },
];
