// An MCP server and its client, each with an audited connection: a tool that asks a person first.
import { AuditLogger } from "@ai-audit/core";
import { auditTransport } from "@ai-audit/mcp";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

// The two would be two programs, over stdio or HTTP.
const [clientTransport, serverTransport] = InMemoryTransport.createLinkedPair();

const serverLog = new AuditLogger("./audit-logs/mcp-server", { storeContent: true });
const server = new McpServer({ name: "office", version: "1.0.0" });
server.registerTool(
  "delete_file",
  { inputSchema: { name: z.string() }, annotations: { destructiveHint: true } },
  async ({ name }) => {
    const { action } = await server.server.elicitInput({
      message: `Delete ${name}?`,
      requestedSchema: { type: "object", properties: {} },
    });
    const done = action === "accept" ? "deleted" : "kept";
    return { content: [{ type: "text", text: `${name} is ${done}.` }] };
  },
);
await server.connect(auditTransport(serverTransport, { logger: serverLog }));

const clientLog = new AuditLogger("./audit-logs/mcp-client", { storeContent: true });
const client = new Client(
  { name: "desk", version: "1.0.0" },
  { capabilities: { elicitation: {} } },
);
client.setRequestHandler(ElicitRequestSchema, () => ({ action: "decline" })); // a dialog
await client.connect(auditTransport(clientTransport, { logger: clientLog }));
const answer = await client.callTool({ name: "delete_file", arguments: { name: "a.txt" } });
console.log(JSON.stringify(answer.content));

for (const [side, log] of [
  ["client", clientLog],
  ["server", serverLog],
] as const)
  for await (const { operation, outcome, review, run } of log.entries())
    console.log(side, operation, outcome, review?.verdict ?? run?.name);

await client.close();
await clientLog.close();
await serverLog.close();
