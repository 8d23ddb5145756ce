// Agents of frameworks over LangGraph, and tools over MCP: each invocation has one root, every run's
// parent is on record, and a sub-agent names the tool call that started it.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AuditEntry, AuditLogger } from "@ai-audit/core";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { createReactAgent } from "@langchain/langgraph/prebuilt";
import { createHandoffTool, createSwarm } from "@langchain/langgraph-swarm";
import { loadMcpTools } from "@langchain/mcp-adapters";
import { ChatOpenAI } from "@langchain/openai";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { createDeepAgent } from "deepagents";
import { createAgent } from "langchain";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AuditCallbackHandler } from "../src/index.ts";
import { askFor, user, weather } from "./asked-agent.ts";
import { API_KEY } from "./fixtures.ts";
import { chatFor, lastText, type Respond, startOpenAiServer } from "./openai-server.ts";

interface Recorded {
  readonly entries: readonly AuditEntry[];
  /** Ids of runs with an entry or a `run.started` line. */
  readonly known: ReadonlySet<string | undefined>;
}

/** Runs an application on a model that answers so, and reads its log. */
async function record(
  respond: Respond,
  run: (model: ChatOpenAI, callbacks: AuditCallbackHandler[]) => Promise<unknown>,
): Promise<Recorded> {
  const path = await temporaryDirectory();
  await using server = await startOpenAiServer(respond);
  const logger = new AuditLogger(path, { storeContent: true });
  const configuration = { baseURL: server.url };
  const model = new ChatOpenAI({
    model: "gpt-test",
    apiKey: API_KEY,
    maxRetries: 0,
    configuration,
  });
  await run(model, [new AuditCallbackHandler(logger)]);
  const entries = await Array.fromAsync(logger.entries());
  await logger.close();
  const known = new Set(entries.map((entry) => entry.run?.id));
  for (const file of await readdir(path)) {
    const text = await readFile(join(path, file), "utf8");
    for (const [, id] of text.matchAll(/^\{"type":"run\.started","run":"([^"]+)"/gm)) known.add(id);
  }
  return { entries, known };
}

function expectOneTree({ entries, known }: Recorded): void {
  expect(entries.length).toBeGreaterThan(1);
  expect(new Set(entries.map(({ run }) => run?.rootId)).size).toBe(1);
  for (const { run } of entries) expect(known).toContain(run?.parentId);
}

function shapeOf({ entries }: Recorded): string[] {
  return entries.map(({ operation, run, outcome }) => {
    const { toolName, agentName } = run ?? {};
    const name = typeof toolName === "string" ? toolName : agentName;
    return `${operation} ${typeof name === "string" ? name : "-"} ${outcome}`;
  });
}

/** The sales agent hands over, the support agent answers. */
const handOver: Respond = (request) => {
  const tools = JSON.stringify(request.body["tools"] ?? []);
  const isSales = tools.includes("transfer_to_support");
  return isSales
    ? chatFor(request, "", {
        toolCalls: [{ id: "call_1", name: "transfer_to_support", args: {} }],
      })
    : chatFor(request, "Restart it.");
};

/** The main agent starts a sub-agent, which answers. */
const delegate: Respond = (request) =>
  lastText(request) === "Find invoice 7."
    ? chatFor(request, "It is due.")
    : askFor(
        [
          {
            name: "task",
            args: { description: "Find invoice 7.", subagent_type: "researcher" },
          },
        ],
        "Done.",
      )(request, 0);

describe("one tree in the log", { timeout: 120_000 }, () => {
  it("is left by createReactAgent", async () => {
    const recorded = await record(
      askFor([{ name: "weather", args: { city: "Rome" } }], "Sunny."),
      async (llm, callbacks) =>
        createReactAgent({ llm, tools: [weather], name: "forecaster" }).invoke(user("Weather?"), {
          callbacks,
        }),
    );
    expectOneTree(recorded);
    expect(shapeOf(recorded)).toEqual([
      "chat forecaster ok",
      "execute_tool weather ok",
      "chat forecaster ok",
    ]);
  });

  it("is left by tools over MCP", async () => {
    const server = new McpServer({ name: "city-server", version: "1.0.0" });
    server.registerTool("population", { inputSchema: { city: z.string() } }, ({ city }) => ({
      content: [{ type: "text", text: `${city}: 2.8 million` }],
    }));
    const [near, far] = InMemoryTransport.createLinkedPair();
    const client = new Client({ name: "app", version: "1.0.0" });
    await Promise.all([server.connect(far), client.connect(near)]);
    const tools = await loadMcpTools("cities", client);
    const recorded = await record(
      askFor([{ name: tools[0]?.name ?? "", args: { city: "Rome" } }], "Big."),
      async (model, callbacks) =>
        createAgent({ model, tools, name: "geographer" }).invoke(user("How big is Rome?"), {
          callbacks,
        }),
    );
    await client.close();
    expectOneTree(recorded);
    expect(shapeOf(recorded)).toEqual([
      "chat geographer ok",
      "execute_tool population ok",
      "chat geographer ok",
    ]);
    const [, called] = recorded.entries;
    expect(called?.inputContent).toContain("Rome");
    expect(called?.outputContent).toContain("Rome: 2.8 million");
  });

  it("is left by a swarm, whose agents hand over to each other", async () => {
    const recorded = await record(handOver, async (llm, callbacks) => {
      const toSupport = createHandoffTool({ agentName: "support" });
      const sales = createReactAgent({ llm, tools: [toSupport], name: "sales" });
      const support = createReactAgent({ llm, tools: [weather], name: "support" });
      const swarm = createSwarm({ agents: [sales, support], defaultActiveAgent: "sales" });
      return swarm.compile().invoke(user("It is broken."), { callbacks });
    });
    expectOneTree(recorded);
    expect(shapeOf(recorded)).toEqual([
      "chat sales ok",
      "execute_tool transfer_to_support ok",
      "chat support ok",
    ]);
  });

  it("is left by deepagents; a sub-agent names the tool call that started it", async () => {
    const recorded = await record(delegate, async (model, callbacks) => {
      const researcher = {
        name: "researcher",
        description: "Finds documents.",
        systemPrompt: "You find documents.",
        tools: [weather],
      };
      const agent = createDeepAgent({ model, subagents: [researcher] });
      return agent.invoke(user("Is invoice 7 due?"), { callbacks });
    });
    expectOneTree(recorded);
    const inner = recorded.entries.find(({ outputContent }) => outputContent === "It is due.");
    expect(inner?.run).toMatchObject({ agentName: "researcher", calledBy: "call_1" });
  });
});
