// What a caller gets when the entry cannot be written.
import { AuditError, AuditWriteError } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { auditStats, withAudit } from "../../src/index.ts";
import { chunks, completion, responseEvents } from "../equivalence/payloads.ts";
import { loadSdk, VERSIONS } from "../equivalence/same-behaviour.ts";
import { events, json, text } from "@ai-audit/test-support/wire-server";
import { hello, lifecycleBench } from "./bench.ts";

async function failureOf(promise: PromiseLike<unknown>): Promise<AuditWriteError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AuditWriteError))
    throw new Error("expected an AuditWriteError", { cause: error });
  return error;
}

const senseless = text('{"id": "chatcmpl-1", "cho', "application/json");

describe("failing closed", () => {
  it("fails the call with the reason, and the error still carries the response", async () => {
    const { client, storage } = await lifecycleBench([json(completion("Hi."))]);
    storage.fault = "fail";
    const error = await failureOf(client.chat.completions.create(hello));
    expect(error).toMatchObject({ code: "AUDIT_WRITE_FAILED", name: "AuditWriteError" });
    expect(error.cause).toMatchObject({ message: "ENOSPC: no space left on device" });
    expect(error.response).toMatchObject({ id: "chatcmpl-1" });
    expect(error.callError).toBeUndefined();
    expect(AuditError.isInstance(error)).toBe(true);
    expect(Object.keys(error)).not.toContain("response");
  });

  it("fails a call that failed anyway, and the error carries the SDK's", async () => {
    const { client, storage } = await lifecycleBench([
      json({ error: { message: "No.", code: "nope" } }, 400),
    ]);
    storage.fault = "fail";
    const error = await failureOf(client.chat.completions.create(hello));
    expect(error.callError).toMatchObject({ status: 400, code: "nope" });
    expect(error.response).toBeUndefined();
  });

  it("fails a call whose answer makes no sense, and the error carries the SDK's", async () => {
    const { client, storage } = await lifecycleBench([senseless]);
    storage.fault = "fail";
    const error = await failureOf(client.chat.completions.create(hello));
    expect(error.code).toBe("AUDIT_WRITE_FAILED");
    expect(error.callError).toBeInstanceOf(SyntaxError);
  });

  it("fails a call whose answer makes no sense also where the SDK derives its promise from another", async () => {
    const { client, storage } = await lifecycleBench([senseless]);
    storage.fault = "fail";
    const error = await failureOf(client.chat.completions.parse(hello));
    expect(error.code).toBe("AUDIT_WRITE_FAILED");
    expect(error.callError).toBeInstanceOf(SyntaxError);
  });

  it("hands out the SDK's error for such an answer once the entry is there", async () => {
    const { client, storage } = await lifecycleBench([senseless]);
    await expect(client.chat.completions.create(hello)).rejects.toBeInstanceOf(SyntaxError);
    expect(await storage.count({})).toBe(1);
  });

  it("fails a stream after its last event and before its end", async () => {
    const { client, storage } = await lifecycleBench([events(chunks)]);
    const stream = await client.chat.completions.create({ ...hello, stream: true });
    storage.fault = "fail";
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const event of stream) seen.push(event);
      seen.push("done");
    };
    const error = await failureOf(read());
    expect(error.code).toBe("AUDIT_WRITE_FAILED");
    expect(seen).toEqual(chunks);
  });

  it("fails a stream whose reader breaks", async () => {
    const { client, storage } = await lifecycleBench([events(chunks)]);
    storage.fault = "fail";
    const read = async (): Promise<void> => {
      for await (const _ of await client.chat.completions.create({ ...hello, stream: true })) break;
    };
    expect((await failureOf(read())).code).toBe("AUDIT_WRITE_FAILED");
  });

  it("fails the reading of a raw response", async () => {
    const { client, storage } = await lifecycleBench([json(completion("Hi."))]);
    storage.fault = "fail";
    const raw = await client.chat.completions.create(hello).asResponse();
    expect((await failureOf(raw.json())).response).toMatchObject({ id: "chatcmpl-1" });
  });

  it("fails a call whose entry is not durable in time", async () => {
    const { client, storage } = await lifecycleBench([json(completion("Hi."))], {
      writeTimeoutMs: 20,
    });
    storage.fault = "hang";
    const error = await failureOf(client.chat.completions.create(hello));
    expect(error).toMatchObject({ code: "AUDIT_WRITE_TIMEOUT" });
    expect(error.message).toContain("20 ms");
    expect(error.response).toMatchObject({ id: "chatcmpl-1" });
  });

  it("fails calls of a logger that is closed, and sends none", async () => {
    const { client, logger, server } = await lifecycleBench([json(completion("Hi."))]);
    await logger.close();
    const error = await failureOf(client.chat.completions.create(hello));
    expect(error).toMatchObject({ code: "AUDIT_CLOSED", message: "the logger is closed" });
    expect(server.seen).toHaveLength(0);
    expect(auditStats(client)).toEqual({ open: 0, written: 0, lost: 1 });
  });
});

