// Running one scenario with the plain and with the audited class, and comparing all that can be
// seen of it.
import { type AuditEntry, AuditLogger, MemoryStorage } from "@ai-audit/core";
import { type Reply, type SeenRequest, WireServer } from "@ai-audit/test-support/wire-server";
import type * as Newest from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect } from "vitest";
import { type AuditOptions, withAudit } from "../../src/index.ts";

/** A version of the SDK. The oldest lacks some of what the type says; no test asks it for that. */
export type Sdk = typeof Newest;

/** The oldest and the newest of each supported major version. */
export const VERSIONS = [
  "anthropic-v0",
  "anthropic-v0-newest",
  "anthropic-v1",
  "@anthropic-ai/sdk",
] as const;

export async function loadSdk(name: string): Promise<Sdk> {
  return (await import(name)) as Sdk;
}

/** The parts of a scenario. */
export interface Bench {
  readonly sdk: Sdk;
  readonly baseURL: string;
  /** A client of this server, without retries. */
  readonly client: Newest.Anthropic;
  /** A client with further options. */
  readonly anthropic: (options?: Newest.ClientOptions) => Newest.Anthropic;
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

/** The server of this file. */
export function wireServer(): WireServer {
  if (!server.current) throw new Error("useWireServer() was not called");
  return server.current;
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
  const plain = await run(sdk, replies, scenario, (options) => new sdk.Anthropic(options));
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  const Audited = withAudit(sdk.Anthropic);
  const option = { audit: { logger, ...audit } };
  const audited = await run(
    sdk,
    replies,
    scenario,
    (options) => new Audited({ ...options, ...option }),
  );
  expect(audited.wire).toEqual(plain.wire);
  expect(audited.notes).toStrictEqual(plain.notes);
  if (plain.thrown === undefined) expect(audited.thrown).toBeUndefined();
  expect(describeError(audited.thrown)).toStrictEqual(describeError(plain.thrown));
  expect(audited.value).toEqual(plain.value);
  const entries = await entriesOf(logger);
  await logger.close();
  return { entries, outcome: audited };
}

async function run(
  sdk: Sdk,
  replies: readonly Reply[],
  scenario: Scenario,
  make: (options: Newest.ClientOptions) => Newest.Anthropic,
): Promise<Outcome> {
  const wire = wireServer();
  wire.script(...replies);
  const notes: unknown[] = [];
  const baseURL = wire.baseURL.replace(/\/v1$/, "");
  const common = { apiKey: "sk-ant-test", baseURL, maxRetries: 0, logLevel: "off" as const };
  const anthropic: Bench["anthropic"] = (options) => make({ ...common, ...options });
  const bench: Bench = {
    sdk,
    anthropic,
    client: anthropic(),
    baseURL,
    note: (...what) => notes.push(asNoted(what)),
    get seen() {
      return wire.seen;
    },
  };
  try {
    return { value: await scenario(bench), notes, wire: wire.seen };
  } catch (thrown) {
    return { thrown, notes, wire: wire.seen };
  }
}

/** A copy: helpers go on changing their objects. */
function asNoted(what: readonly unknown[]): unknown {
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

/** The entries, oldest first. Those of calls that nobody waits for are on their way. */
export async function entriesOf(logger: AuditLogger): Promise<readonly AuditEntry[]> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  await logger.flush();
  return Array.fromAsync(logger.entries());
}
