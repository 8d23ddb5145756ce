// Running one scenario with the plain and with the audited class, and comparing all that can be
// seen of it.
import { type AuditEntry, AuditLogger, MemoryStorage } from "@ai-audit/core";
import type * as Newest from "openai";
import { afterAll, beforeAll, expect } from "vitest";
import { type AuditOptions, withAudit } from "../../src/index.ts";
import { type Reply, type SeenRequest, WireServer } from "@ai-audit/test-support/wire-server";

/** A version of the SDK. The oldest lacks some of what the type says; no test asks it for that. */
export type Sdk = typeof Newest;

/** The oldest and the newest of each supported major version. */
export const VERSIONS = [
  "openai-v5",
  "openai-v5-newest",
  "openai-v6",
  "openai-v6-newest",
  "openai-v7",
  "openai",
] as const;

export async function loadSdk(name: string): Promise<Sdk> {
  return (await import(name)) as Sdk;
}

/** What a scenario works with. */
export interface Bench {
  readonly sdk: Sdk;
  readonly baseURL: string;
  /** A client of this server, without retries. */
  readonly client: Newest.OpenAI;
  /** A client with further options. */
  readonly openai: (options?: Newest.ClientOptions) => Newest.OpenAI;
  readonly azure: (options: ConstructorParameters<Sdk["AzureOpenAI"]>[0]) => Newest.AzureOpenAI;
  /** Notes an observation: events, in their order. */
  readonly note: (...what: readonly unknown[]) => void;
  readonly seen: readonly SeenRequest[];
}

export type Scenario = (bench: Bench) => Promise<unknown>;

interface Outcome {
  readonly value?: unknown;
  readonly thrown?: unknown;
  readonly notes: readonly unknown[];
  readonly wire: readonly SeenRequest[];
}

const server: { current?: WireServer } = {};

/** Starts the server that the scenarios of this file talk to. */
export function useWireServer(): void {
  beforeAll(async () => {
    server.current = await WireServer.start();
  });
  afterAll(async () => {
    await server.current?.[Symbol.asyncDispose]();
  });
}

/**
 * Runs the scenario with both classes and expects results, errors, notes and wire bytes to be the
 * same. Resolves to the audited run's entries, oldest first, and to what both saw.
 */
export async function expectSameBehaviour(
  sdk: Sdk,
  replies: readonly Reply[],
  scenario: Scenario,
  audit: Partial<AuditOptions> = {},
): Promise<{ readonly entries: readonly AuditEntry[]; readonly outcome: Outcome }> {
  const plain = await run(sdk, replies, scenario, {
    openai: (options) => new sdk.OpenAI(options),
    azure: (options) => new sdk.AzureOpenAI(options),
  });
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  const [AuditedOpenAI, AuditedAzureOpenAI] = [withAudit(sdk.OpenAI), withAudit(sdk.AzureOpenAI)];
  const option = { audit: { logger, ...audit } };
  const audited = await run(sdk, replies, scenario, {
    openai: (options) => new AuditedOpenAI({ ...options, ...option }),
    azure: (options) => new AuditedAzureOpenAI({ ...options, ...option }),
  });
  expect(audited.wire).toEqual(plain.wire);
  expect(audited.notes).toStrictEqual(plain.notes);
  if (plain.thrown === undefined) expect(audited.thrown).toBeUndefined();
  expect(describeError(audited.thrown)).toStrictEqual(describeError(plain.thrown));
  expect(audited.value).toEqual(plain.value);
  await awaitEntries(logger);
  const entries = await Array.fromAsync(logger.entries());
  await logger.close();
  return { entries, outcome: audited };
}

async function run(
  sdk: Sdk,
  replies: readonly Reply[],
  scenario: Scenario,
  make: Pick<Bench, "openai" | "azure">,
): Promise<Outcome> {
  const { current } = server;
  if (!current) throw new Error("useWireServer() was not called");
  current.script(...replies);
  const notes: unknown[] = [];
  const common = { apiKey: "sk-test", baseURL: current.baseURL, maxRetries: 0 };
  const openai: Bench["openai"] = (options) => make.openai({ ...common, ...options });
  const bench: Bench = {
    sdk,
    openai,
    azure: make.azure,
    client: openai(),
    baseURL: current.baseURL,
    note: (...what) => notes.push(structuredCloneable(what)),
    get seen() {
      return current.seen;
    },
  };
  try {
    const value = await scenario(bench);
    return { value, notes, wire: current.seen };
  } catch (thrown) {
    return { thrown, notes, wire: current.seen };
  }
}

/** Notes are of what is now: helpers go on changing their objects. */
function structuredCloneable(what: readonly unknown[]): unknown {
  return JSON.parse(
    JSON.stringify(what, (_, value: unknown) =>
      value instanceof Error ? describeError(value) : value,
    ),
  );
}

/** An error's class itself, and all it says. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, cause } = error;
  const own = Object.fromEntries(
    Object.entries(error).filter(([key]) => key !== "headers" && key !== "cause"),
  );
  const headers =
    "headers" in error && error.headers instanceof Headers
      ? [...error.headers.keys()].toSorted()
      : undefined;
  return {
    class: error.constructor,
    name,
    message,
    own,
    headers,
    cause: cause instanceof Error ? cause.message : cause,
  };
}

/** Entries of calls that nobody waits for are on their way. */
async function awaitEntries(logger: AuditLogger): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  await logger.flush();
}
