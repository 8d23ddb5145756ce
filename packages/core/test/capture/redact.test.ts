import { describe, expect, it } from "vitest";
import {
  AuditLogger,
  hashContent,
  type JsonValue,
  MemoryStorage,
  type Redaction,
  type RedactableField,
} from "../../src/index.ts";
import { compileRedaction } from "../../src/capture/redact.ts";

async function logRedacted(
  redact: Redaction,
  fields: object = {},
): Promise<Record<string, unknown>> {
  const logger = new AuditLogger(new MemoryStorage(), { redact, storeContent: true });
  const id = await logger.log({ input: "my SSN is 123", output: "yours is 123", ...fields });
  return { ...(await logger.getEntry(id)) };
}

const withoutDigits = (_: RedactableField, value: JsonValue): JsonValue =>
  JSON.parse(JSON.stringify(value).replaceAll(/\d/g, "#"));

describe("Redaction by function", () => {
  it("runs before anything is hashed or kept", async () => {
    const entry = await logRedacted(withoutDigits, {
      metadata: { ssn: "123", deep: [{ n: "7" }] },
      blockReason: "saw 123",
      alerts: ["123"],
      error: { type: "E", message: "at 123" },
      parameters: { stop: "123" },
      model: "gpt-5",
    });
    expect(
      JSON.stringify({ ...entry, id: "", timestamp: "", inputHash: "", outputHash: "" }),
    ).not.toMatch(/123|"7"/);
    expect(entry).toMatchObject({
      inputContent: "my SSN is ###",
      inputHash: hashContent("my SSN is ###"),
      outputHash: hashContent("yours is ###"),
      metadata: { ssn: "###", deep: [{ n: "#" }] },
      blockReason: "saw ###",
      alerts: ["###"],
      error: { type: "E" },
      diagnosticsContent: JSON.stringify({ error_message: "at ###" }),
      parameters: { stop: "###" },
      model: "gpt-5",
    });
  });

  it("sees a snapshot as JSON and its field's name", async () => {
    const seen: [RedactableField, unknown][] = [];
    const at = new Date(0);
    await logRedacted(
      (field, value) => {
        seen.push([field, value]);
        return value;
      },
      { input: { at }, metadata: { at } },
    );
    expect(seen).toContainEqual(["input", { at: "1970-01-01T00:00:00.000Z" }]);
    expect(seen).toContainEqual(["metadata", { at: "1970-01-01T00:00:00.000Z" }]);
    expect(seen.map(([field]) => field).toSorted()).toEqual(["input", "metadata", "output"]);
  });

  it("that throws leaks nothing and loses no entry", async () => {
    const entry = await logRedacted(
      () => {
        throw new RangeError("123");
      },
      {
        metadata: { ssn: "123" },
        blockReason: "123",
        alerts: ["123"],
        error: { type: "123" },
        parameters: { a: "123" },
      },
    );
    expect(entry).toMatchObject({
      inputContent: "[REDACTION FAILED]",
      outputContent: "[REDACTION FAILED]",
      metadata: {},
      parameters: {},
      error: { type: "[REDACTION FAILED]" },
      blockReason: "[REDACTION FAILED]",
    });
    expect(entry["alerts"]).toEqual([
      "[REDACTION FAILED]",
      ...["metadata", "parameters", "error", "blockReason", "alerts", "input", "output"].map(
        (field) => `ai-audit: redaction of ${field} failed (RangeError)`,
      ),
    ]);
  });

  it("may change content into anything, and fields only within their kind", async () => {
    const entry = await logRedacted((field) => (field === "input" ? { gone: true } : null), {
      metadata: { a: 1 },
      alerts: ["a"],
    });
    expect(entry).toMatchObject({
      inputContent: '{"gone":true}',
      inputFormat: "json",
      outputContent: "null",
    });
    expect(entry["metadata"]).toEqual({});
    expect(entry["alerts"]).toEqual([
      "[REDACTION FAILED]",
      "ai-audit: redaction of metadata made it null: the field is not kept",
      "ai-audit: redaction of alerts made it null: the field is not kept",
    ]);
  });
});

describe("A redaction function that is none", () => {
  it.each<[string, (value: JsonValue) => unknown]>([
    ["returns nothing", () => undefined],
    ["is asynchronous", async (value) => value],
  ])("because it %s keeps nothing, and the entry says so", async (_, answer) => {
    const fn = (_field: RedactableField, value: JsonValue): JsonValue => answer(value) as JsonValue;
    const entry = await logRedacted(fn, { metadata: { ssn: "123" } });
    expect(entry).toMatchObject({
      inputContent: "[REDACTION FAILED]",
      outputContent: "[REDACTION FAILED]",
      metadata: {},
      alerts: ["metadata", "input", "output"].map(
        (field) => `ai-audit: redaction of ${field} failed (TypeError)`,
      ),
    });
  });
});

describe("Redaction by paths into metadata", () => {
  const metadata = {
    user: { email: "a@b.c", name: "Ada" },
    headers: { one: 1, two: { x: 2 } },
    list: [{ ssn: 1 }, { ssn: 2, deep: { ssn: 3 } }],
    ssn: 4,
  };
  const cases: [string, object][] = [
    ["user.email", { ...metadata, user: { email: "[REDACTED]", name: "Ada" } }],
    ["headers.*", { ...metadata, headers: { one: "[REDACTED]", two: "[REDACTED]" } }],
    ["list.0", { ...metadata, list: ["[REDACTED]", metadata.list[1]] }],
    [
      "list.*.ssn",
      { ...metadata, list: [{ ssn: "[REDACTED]" }, { ssn: "[REDACTED]", deep: { ssn: 3 } }] },
    ],
    [
      "**.ssn",
      {
        ...metadata,
        list: [{ ssn: "[REDACTED]" }, { ssn: "[REDACTED]", deep: { ssn: "[REDACTED]" } }],
        ssn: "[REDACTED]",
      },
    ],
    ["user.**.email", { ...metadata, user: { email: "[REDACTED]", name: "Ada" } }],
    ["nobody.there", metadata],
  ];
  for (const [path, wanted] of cases) {
    it(`${path} names what it says`, () => {
      expect(compileRedaction({ paths: [path] })("metadata", metadata)).toEqual(wanted);
      expect(compileRedaction({ paths: [path] })("input", metadata)).toBe(metadata);
    });
  }

  it("has a censor text, and the function sees what the paths left", () => {
    const redact = compileRedaction({
      paths: ["a"],
      censor: "-",
      fn: (_, value) => ({ was: value }),
    });
    expect(redact("metadata", { a: 1, b: 2 })).toEqual({ was: { a: "-", b: 2 } });
  });

  it("keeps a member called __proto__ a member", () => {
    const metadataWithProto = JSON.parse('{"__proto__":{"ssn":1},"a":1}');
    const redacted = compileRedaction({ paths: ["**.ssn"] })("metadata", metadataWithProto);
    expect(JSON.stringify(redacted)).toBe('{"__proto__":{"ssn":"[REDACTED]"},"a":1}');
  });
});
