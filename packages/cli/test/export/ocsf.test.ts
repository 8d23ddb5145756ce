// OCSF 1.8, API Activity with the profile ai_operation:
// https://schema.ocsf.io/1.8.0/classes/api_activity
import { describe, expect, it } from "vitest";
import { AuditLogger, type Outcome } from "@ai-audit/core";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { cli } from "../support/cli.ts";

type Event = Readonly<Record<string, unknown>>;

/** Attributes that the schema requires, with those of the objects in them. */
const REQUIRED = [
  "activity_id",
  "actor",
  "api.operation",
  "category_uid",
  "class_uid",
  "metadata.product",
  "metadata.version",
  "severity_id",
  "src_endpoint",
  "time",
  "type_uid",
] as const;

/** Attributes that these objects require, where they are there. */
const REQUIRED_IN: Readonly<Record<string, readonly string[]>> = {
  ai_model: ["ai_provider", "name"],
  "api.request": ["uid"],
};

/** Objects of which at least one of these members must be there. */
const AT_LEAST_ONE: Readonly<Record<string, readonly string[]>> = {
  actor: ["process", "user", "session", "app_name", "app_uid"],
  src_endpoint: ["ip", "uid", "name", "hostname", "svc_name"],
  message_context: ["application", "service"],
  "message_context.application": ["uid", "name"],
  "message_context.service": ["uid", "name"],
  "api.service": ["uid", "name"],
  "metadata.product": ["uid", "name"],
  "actor.user": ["account", "uid", "name"],
  dst_endpoint: ["ip", "uid", "name", "hostname", "svc_name"],
};

function memberOf(event: Event, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, name) => (value as Event | undefined)?.[name], event);
}

function expectValid(event: Event): void {
  expect(REQUIRED.filter((path) => memberOf(event, path) === undefined)).toEqual([]);
  const has = (path: string): readonly string[] => Object.keys(Object(memberOf(event, path)));
  const isThere = ([path]: readonly [string, unknown]): boolean =>
    memberOf(event, path) !== undefined;
  const lacking = Object.entries(REQUIRED_IN)
    .filter(isThere)
    .filter(([path, members]) => !members.every((member) => has(path).includes(member)));
  const empty = Object.entries(AT_LEAST_ONE)
    .filter(isThere)
    .filter(([path, members]) => !has(path).some((member) => members.includes(member)));
  expect([lacking, empty]).toEqual([[], []]);
  expect(event).toMatchObject({ category_uid: 6, class_uid: 6003 });
  expect(event["type_uid"]).toBe(600_300 + Number(event["activity_id"]));
  expect([0, 1, 2, 3, 4, 99]).toContain(event["activity_id"]);
  expect(event["metadata"]).toMatchObject({ version: "1.8.0", profiles: ["ai_operation"] });
}

async function exported(
  interaction: Parameters<AuditLogger["log"]>[0],
  flags: readonly string[] = [],
): Promise<Event> {
  const directory = await temporaryDirectory();
  const logger = new AuditLogger(directory, { storeContent: true });
  await logger.log(interaction);
  await logger.close();
  const { stdout } = await cli(["export", directory, "-f", "ocsf", ...flags]);
  return JSON.parse(stdout) as Event;
}

describe("ai-audit export -f ocsf", { timeout: 60_000 }, () => {
  it.each<[Outcome | undefined, number]>([
    ["ok", 1],
    ["blocked", 2],
    ["error", 2],
    ["timeout", 2],
    ["aborted", 99],
    ["interrupted", 99],
    ["abandoned", 99],
    [undefined, 0],
  ])("outcome %s: a valid event with status_id %i", async (outcome, status) => {
    const event = await exported({ input: "a", output: "b", operation: "chat", outcome });
    expectValid(event);
    expect(event["status_id"]).toBe(status);
  });

  it("has model, tokens, conversation, actor and server, and no content", async () => {
    const event = await exported({
      input: "secret question",
      output: "secret answer",
      operation: "chat",
      outcome: "ok",
      provider: "openai",
      model: "gpt-5",
      responseModel: "gpt-5-2026-08-07",
      inputTokens: 3,
      outputTokens: 4,
      conversationId: "c-1",
      latencyMs: 1500,
      actor: { id: "ada", kind: "user", role: "clerk" },
      server: { address: "api.openai.com", port: 443 },
      run: { id: "r", rootId: "inv-1" },
    });
    expectValid(event);
    expect(event).toMatchObject({
      activity_id: 1,
      duration: 1500,
      ai_model: { name: "gpt-5", ai_provider: "openai", version: "gpt-5-2026-08-07" },
      message_context: { uid: "c-1", prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
      actor: { user: { uid: "ada" } },
      dst_endpoint: { hostname: "api.openai.com", port: 443 },
      metadata: { correlation_uid: "inv-1" },
    });
    expect(JSON.stringify(event)).not.toContain("secret");
  });

  it("flagged entries have a high severity, and --redact applies", async () => {
    const flagged = { input: "a", output: "b", safetyPassed: false, detectorsTriggered: ["pii"] };
    const event = await exported({ ...flagged, conversationId: "c-1" }, [
      "--redact",
      "conversation_id",
    ]);
    expectValid(event);
    expect(event).toMatchObject({ severity_id: 4, message_context: { uid: "[REDACTED]" } });
  });
});
