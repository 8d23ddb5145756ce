// A log in a real directory, and the two majors of the SDK behind one shape.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AuditEntry, AuditLogger, type JsonValue } from "@ai-audit/core";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport as Memory1 } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer as Server1 } from "@modelcontextprotocol/sdk/server/mcp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { Client as Client2, InMemoryTransport as Memory2 } from "@modelcontextprotocol/client";
import { McpServer as Server2 } from "@modelcontextprotocol/server";
import { z } from "zod";
import { auditTransport, type McpAuditOptions } from "../src/index.ts";

export interface Log extends AsyncDisposable {
  readonly logger: AuditLogger;
  /** All entries so far, oldest first. */
  entries(): Promise<AuditEntry[]>;
  content(entry: AuditEntry | undefined): { input?: JsonValue; output?: JsonValue };
}

export async function openLog(): Promise<Log> {
  const directory = await mkdtemp(join(tmpdir(), "ai-audit-mcp-"));
  const logger = new AuditLogger(directory, { storeContent: true });
  return {
    logger,
    entries: async () => (await Array.fromAsync(logger.entries())).toReversed().toSorted(byId),
    content: (entry) => (entry === undefined ? {} : logger.content(entry)),
    [Symbol.asyncDispose]: async () => {
      await logger.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function byId(one: AuditEntry, other: AuditEntry): number {
  return one.id < other.id ? -1 : 1;
}

export type Action = "accept" | "decline" | "cancel";

/** What a test needs of a client of either major. */
export interface Connected {
  call(name: string, args?: Record<string, unknown>, signal?: AbortSignal): Promise<unknown>;
  listTools(): Promise<unknown>;
  readResource(uri: string): Promise<unknown>;
  getPrompt(name: string): Promise<unknown>;
  /** Redefines the tool `echo`. */
  redefine(description: string): void;
  readonly handled: string[];
  close(): Promise<void>;
}

export interface Sides {
  readonly client?: McpAuditOptions;
  readonly server?: McpAuditOptions;
  /** Called within the handler of `echo`. */
  readonly onHandled?: () => void;
  readonly decision?: Action;
  readonly content?: Record<string, string | boolean>;
}

export const image = { type: "image" as const, data: "A".repeat(8000), mimeType: "image/png" };

export const MAJORS: Readonly<Record<string, (sides: Sides) => Promise<Connected>>> = {
  "1.x": connect1,
  "2.x": connect2,
};

async function connect1(sides: Sides): Promise<Connected> {
  const handled: string[] = [];
  const server = new Server1({ name: "office", version: "1.0.0" });
  const echo = server.registerTool(
    "echo",
    { description: "Says it again", inputSchema: { text: z.string() } },
    ({ text }) => {
      handled.push("echo");
      sides.onHandled?.();
      return { content: [{ type: "text", text }] };
    },
  );
  server.registerTool("fails", { annotations: { destructiveHint: true } }, () => {
    throw new Error("the disk is full");
  });
  server.registerTool("paints", {}, () => ({ content: [image] }));
  server.registerTool("waits", {}, ({ signal }) => {
    handled.push("waits");
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
    });
  });
  server.registerTool("asks", {}, async () => {
    const answer = await server.server.elicitInput({
      message: "Delete it?",
      requestedSchema: { type: "object", properties: { sure: { type: "boolean" } } },
    });
    return { content: [{ type: "text", text: answer.action }] };
  });
  server.registerTool("samples", {}, async () => {
    const { model } = await server.server.createMessage({
      messages: [{ role: "user", content: { type: "text", text: "Capital of France?" } }],
      maxTokens: 10,
    });
    return { content: [{ type: "text", text: model }] };
  });
  server.registerResource("note", "note://a", {}, (uri) => ({
    contents: [{ uri: uri.href, text: "a note" }],
  }));
  server.registerPrompt("greet", {}, () => ({
    messages: [{ role: "user", content: { type: "text", text: "Hello" } }],
  }));
  const client = new Client1(
    { name: "desk", version: "2.0.0" },
    { capabilities: { elicitation: {}, sampling: {} } },
  );
  const { decision = "accept", content = { sure: true } } = sides;
  client.setRequestHandler(ElicitRequestSchema, () => ({
    action: decision,
    ...(decision === "accept" && { content }),
  }));
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    role: "assistant",
    model: "house-model",
    content: { type: "text", text: "Paris" },
  }));
  const [near, far] = Memory1.createLinkedPair();
  await server.connect(sides.server ? auditTransport(far, sides.server) : far);
  await client.connect(sides.client ? auditTransport(near, sides.client) : near);
  return {
    handled,
    call: (name, args = {}, signal) =>
      client.callTool({ name, arguments: args }, undefined, signal === undefined ? {} : { signal }),
    listTools: () => client.listTools(),
    readResource: (uri) => client.readResource({ uri }),
    getPrompt: (name) => client.getPrompt({ name }),
    redefine: (description) => echo.update({ description }),
    close: () => client.close(),
  };
}

async function connect2(sides: Sides): Promise<Connected> {
  const handled: string[] = [];
  const server = new Server2({ name: "office", version: "1.0.0" });
  const echo = server.registerTool(
    "echo",
    { description: "Says it again", inputSchema: z.object({ text: z.string() }) },
    ({ text }) => {
      handled.push("echo");
      sides.onHandled?.();
      return { content: [{ type: "text", text }] };
    },
  );
  server.registerTool("fails", { annotations: { destructiveHint: true } }, () => {
    throw new Error("the disk is full");
  });
  server.registerTool("paints", {}, () => ({ content: [image] }));
  server.registerTool("waits", {}, ({ mcpReq: { signal } }) => {
    handled.push("waits");
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
    });
  });
  server.registerTool("asks", {}, async () => {
    const answer = await server.server.elicitInput({
      message: "Delete it?",
      requestedSchema: { type: "object", properties: { sure: { type: "boolean" } } },
    });
    return { content: [{ type: "text", text: answer.action }] };
  });
  server.registerTool("samples", {}, async () => {
    const { model } = await server.server.createMessage({
      messages: [{ role: "user", content: { type: "text", text: "Capital of France?" } }],
      maxTokens: 10,
    });
    return { content: [{ type: "text", text: model }] };
  });
  server.registerResource("note", "note://a", {}, (uri) => ({
    contents: [{ uri: uri.href, text: "a note" }],
  }));
  server.registerPrompt("greet", {}, () => ({
    messages: [{ role: "user", content: { type: "text", text: "Hello" } }],
  }));
  const client = new Client2(
    { name: "desk", version: "2.0.0" },
    { capabilities: { elicitation: {}, sampling: {} } },
  );
  const { decision = "accept", content = { sure: true } } = sides;
  client.setRequestHandler("elicitation/create", () => ({
    action: decision,
    ...(decision === "accept" && { content }),
  }));
  client.setRequestHandler("sampling/createMessage", () => ({
    role: "assistant",
    model: "house-model",
    content: { type: "text", text: "Paris" },
  }));
  const [near, far] = Memory2.createLinkedPair();
  await server.connect(sides.server ? auditTransport(far, sides.server) : far);
  await client.connect(sides.client ? auditTransport(near, sides.client) : near);
  return {
    handled,
    call: (name, args = {}, signal) =>
      client.callTool({ name, arguments: args }, signal === undefined ? {} : { signal }),
    listTools: () => client.listTools(),
    readResource: (uri) => client.readResource({ uri }),
    getPrompt: (name) => client.getPrompt({ name }),
    redefine: (description) => echo.update({ description }),
    close: () => client.close(),
  };
}
