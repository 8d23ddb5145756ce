// The reaction to an entry that cannot be written, to a start that cannot, and to a detector that
// objects: on each supported version, since later ones prepare requests inside of `fetch`.
import {
  AuditError,
  AuditLogger,
  type AuditStorage,
  ContentBlockedError,
  MemoryStorage,
} from "@ai-audit/core";
import { events, json } from "@ai-audit/test-support/wire-server";
import { describe, expect, it } from "vitest";
import { type AuditOptions, auditStats, withAudit } from "../src/index.ts";
import { hello, helloEvents, message } from "./support/payloads.ts";
import {
  entriesOf,
  loadSdk,
  useWireServer,
  VERSIONS,
  wireServer,
} from "./support/same-behaviour.ts";

/** A storage that refuses its first writes. */
function refusing(writes: number): AuditStorage {
  const storage = new MemoryStorage();
  const append = storage.append.bind(storage);
  let left = writes;
  storage.append = (...args) => {
    if (left <= 0) return append(...args);
    left -= 1;
    return Promise.reject(new Error("no space left"));
  };
  return storage;
}

describe.each(VERSIONS)("a client of %s", async (version) => {
  const sdk = await loadSdk(version);
  useWireServer();

  function clientOf(
    logger: AuditLogger,
    audit: Partial<AuditOptions> = {},
  ): InstanceType<typeof sdk.Anthropic> {
    const Audited = withAudit(sdk.Anthropic);
    return new Audited({
      apiKey: "k",
      baseURL: wireServer().baseURL.replace(/\/v1$/, ""),
      logLevel: "off",
      audit: { logger, ...audit },
    });
  }

  it("fails the call that cannot be recorded, and holds its answer", async () => {
    wireServer().script(json(message()));
    const logger = new AuditLogger(refusing(1));
    const lost: string[] = [];
    const client = clientOf(logger, { onAuditError: ({ code }) => lost.push(code) });
    const thrown: unknown = await client.messages.create(hello).catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      code: "AUDIT_WRITE_FAILED",
      response: { id: "msg_1" },
    });
    expect(AuditError.isInstance(thrown)).toBe(true);
    expect(lost).toEqual(["AUDIT_WRITE_FAILED"]);
    expect(wireServer().seen).toHaveLength(1);
    expect(auditStats(client)).toEqual({ open: 0, written: 0, lost: 1 });
    await logger.close();
  });

  it("fails a stream at its end, after its events", async () => {
    wireServer().script(events(helloEvents, { named: true, ending: "end" }));
    const logger = new AuditLogger(refusing(1));
    const seen: string[] = [];
    const reading = (async () => {
      const stream = await clientOf(logger).messages.create({ ...hello, stream: true });
      for await (const { type } of stream) seen.push(type);
    })();
    await expect(reading).rejects.toMatchObject({ code: "AUDIT_WRITE_FAILED" });
    expect(seen.at(-1)).toBe("message_stop");
    await logger.close();
  });

  it("leaves the answer untouched in fail-open mode", async () => {
    wireServer().script(json(message()));
    const logger = new AuditLogger(refusing(1));
    const client = clientOf(logger, { failureMode: "open" });
    expect(await client.messages.create(hello)).toMatchObject({ id: "msg_1" });
    await logger.close();
  });

  it("sends nothing, not even again, when the start of a call cannot be recorded", async () => {
    wireServer().script(json(message()));
    const logger = new AuditLogger(refusing(1));
    await expect(clientOf(logger, { intent: true }).messages.create(hello)).rejects.toMatchObject({
      code: "AUDIT_WRITE_FAILED",
    });
    expect(wireServer().seen).toEqual([]);
    await logger.close();
  });

  it("records the start of a call before it is sent", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    wireServer().script(json(message()));
    await clientOf(logger, { intent: true }).messages.create(hello);
    expect(await entriesOf(logger)).toMatchObject([{ call: expect.any(String), attempts: 1 }]);
    await logger.close();
  });

  it("sends no input that a detector blocks, and tries it once", async () => {
    wireServer().script(json(message()));
    let runs = 0;
    const logger = new AuditLogger(new MemoryStorage());
    const detector = {
      name: "no-greetings",
      checkInput() {
        runs += 1;
        return { action: "block" as const, reason: "greeting" };
      },
    };
    const client = clientOf(logger, { detectors: [detector] });
    await expect(client.messages.create(hello)).rejects.toBeInstanceOf(ContentBlockedError);
    expect(runs).toBe(1);
    expect(wireServer().seen).toEqual([]);
    expect(await entriesOf(logger)).toMatchObject([
      { outcome: "blocked", safetyPassed: false, attempts: 0 },
    ]);
    await logger.close();
  });

  it("refuses calls once the logger is closed", async () => {
    wireServer().script(json(message()));
    const logger = new AuditLogger(new MemoryStorage());
    const client = clientOf(logger);
    await logger.close();
    await expect(client.messages.create(hello)).rejects.toMatchObject({ code: "AUDIT_CLOSED" });
    expect(wireServer().seen).toEqual([]);
  });
});
