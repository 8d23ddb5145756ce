// Detectors before a call is sent and after it is answered.
import { ContentBlockedError, type Detector, type JsonValue } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { chunks, completion } from "../equivalence/payloads.ts";
import { events, json } from "@ai-audit/test-support/wire-server";
import { hello, lifecycleBench } from "./bench.ts";

const blocking = (name: string, word: string, later = false): Detector => {
  const check = (
    value: JsonValue,
  ): { readonly action: "block"; readonly reason: string } | undefined =>
    JSON.stringify(value).includes(word)
      ? { action: "block", reason: `says ${word.length} letters` }
      : undefined;
  const verdict: NonNullable<Detector["checkInput"]> = later
    ? async (value) => check(value)
    : check;
  return { name, checkInput: verdict, checkOutput: verdict };
};

describe.each([
  ["synchronous", false],
  ["asynchronous", true],
])("a %s detector", (_, later) => {
  it("stops the call before a byte is sent", async () => {
    const { client, server, entries } = await lifecycleBench([json(completion("Hi."))], {
      detectors: [blocking("greetings", "Hello", later)],
    });
    const call = client.chat.completions.create(hello);
    await expect(call).rejects.toThrow(ContentBlockedError);
    await expect(call).rejects.toMatchObject({
      code: "AUDIT_CONTENT_BLOCKED",
      detector: "greetings",
      side: "input",
    });
    expect(server.seen).toHaveLength(0);
    expect(await entries()).toMatchObject([
      {
        outcome: "blocked",
        safetyPassed: false,
        detectorsTriggered: ["greetings"],
        safetyChecks: ["greetings"],
        blockReason: "says 5 letters",
        metadata: { blocked_at: "input" },
        inputContent: "Hello!",
        attempts: 0,
      },
    ]);
  });

  it("marks an answer, which the caller gets all the same", async () => {
    const { client, entries } = await lifecycleBench([json(completion("Secret."))], {
      detectors: [blocking("secrets", "Secret", later)],
    });
    await expect(client.chat.completions.create(hello)).resolves.toMatchObject({
      id: "chatcmpl-1",
    });
    expect(await entries()).toMatchObject([
      {
        outcome: "ok",
        safetyPassed: false,
        detectorsTriggered: ["secrets"],
        safetyChecks: ["secrets"],
        blockReason: null,
      },
    ]);
  });

  it("withholds an answer when asked to", async () => {
    const { client, entries } = await lifecycleBench([json(completion("Secret."))], {
      detectors: [blocking("secrets", "Secret", later)],
      blockedOutput: "withhold",
    });
    await expect(client.chat.completions.create(hello)).rejects.toMatchObject({
      side: "output",
      detector: "secrets",
    });
    expect(await entries()).toMatchObject([
      {
        outcome: "blocked",
        outputContent: "Secret.",
        metadata: { blocked_at: "output" },
        blockReason: "says 6 letters",
      },
    ]);
  });

  it("fails a stream at its end when it is to withhold", async () => {
    const { client, entries } = await lifecycleBench([events(chunks)], {
      detectors: [blocking("worlds", "world", later)],
      blockedOutput: "withhold",
    });
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const event of await client.chat.completions.create({ ...hello, stream: true }))
        seen.push(event);
    };
    await expect(read()).rejects.toThrow(ContentBlockedError);
    expect(seen).toHaveLength(chunks.length);
    expect(await entries()).toMatchObject([{ outcome: "blocked", outputContent: "Hello, world" }]);
  });
});

describe("detectors", () => {
  it("both mark what they flag, on both sides, and the call goes on", async () => {
    const flag: Detector = {
      name: "everything",
      checkInput: () => ({ action: "flag", reason: "input seen", categories: ["in"] }),
      checkOutput: () => ({ action: "flag", reason: "output seen" }),
    };
    const { client, entries } = await lifecycleBench([json(completion("Hi."))], {
      detectors: [flag],
    });
    await client.chat.completions.create(hello);
    const [entry] = await entries();
    expect(entry).toMatchObject({
      outcome: "ok",
      safetyPassed: false,
      detectorsTriggered: ["everything", "everything:in"],
      blockReason: null,
    });
    expect(entry?.metadata["safety"]).toMatchObject({
      detectors: [
        { at: "input", reason: "input seen" },
        { at: "output", reason: "output seen" },
      ],
    });
  });

  it("that fail are recorded, and the call passes or is blocked as configured", async () => {
    const broken: Detector = {
      name: "broken",
      checkInput: () => {
        throw new RangeError("what it saw: Hello!");
      },
    };
    const passing = await lifecycleBench([json(completion("Hi."))], { detectors: [broken] });
    await passing.client.chat.completions.create(hello);
    const [entry] = await passing.entries();
    expect(entry).toMatchObject({ outcome: "ok", safetyPassed: true });
    expect(entry?.alerts).toEqual(["ai-audit: detector broken failed on the input (RangeError)"]);
    expect(JSON.stringify(entry)).not.toContain("what it saw");

    const strict = await lifecycleBench([json(completion("Hi."))], {
      detectors: [broken],
      onDetectorFailure: "block",
    });
    await expect(strict.client.chat.completions.create(hello)).rejects.toThrow(ContentBlockedError);
    expect(strict.server.seen).toHaveLength(0);
  });

  it("see the whole content, also where the entry keeps its digest only", async () => {
    const seen: JsonValue[] = [];
    const watch: Detector = {
      name: "watch",
      checkInput: (value) => void seen.push(value),
      checkOutput: (value) => void seen.push(value),
    };
    const { client, entries } = await lifecycleBench([json(completion("Hi."))], {
      detectors: [watch],
      captureInput: false,
      captureOutput: false,
    });
    await client.chat.completions.create(hello);
    expect(seen).toEqual(["Hello!", "Hi."]);
    const [entry] = await entries();
    expect(entry?.inputContent).not.toContain("Hello!");
    expect(entry?.outputContent).not.toContain("Hi.");
  });

  it("have not seen a raw body that outgrew the limit, and the entry says so", async () => {
    const seen: JsonValue[] = [];
    const { client, entries } = await lifecycleBench([json(completion("x".repeat(5000)))], {
      detectors: [{ name: "watch", checkOutput: (value) => void seen.push(value) }],
      maxContentBytes: 1000,
    });
    const raw = await client.chat.completions.create(hello).asResponse();
    await Array.fromAsync(raw.body ?? []);
    expect(seen).toEqual([]);
    expect(await entries()).toMatchObject([
      {
        outcome: "ok",
        safetyChecks: [],
        alerts: [
          "ai-audit: the output is larger than maxContentBytes: only digest and length are kept",
          "ai-audit: the detectors did not see the output: it is larger than maxContentBytes",
        ],
      },
    ]);
  });

  it("stop retries as well: a blocked call is one call without attempts", async () => {
    const { client, server } = await lifecycleBench([json(completion("Hi."))], {
      detectors: [blocking("greetings", "Hello")],
    });
    await expect(client.chat.completions.create(hello, { maxRetries: 3 })).rejects.toThrow(
      ContentBlockedError,
    );
    expect(server.seen).toHaveLength(0);
  });
});
