// A server over stdio, in a process of its own. It audits itself into the directory of its argument.
import { AuditLogger } from "@ai-audit/core";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { auditTransport } from "../src/index.ts";

const [, , directory = ""] = process.argv;
const logger = new AuditLogger(directory, { storeContent: true });
const server = new McpServer({ name: "child", version: "3.0.0" });
server.registerTool("pid", {}, () => ({
  content: [{ type: "text", text: String(process.pid) }],
}));
server.registerTool("dies", {}, () => process.exit(1));
await server.connect(auditTransport(new StdioServerTransport(), { logger }));
