// Erasing one person, and giving one person their entries, over a real log and a real key store.
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  AuditLogger,
  EncryptionManager,
  FileKeyStore,
  FileStorage,
  Signer,
  verifyLog,
  withAuditContext,
} from "../../src/index.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const BY = { actor: "dpo@example.org", reason: "request of 2026-11-20" };

async function setUp() {
  const [path, keys] = [await temporaryDirectory(), await temporaryDirectory()];
  const master = new EncryptionManager().getKey();
  const open = (log = path, store = keys): AuditLogger =>
    new AuditLogger(new FileStorage({ path: log, signer }), {
      encryption: new EncryptionManager(master, { subjects: new FileKeyStore({ path: store }) }),
      storeContent: true,
    });
  const signer = await Signer.generate("test");
  return { path, keys, open, signer };
}

describe("A data subject", () => {
  it("is known in the log by a random id alone, from log() or from the context", async () => {
    const { path, open } = await setUp();
    const logger = open();
    await logger.log({ input: "a", output: "b", subject: "user-123" });
    await withAuditContext({ subject: "user-123" }, () => logger.log({ input: "c", output: "d" }));
    await logger.log({ input: "e", output: "f", subject: "user-456" });
    const ids = (await Array.fromAsync(logger.entries())).map(({ subject }) => subject);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
    await logger.close();
    const [file = ""] = await readdir(path);
    expect(await readFile(join(path, file), "utf8")).not.toContain("user-123");
  });

  it("gets all their entries, opened, and nobody else's", async () => {
    const { open } = await setUp();
    const logger = open();
    await logger.log({ input: "mine", output: "1", subject: "user-123" });
    await logger.log({ input: "yours", output: "2", subject: "user-456" });
    const records = await Array.fromAsync(logger.exportSubject("user-123"));
    expect(records.map(({ input, output }) => ({ input, output }))).toEqual([
      { input: "mine", output: "1" },
    ]);
    expect(await logger.count({ subject: "user-123" })).toBe(1);
    expect(await logger.count({ subject: "nobody" })).toBe(0);
    await logger.close();
  });

  it("once erased cannot be read by anyone: not with the log, the master key and the key store together", async () => {
    const { path, keys, open, signer } = await setUp();
    const logger = open();
    const gone = await logger.log({ input: "secret of 123", output: "o", subject: "user-123" });
    const kept = await logger.log({ input: "secret of 456", output: "o", subject: "user-456" });
    const plain = await logger.log({ input: "nobody's", output: "o" });
    const erased = await logger.eraseSubject("user-123", BY);
    expect(erased).toHaveLength(1);
    await logger.close();

    const [log, store] = [await temporaryDirectory(), await temporaryDirectory()];
    await cp(path, log, { recursive: true });
    await cp(keys, store, { recursive: true });
    const thief = open(log, store);
    const read = async (id: string) => {
      const entry = await thief.getEntry(id);
      if (!entry) throw new Error("the entry itself must stay");
      return {
        entry,
        content: () => thief.content(entry),
        verify: () => thief.verifyContent(entry, { input: "secret of 123" }),
      };
    };
    const found = await read(gone);
    expect(await rejected(found.content)).toMatchObject({ code: "AUDIT_SUBJECT_ERASED" });
    expect(await rejected(found.verify)).toMatchObject({ code: "AUDIT_SUBJECT_ERASED" });
    expect((await read(kept)).content().input).toBe("secret of 456");
    expect((await read(plain)).content().input).toBe("nobody's");
    expect((await verifyLog(log, { trustedKeys: [signer.vkey] })).exitCode).toBe(0);
    const text = await readFile(join(log, (await readdir(log))[0] ?? ""), "utf8");
    expect(text).toContain(
      `{"type":"subject.erased","subject":"${erased[0]}","actor":"dpo@example.org","reason":"request of 2026-11-20","at":"20`,
    );
  });

  it("once erased leaves no start of a call to guess at either", async () => {
    const { path, keys, open } = await setUp();
    const logger = open();
    await logger.callSink.started({ input: "guess me", subject: "user-123" });
    await logger.eraseSubject("user-123", BY);
    await logger.close();
    const text = await readFile(join(path, (await readdir(path))[0] ?? ""), "utf8");
    const [, hash = ""] = /"input_hash":"([^"]+)"/.exec(text) ?? [];
    const [, stream = ""] = /"stream":"([^"]+)"/.exec(text) ?? [];
    const thief = open(path, keys).encryption;
    expect(hash).toMatch(/^hmac-sha256:/);
    expect(thief?.matches("guess me", hash, thief.kidFor(stream))).toBe(false);
  });

  it("erased is another answer than a lost key", async () => {
    const { path, open } = await setUp();
    const logger = open();
    const id = await logger.log({ input: "a", output: "b", subject: "user-123" });
    await logger.close();
    const stranger = new AuditLogger(path, { encryption: new EncryptionManager() });
    const entry = await stranger.getEntry(id);
    expect(await rejected(() => entry && stranger.content(entry))).toMatchObject({
      code: "AUDIT_KEY_MISSING",
    });
  });

  it("who comes back after an erasure begins anew", async () => {
    const { open } = await setUp();
    const logger = open();
    const before = await logger.log({ input: "old", output: "o", subject: "user-123" });
    await logger.eraseSubject("user-123", BY);
    const after = await logger.log({ input: "new", output: "o", subject: "user-123" });
    const [first, second] = [await logger.getEntry(before), await logger.getEntry(after)];
    expect(first?.subject).not.toBe(second?.subject);
    expect(second && logger.content(second).input).toBe("new");
    expect(await logger.eraseSubject("nobody", BY)).toEqual([]);
    await logger.close();
  });

  it("needs encryption with a key store", async () => {
    const logger = new AuditLogger(await temporaryDirectory());
    expect(
      await rejected(logger.log({ input: "a", output: "b", subject: "user-123" })),
    ).toMatchObject({
      code: "AUDIT_SUBJECT_INVALID",
      message: "a subject needs encryption with a key store (subjects)",
    });
    expect(await rejected(logger.eraseSubject("user-123", BY))).toMatchObject({
      code: "AUDIT_SUBJECT_INVALID",
    });
    expect(await logger.count()).toBe(0);
  });
});

describe("An entry whose subject's key cannot be had", () => {
  it("is reported and counted as lost, and the log says so with its next commit", async () => {
    const path = await temporaryDirectory();
    const told: unknown[] = [];
    const logger = new AuditLogger(path, { onError: ({ code }) => told.push(code) });
    await rejected(logger.log({ input: "a", output: "b", subject: "user-123" }));
    expect(told).toEqual(["AUDIT_SUBJECT_INVALID"]);
    expect(await logger.health()).toMatchObject({ lostWrites: 1 });
    await logger.log({ input: "c", output: "d" });
    await logger.close();
    const [file = ""] = await readdir(path);
    expect(await readFile(join(path, file), "utf8")).toContain('{"type":"loss","entries":1,');
  });
});

describe("eraseSubject", () => {
  it.each([{}, { actor: "dpo" }, { actor: "", reason: "asked" }])(
    "refuses a record without actor or reason: %j",
    async (by) => {
      const { open } = await setUp();
      const logger = open();
      await logger.log({ input: "a", output: "b", subject: "user-123" });
      const erased = logger.eraseSubject("user-123", by as typeof BY);
      expect(await rejected(erased)).toMatchObject({ code: "AUDIT_INPUT_INVALID" });
      expect(await logger.count({ subject: "user-123" })).toBe(1);
      await logger.close();
    },
  );
});
