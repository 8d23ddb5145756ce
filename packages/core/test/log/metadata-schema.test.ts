import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as v from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { AuditInputError, AuditLogger, MemoryStorage, withAuditContext } from "../../src/index.ts";
import { rejected } from "@ai-audit/test-support/caught";

const withZod = z.object({ user_id: z.string(), session_id: z.string().optional() });
const withValibot = v.object({ user_id: v.string(), session_id: v.optional(v.string()) });

describe.each([
  ["zod", withZod],
  ["valibot", withValibot],
])("metadataSchema from %s", (_, metadataSchema: StandardSchemaV1<{ user_id: string }>) => {
  it("lets metadata pass that fits, and keeps members that it does not know", async () => {
    const logger = new AuditLogger(new MemoryStorage(), { metadataSchema });
    const metadata = { user_id: "u", session_id: "s", more: { of: "it" } };
    const entry = await logger.getEntry(await logger.log({ input: "", output: "", metadata }));
    expect(entry?.metadata).toEqual(metadata);
    expect(entry?.alerts).toEqual([]);
  });

  it("refuses other metadata in log(), naming the member", async () => {
    const logger = new AuditLogger(new MemoryStorage(), { metadataSchema });
    // @ts-expect-error metadata is required
    const missing = await rejected(logger.log({ input: "", output: "" }));
    expect(missing).toMatchObject({ name: "AuditInputError", code: "AUDIT_METADATA_INVALID" });
    expect(String(missing)).toBe(
      "AuditInputError: log(): metadata user_id does not fit its schema",
    );
    // What the schema said is there for who asks for it, and for no logger that prints errors.
    expect(missing instanceof AuditInputError && missing.issues?.[0]?.message).toMatch(/^Invalid /);
    expect(Object.keys(missing ?? {})).not.toContain("issues");
    // @ts-expect-error user_id must be a string
    const wrong = await rejected(logger.log({ input: "", output: "", metadata: { user_id: 5 } }));
    expect(wrong).toMatchObject({ code: "AUDIT_METADATA_INVALID" });
    expect(await logger.count()).toBe(0);
  });

  it("names what does not fit in the alerts of a captured call, without its value", async () => {
    const logger = new AuditLogger<{ user_id: string }>(new MemoryStorage(), { metadataSchema });
    const id = await logger.callSink.capture({ input: "x", metadata: { user_id: 4711, other: 1 } });
    const entry = await logger.getEntry(id);
    expect(entry?.alerts).toEqual(["ai-audit: metadata user_id does not fit its schema"]);
    expect(entry?.metadata).toEqual({ user_id: 4711, other: 1 });
  });
});

describe("metadataSchema", () => {
  it("makes its required keys required at the type, and nothing else", () => {
    const strict = new AuditLogger(new MemoryStorage(), { metadataSchema: withZod });
    type Strict = Parameters<typeof strict.log>[0];
    expectTypeOf<{ input: string; output: string }>().not.toExtend<Strict>();
    expectTypeOf<{
      input: string;
      output: string;
      metadata: { user_id: string };
    }>().toExtend<Strict>();
    const loose = new AuditLogger(new MemoryStorage(), {
      metadataSchema: z.object({ note: z.string().optional() }),
    });
    expectTypeOf<{ input: string; output: string }>().toExtend<Parameters<typeof loose.log>[0]>();
    expectTypeOf(strict).toExtend<AuditLogger>();
  });

  it("may set defaults and transform", async () => {
    const metadataSchema = z.object({
      user_id: z.string().toLowerCase(),
      region: z.string().default("eu"),
      at: z.string().transform((text) => new Date(text)),
    });
    const logger = new AuditLogger<z.input<typeof metadataSchema>>(new MemoryStorage(), {
      metadataSchema,
    });
    const metadata = { user_id: "ADA", at: "2026-01-01" };
    const entry = await logger.getEntry(await logger.log({ input: "", output: "", metadata }));
    expect(entry?.metadata).toEqual({
      user_id: "ada",
      region: "eu",
      at: "2026-01-01T00:00:00.000Z",
    });
  });

  it("may be asynchronous: entries keep their order of writing, and close() waits", async () => {
    const metadataSchema = z.object({ n: z.number().refine(async () => true) });
    const logger = new AuditLogger(new MemoryStorage(), { metadataSchema });
    const logged = [1, 2, 3].map((n) => logger.log({ input: "", output: "", metadata: { n } }));
    await logger.close();
    expect(await Promise.all(logged)).toHaveLength(3);
    expect(await logger.count()).toBe(3);
  });

  it("that throws refuses a log() and costs a captured call nothing", async () => {
    const metadataSchema: StandardSchemaV1<Record<string, unknown>> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: () => {
          throw new TypeError("secret");
        },
      },
    };
    const logger = new AuditLogger(new MemoryStorage(), { metadataSchema });
    expect(await rejected(logger.log({ input: "", output: "" }))).toMatchObject({
      code: "AUDIT_METADATA_INVALID",
      message: "log(): metadata does not fit its schema",
    });
    const entry = await logger.getEntry(await logger.callSink.capture({ metadata: { a: 1 } }));
    expect(entry).toMatchObject({
      metadata: { a: 1 },
      alerts: ["ai-audit: metadata does not fit its schema"],
    });
  });

  it("sees the metadata of the context too", async () => {
    const logger = new AuditLogger(new MemoryStorage(), { metadataSchema: withZod });
    const id = await withAuditContext({ metadata: { user_id: "u" } }, () =>
      logger.log({
        input: "",
        output: "",
        metadata: { session_id: "s" } as unknown as { user_id: string },
      }),
    );
    expect((await logger.getEntry(id))?.metadata).toEqual({ user_id: "u", session_id: "s" });
  });
});
