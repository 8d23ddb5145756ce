// What most tests need: a log in a real directory, a handler on it, a model on the server.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AuditEntry,
  AuditLogger,
  type AuditLoggerOptions,
  type JsonValue,
  MemoryStorage,
} from "@ai-audit/core";
import type { AgentMiddleware } from "langchain";
import { ChatOpenAI, type ChatOpenAIFields } from "@langchain/openai";
import { AuditCallbackHandler, type AuditCallbackOptions } from "../src/index.ts";
import { type OpenAiServer, type Respond, startOpenAiServer } from "./openai-server.ts";

/** A key that must never be found in an entry. */
export const API_KEY = "sk-proj-Secret0123456789abcdefghij";
export const HEADER_SECRET = "header-secret-4711";

export interface Bench extends AsyncDisposable {
  readonly server: OpenAiServer;
  readonly logger: AuditLogger;
  readonly handler: AuditCallbackHandler;
  /** A ChatOpenAI on the server, without the handler. */
  model(fields?: ChatOpenAIFields): ChatOpenAI;
  /** All entries so far, oldest first. */
  entries(): Promise<AuditEntry[]>;
  content(entry: AuditEntry | undefined): { input?: JsonValue; output?: JsonValue };
}

export async function startBench(
  respond?: Respond,
  options: AuditCallbackOptions = {},
  logOptions: AuditLoggerOptions = {},
): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), "ai-audit-langchain-"));
  const server = await startOpenAiServer(respond);
  const logger = new AuditLogger(directory, { storeContent: true, ...logOptions });
  const handler = new AuditCallbackHandler(logger, options);
  return {
    server,
    logger,
    handler,
    model: (fields = {}) =>
      new ChatOpenAI({
        model: "gpt-test",
        apiKey: API_KEY,
        maxRetries: 0,
        ...fields,
        configuration: {
          baseURL: server.url,
          defaultHeaders: { "x-internal": HEADER_SECRET },
          ...fields.configuration,
        },
      }),
    entries: () => Array.fromAsync(logger.entries()),
    content: (entry) => (entry ? logger.content(entry) : {}),
    async [Symbol.asyncDispose]() {
      await logger.close();
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The only entry; fails when there are more or none. */
export function only(entries: readonly AuditEntry[]): AuditEntry {
  const [entry, ...rest] = entries;
  if (!entry || rest.length > 0) throw new Error(`expected one entry, found ${entries.length}`);
  return entry;
}

/**
 * LangChain's middleware in the type that createAgent takes: theirs do not hold under
 * exactOptionalPropertyTypes.
 */
export function middleware(
  make: (...options: never[]) => object,
  ...options: unknown[]
): AgentMiddleware[] {
  const made: unknown = Reflect.apply(make, undefined, options);
  if (!isMiddleware(made)) throw new TypeError("not a middleware");
  return [made];
}

function isMiddleware(value: unknown): value is AgentMiddleware {
  return typeof value === "object" && value !== null && "name" in value;
}

/**
 * Set where the suite runs against the oldest supported LangChain, which loses some of what the API
 * says.
 */
export const OLDEST_HOST: boolean = process.env["LANGCHAIN_OLDEST"] === "1";

/** A storage whose disk is full as long as `full` is true. */
export class FullDisk extends MemoryStorage {
  full = true;
  override async append(line: string, id?: string): Promise<void> {
    if (this.full) throw new Error("ENOSPC: no space left on device");
    return super.append(line, id);
  }
}
