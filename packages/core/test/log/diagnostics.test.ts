// The provider's own words: an error's message may quote the prompt, so it is kept as content is.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { lineToEntry } from "../../src/format/entry-line.ts";
import {
  type AuditEntry,
  AuditLogger,
  type AuditLoggerOptions,
  EncryptionManager,
  FileKeyStore,
  FileStorage,
  generateKey,
  type Interaction,
  MemoryStorage,
} from "../../src/index.ts";

const PLANTED = "jane.doe@example.com of 12 Elm Street";

/** Everything that a provider can say in its own words. */
const SAID: readonly (readonly [string, Partial<Interaction>])[] = [
  ["the error's message", { error: { type: "E", message: `no: "${PLANTED}"` } }],
  [
    "a block reason that repeats the error's message",
    {
      error: { type: "E", code: "content_filter", message: PLANTED },
      blockReason: `blocked: ${PLANTED}`,
    },
  ],
  ["the message of a block", { diagnostics: { blockMessage: PLANTED } }],
  ["alerts", { diagnostics: { alerts: ["ok", PLANTED] } }],
  ["assessments", { diagnostics: { assessments: [{ match: PLANTED, action: "NONE" }] } }],
];

const KEEPING: readonly (readonly [string, () => Partial<AuditLoggerOptions>])[] = [
  ["hash-only", () => ({})],
  ["with content, encrypted", () => encrypted()],
  ["with an encryption key, hash-only", () => ({ ...encrypted(), storeContent: false })],
];

function encrypted(): Partial<AuditLoggerOptions> {
  return { storeContent: true, encryption: new EncryptionManager(generateKey()) };
}

async function bytesOf(path: string): Promise<string> {
  const files = await readdir(path);
  return (await Promise.all(files.map((file) => readFile(join(path, file), "utf8")))).join("");
}

async function logged(
  fields: Partial<Interaction>,
  options: Partial<AuditLoggerOptions> = {},
): Promise<{ readonly logger: AuditLogger; readonly entry: AuditEntry }> {
  const logger = new AuditLogger(new MemoryStorage(), options);
  const entry = await logger.getEntry(await logger.log({ input: "i", output: "o", ...fields }));
  if (entry === undefined) throw new Error("the entry is not there");
  return { logger, entry };
}

describe.each(KEEPING)("A log that is kept %s", (_, options) => {
  it.each(SAID)("has no byte of %s in clear", async (_said, fields) => {
    const path = await temporaryDirectory();
    const logger = new AuditLogger(new FileStorage({ path }), options());
    await logger.log({ input: "i", output: "o", ...fields });
    await logger.close();
    const bytes = await bytesOf(path);
    expect(bytes).toContain('"diagnostics_hash":"');
    for (const word of PLANTED.split(" ").filter(({ length }) => length > 3))
      expect(bytes).not.toContain(word);
  });
});

describe("Diagnostics of an entry", () => {
  const fields = {
    error: { type: "BadRequestError", code: "content_filter", status: 400, message: PLANTED },
    blockReason: PLANTED,
    diagnostics: { alerts: ["a"], assessments: { hate: { severity: "high" } } },
  };
  const said = { errorMessage: PLANTED, blockMessage: PLANTED, ...fields.diagnostics };

  it("leave type, code and status in clear", async () => {
    const { entry } = await logged(fields);
    expect(entry).toMatchObject({
      error: { type: "BadRequestError", code: "content_filter", status: 400 },
      blockReason: "content_filter",
    });
    expect(entry.error).not.toHaveProperty("message");
    expect(entry.diagnosticsContent).toBeUndefined();
  });

  it("are opened with the other contents, plain and encrypted", async () => {
    for (const options of [{ storeContent: true }, encrypted()]) {
      const { logger, entry } = await logged(fields, options);
      expect(logger.content(entry)).toEqual({ input: "i", output: "o", diagnostics: said });
    }
  });

  it("are canonical JSON with the log's names, and can be claimed", async () => {
    const { logger, entry } = await logged(fields, { storeContent: true });
    expect(entry.diagnosticsContent).toBe(
      `{"alerts":["a"],"assessments":{"hate":{"severity":"high"}},"block_message":"${PLANTED}","error_message":"${PLANTED}"}`,
    );
    for (const options of [{}, encrypted()]) {
      const { logger: other, entry: its } = await logged(fields, options);
      expect(other.verifyContent(its, { diagnostics: said })).toEqual({ diagnostics: true });
      const changed = { diagnostics: { ...said, errorMessage: "another" } };
      expect(other.verifyContent(its, changed)).toEqual({ diagnostics: false });
    }
    expect(logger.verifyContent(entry, { input: "i" })).toEqual({ input: true });
  });

  it("are absent where the provider said nothing", async () => {
    const { logger, entry } = await logged({ error: { type: "E", code: "c" } }, encrypted());
    expect(entry).not.toHaveProperty("diagnosticsHash");
    expect(logger.content(entry)).toEqual({ input: "i", output: "o" });
    expect(logger.verifyContent(entry, { diagnostics: {} })).toEqual({ diagnostics: false });
  });

  it("open in their own field alone", async () => {
    const { logger, entry } = await logged(fields, encrypted());
    const moved = { ...entry, diagnosticsContent: entry.inputContent ?? "" };
    expect(await rejected(() => logger.content(moved))).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
      message: "The encrypted content belongs to another entry or field",
    });
  });

  it("go with the key of an erased person", async () => {
    const subjects = new FileKeyStore({ path: await temporaryDirectory() });
    const encryption = new EncryptionManager(generateKey(), { subjects });
    const { logger, entry } = await logged(
      { ...fields, subject: "Jane" },
      { storeContent: true, encryption },
    );
    const records = await Array.fromAsync(logger.exportSubject("Jane"));
    expect(records.map(({ diagnostics }) => diagnostics)).toEqual([said]);
    await logger.eraseSubject("Jane", { actor: "dpo", reason: "art. 17" });
    expect(await rejected(() => logger.content(entry))).toMatchObject({
      code: "AUDIT_SUBJECT_ERASED",
    });
  });

  it("pass the redaction, which may change but not remove their kind", async () => {
    const { logger, entry } = await logged(fields, {
      storeContent: true,
      redact: (field, value) =>
        field === "diagnostics"
          ? { alerts: ["redacted"] }
          : field === "error"
            ? { type: "E" }
            : value,
    });
    expect(logger.content(entry).diagnostics).toEqual({ alerts: ["redacted"] });
  });

  it("of a line of an older version stay where they were written", () => {
    const line = `{"id":"x","timestamp":"2026-01-01T00:00:00.000Z","error":{"type":"E","message":"m"}}`;
    expect(lineToEntry(line)?.error).toEqual({ type: "E", message: "m" });
  });

  it("are refused, or left out, where they are no object", async () => {
    const wrong: object = { input: "i", output: "o", diagnostics: "text" };
    const logger = new AuditLogger(new MemoryStorage());
    expect(await rejected(() => logger.log(wrong as Interaction))).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: "log(): diagnostics must be an object",
    });
  });
});
