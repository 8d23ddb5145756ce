// The log of an agent at work: a supervisor, two parallel calls of one sub-agent, a tool, a
// guardrail, a person asked.
import { join } from "node:path";
import { AuditLogger } from "@ai-audit/core";

type Interaction = Parameters<AuditLogger["log"]>[0];

const THREAD = { conversationId: "payments", metadata: { user_id: "ada" } };

function run(
  id: string,
  parentId: string | undefined,
  more: Interaction["run"] = {},
): NonNullable<Interaction["run"]> {
  return { id, ...(parentId !== undefined && { parentId }), rootId: "inv-1", ...more };
}

const TASK = [
  { role: "system", content: "You check invoices." },
  { role: "user", content: "Check invoice 7." },
];

/**
 * All entries have the present as their time: their latencies say when they began, in milliseconds
 * before it.
 */
const INTERACTIONS: readonly Interaction[] = [
  {
    ...THREAD,
    operation: "chat",
    model: "gpt-5-mini",
    input: TASK,
    output: { role: "assistant", content: "Invoice 7 is due." },
    outcome: "ok",
    latencyMs: 6500,
    inputTokens: 20,
    outputTokens: 5,
    run: run("chat-2", "tool-1", { agentName: "researcher" }),
  },
  {
    ...THREAD,
    operation: "execute_tool",
    input: { file: "8.pdf" },
    output: "",
    outcome: "error",
    error: { type: "Error", message: "no such file" },
    latencyMs: 6000,
    run: run("tool-3", "tool-2", { agentName: "researcher", toolName: "read_pdf" }),
  },
  {
    ...THREAD,
    operation: "execute_tool",
    input: { task: "Check invoice 7." },
    output: "Invoice 7 is due.",
    outcome: "ok",
    latencyMs: 7000,
    run: run("tool-1", "agent-1", {
      agentName: "supervisor",
      toolName: "delegate",
      toolCallId: "call_1",
    }),
  },
  {
    ...THREAD,
    operation: "execute_tool",
    input: { task: "Check invoice 8." },
    output: "Invoice 8 cannot be read.",
    outcome: "ok",
    latencyMs: 6900,
    run: run("tool-2", "agent-1", {
      agentName: "supervisor",
      toolName: "delegate",
      toolCallId: "call_2",
    }),
  },
  {
    ...THREAD,
    operation: "chat",
    model: "gpt-5",
    input: [{ role: "user", content: "Pay what is due." }],
    output: {
      role: "assistant",
      content: "I check both invoices.",
      tool_calls: [
        { id: "call_1", function: { name: "delegate", arguments: '{"task":"Check invoice 7."}' } },
        { id: "call_2", function: { name: "delegate", arguments: '{"task":"Check invoice 8."}' } },
      ],
    },
    outcome: "ok",
    latencyMs: 8000,
    inputTokens: 100,
    outputTokens: 30,
    run: run("chat-1", "agent-1", { agentName: "supervisor" }),
  },
  {
    ...THREAD,
    operation: "guardrail",
    input: "",
    output: "",
    outcome: "ok",
    safetyPassed: false,
    safetyChecks: ["pii"],
    detectorsTriggered: ["pii:email"],
    latencyMs: 5000,
    run: run("guard-1", "agent-1", { agentName: "supervisor" }),
  },
  {
    ...THREAD,
    operation: "human_review",
    input: { action: "pay", amount: 120 },
    output: "",
    outcome: "interrupted",
    latencyMs: 4000,
    run: run("review-1", "agent-1", { agentName: "supervisor" }),
  },
  {
    ...THREAD,
    operation: "invoke_agent",
    input: "",
    output: "",
    outcome: "interrupted",
    latencyMs: 9000,
    run: run("agent-1", undefined, { agentName: "supervisor" }),
  },
];

/** Writes the log and gives its directory. */
export async function writeAgentLog(root: string): Promise<string> {
  const directory = join(root, "agent-log");
  const logger = new AuditLogger(directory, { storeContent: true });
  for (const interaction of INTERACTIONS) await logger.log(interaction);
  await logger.close();
  return directory;
}
