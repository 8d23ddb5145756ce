// The HTTP handler of SDK 2.x, which makes its transports by itself.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { describe, expect, it } from "vitest";
import { auditTransport } from "../src/index.ts";
import { openLog } from "./fixtures.ts";

describe("createMcpHandler()", () => {
  it.each(["legacy", "auto"] as const)("is audited by its servers' connect, %s", async (mode) => {
    await using log = await openLog();
    const handler = createMcpHandler(() => {
      const server = new McpServer({ name: "web", version: "1.0.0" });
      server.registerTool("today", {}, () => ({ content: [{ type: "text", text: "Monday" }] }));
      const connect = server.connect.bind(server);
      server.connect = (transport) => connect(auditTransport(transport, { logger: log.logger }));
      return server;
    });
    const near = new StreamableHTTPClientTransport(new URL("http://127.0.0.1/mcp"), {
      fetch: (url, init) => handler.fetch(new Request(url, init)),
    });
    const client = new Client({ name: "desk", version: "1.0.0" }, { versionNegotiation: { mode } });
    await client.connect(auditTransport(near, { logger: log.logger }));
    const answer = await client.callTool({ name: "today" });
    expect(answer).toMatchObject({ content: [{ text: "Monday" }] });
    const entries = await log.entries();
    expect(entries.map(({ outcome, run }) => [outcome, run?.name])).toEqual([
      ["ok", "today"],
      ["ok", "today"],
    ]);
    await client.close();
  });
});
