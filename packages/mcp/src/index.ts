// The audit of an MCP connection, for clients and servers: @ai-audit/mcp.
export { type AuditableTransport, auditTransport } from "./transport.ts";
export type { McpAuditOptions } from "./options.ts";
export { definitionHash } from "./tools.ts";