describe.each(VERSIONS)("failing closed in a helper of %s", async (version) => {
  const sdk = await loadSdk(version);

  it("is the cause of the error that the helper makes of every error", async () => {
    const { logger, server, storage } = await lifecycleBench([
      events(chunks),
      events(responseEvents(), { named: true, ending: "end" }),
    ]);
    const client = new (withAudit(sdk.OpenAI))({
      apiKey: "k",
      baseURL: server.baseURL,
      audit: logger,
    });
    storage.fault = "fail";
    const helped = [
      client.chat.completions.stream(hello).finalContent(),
      client.responses.stream({ model: "gpt-5", input: "Hello!" }).finalResponse(),
    ];
    for (const promise of helped) {
      const error: unknown = await promise.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(sdk.OpenAIError);
      expect(error).toMatchObject({
        cause: { name: "AuditWriteError", code: "AUDIT_WRITE_FAILED" },
      });
    }
  });
});

describe("failing open", () => {
  it("lets the caller notice nothing, and reports each loss", async () => {
    const losses: AuditError[] = [];
    const { client, storage, entries } = await lifecycleBench([json(completion("Hi."))], {
      failureMode: "open",
      onAuditError: (error) => losses.push(error),
    });
    storage.fault = "fail";
    await expect(client.chat.completions.create(hello)).resolves.toMatchObject({
      id: "chatcmpl-1",
    });
    await expect.poll(() => losses.length).toBe(1);
    storage.fault = "none";
    await client.chat.completions.create(hello);
    expect(await entries()).toHaveLength(1);
    expect(losses).toMatchObject([{ code: "AUDIT_WRITE_FAILED" }]);
  });

  it("does not make the caller wait for a log that hangs", async () => {
    const { client, storage } = await lifecycleBench([json(completion("Hi.")), events(chunks)], {
      failureMode: "open",
      writeTimeoutMs: 60_000,
    });
    storage.fault = "hang";
    await expect(client.chat.completions.create(hello)).resolves.toMatchObject({
      id: "chatcmpl-1",
    });
    const stream = await client.chat.completions.create({ ...hello, stream: true });
    expect(await Array.fromAsync(stream)).toHaveLength(chunks.length);
  });
});

describe("intent", () => {
  it("sends nothing when the start cannot be recorded", async () => {
    const { client, storage, server, entries } = await lifecycleBench([json(completion("Hi."))], {
      intent: true,
    });
    storage.fault = "fail";
    const error = await failureOf(client.chat.completions.create(hello));
    expect(error.code).toBe("AUDIT_WRITE_FAILED");
    expect(server.seen).toHaveLength(0);
    expect(await entries()).toHaveLength(0);
  });

  it("has a durable start before the request is sent, and the entry refers to it", async () => {
    const started: boolean[] = [];
    const { client, storage, entries } = await lifecycleBench(
      [
        (response, request) => {
          started.push(storage.status().pending === 0);
          return json(completion("Hi."))(response, request);
        },
      ],
      { intent: true },
    );
    await client.chat.completions.create(hello);
    expect(started).toEqual([true]);
    expect((await entries())[0]?.call).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("sends all the same when it fails open", async () => {
    const { client, storage, server } = await lifecycleBench([json(completion("Hi."))], {
      intent: true,
      failureMode: "open",
    });
    storage.fault = "fail";
    await expect(client.chat.completions.create(hello)).resolves.toMatchObject({
      id: "chatcmpl-1",
    });
    expect(server.seen).toHaveLength(1);
  });
});
