// Audited transports over real wires: a child process, and HTTP.
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { AuditLogger } from "@ai-audit/core";
import { AuditCallbackHandler } from "@ai-audit/langchain-callback";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { loadMcpTools } from "@langchain/mcp-adapters";
import { Client as Client2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as Stdio2 } from "@modelcontextprotocol/client/stdio";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as Stdio1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { describe, expect, it } from "vitest";
import { auditTransport } from "../src/index.ts";
import { type Log, openLog } from "./fixtures.ts";

function command(directory: string) {
  const args = ["--conditions=ai-audit-source", join(import.meta.dirname, "stdio-server.ts")];
  return { command: process.execPath, args: [...args, directory] };
}

const CLIENTS = {
  "1.x": async (directory: string, { logger }: Log) => {
    const client = new Client1({ name: "desk", version: "1.0.0" });
    await client.connect(auditTransport(new Stdio1(command(directory)), { logger }));
    return { call: (name: string) => client.callTool({ name }), close: () => client.close() };
  },
  "2.x": async (directory: string, { logger }: Log) => {
    const client = new Client2({ name: "desk", version: "1.0.0" });
    await client.connect(auditTransport(new Stdio2(command(directory)), { logger }));
    return { call: (name: string) => client.callTool({ name }), close: () => client.close() };
  },
};

describe.each(Object.entries(CLIENTS))("A client of SDK %s over stdio", (_, connect) => {
  it("and its server, in another process, each record a call", async () => {
    await using log = await openLog();
    const directory = await temporaryDirectory();
    const client = await connect(directory, log);
    await client.call("pid");
    const [sent] = await log.entries();
    const reader = new AuditLogger(directory, { storeContent: true });
    const [served] = await Array.fromAsync(reader.entries());
    for (const entry of [sent, served])
      expect(entry).toMatchObject({
        outcome: "ok",
        run: { toolName: "pid" },
        metadata: { mcp: { server: { name: "child", version: "3.0.0" } } },
      });
    expect(served?.outputContent).toBe(sent?.outputContent);
    await client.close();
    await reader.close();
  });

  it("records a call under which the server's process died as abandoned", async () => {
    await using log = await openLog();
    const directory = await temporaryDirectory();
    const client = await connect(directory, log);
    await expect(client.call("dies")).rejects.toThrow("Connection closed");
    await expect
      .poll(() => log.entries(), { timeout: 20_000 })
      .toMatchObject([{ outcome: "abandoned", error: { type: "ConnectionClosed" } }]);
    await client.close();
  });
});

describe("A server over streamable HTTP", () => {
  it("records session, authorized client and scopes, and never the token", async () => {
    await using log = await openLog();
    const TOKEN = "token-secret-4711";
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => "session-1" });
    const server = new McpServer({ name: "web", version: "1.0.0" });
    server.registerTool("today", {}, () => ({ content: [{ type: "text", text: "Monday" }] }));
    await server.connect(auditTransport(transport, { logger: log.logger }));
    const http = createServer((request, response) => {
      const auth = { token: TOKEN, clientId: "client-7", scopes: ["read"] };
      void transport.handleRequest(Object.assign(request, { auth }), response);
    });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const address = http.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const client = new Client1({ name: "desk", version: "1.0.0" });
    const near = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${TOKEN}` } },
    });
    await client.connect(auditTransport(near, { logger: log.logger }));
    expect(await client.callTool({ name: "today" })).toMatchObject({
      content: [{ text: "Monday" }],
    });
    const entries = await log.entries();
    const mcp = { session_id: "session-1", server: { name: "web" } };
    expect(entries).toMatchObject([
      {
        actor: { id: "client-7", kind: "service" },
        metadata: { mcp: { ...mcp, side: "served", client_id: "client-7", scopes: ["read"] } },
      },
      { metadata: { mcp: { ...mcp, side: "caller" } } },
    ]);
    expect(JSON.stringify(entries)).not.toContain(TOKEN);
    await client.close();
    http.close();
    http.closeAllConnections();
    await server.close();
  });
});

describe("A tool of @langchain/mcp-adapters", () => {
  it("is recorded by the LangChain handler and by the transport", async () => {
    await using log = await openLog();
    const [near, far] = InMemoryTransport.createLinkedPair();
    const server = new McpServer({ name: "office", version: "1.0.0" });
    server.registerTool("today", {}, () => ({ content: [{ type: "text", text: "Monday" }] }));
    await server.connect(far);
    const client = new Client1({ name: "desk", version: "1.0.0" });
    await client.connect(auditTransport(near, { logger: log.logger }));
    const [tool] = await loadMcpTools("office", client);
    await tool?.invoke({}, { callbacks: [new AuditCallbackHandler(log.logger)] });
    const entries = await log.entries();
    expect(entries.map(({ operation }) => operation)).toEqual([
      "tools/list",
      "execute_tool",
      "execute_tool",
    ]);
    const [, wire, agent] = entries;
    expect(wire?.metadata).toMatchObject({ mcp: { server: { name: "office" } } });
    expect(agent).toMatchObject({ outcome: "ok" });
    await client.close();
    await server.close();
  });
});
