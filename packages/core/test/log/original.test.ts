// Logs of the Python original: read as they are, and written so that it reads ours.
import { ORIGINAL_FILE, ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { spawnSync } from "node:child_process";
import { appendFile, copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AuditLogger, EncryptionManager, exportEntries, verifyLog } from "../../src/index.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

interface Expected {
  readonly mode: "hash" | "plain" | "encrypted";
  readonly id: string;
  readonly input: string;
  readonly output: string;
}
const expected: readonly Expected[] = JSON.parse(
  await readFile(join(ORIGINAL_LOGS, "expected.json"), "utf8"),
);
const key = (await readFile(join(ORIGINAL_LOGS, "key.txt"), "utf8")).trim();

/** A millisecond of the second in which the fixtures were written. */
function at(millisecond: string): Date {
  return new Date(`2026-11-23T07:02:20.${millisecond}Z`);
}

describe("A log that the Python original wrote", () => {
  it.each(["hash", "plain", "encrypted"] as const)(
    "is listed, found by id and opened: %s",
    async (mode) => {
      const logger = new AuditLogger(join(ORIGINAL_LOGS, mode), {
        encryption: new EncryptionManager(key),
      });
      const wanted = expected.filter((entry) => entry.mode === mode);
      const entries = await Array.fromAsync(logger.entries());
      expect(entries.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
      expect(await logger.count()).toBe(wanted.length);
      for (const { id, input, output } of wanted) {
        const entry = await logger.getEntry(id);
        expect(entry && logger.verifyContent(entry, { input, output })).toEqual({
          input: true,
          output: true,
        });
        expect(entry && logger.content(entry)).toEqual(mode === "hash" ? {} : { input, output });
      }
    },
  );

  it("has UTC timestamps, although it does not say so", async () => {
    const logger = new AuditLogger(join(ORIGINAL_LOGS, "plain"));
    const found = await logger.getEntries(at("132"), at("133"));
    expect(found.map(({ timestamp }) => timestamp)).toEqual([
      "2026-11-23T07:02:20.132838Z",
      "2026-11-23T07:02:20.133516Z",
    ]);
    expect(await logger.getEntries(at("200"), at("999"))).toEqual([]);
  });

  it("is FOREIGN to the verifier, which makes no claim about it", async () => {
    const { exitCode, files } = await verifyLog(join(ORIGINAL_LOGS, "plain"));
    expect(exitCode).toBe(2);
    expect(files.map(({ state, entries }) => ({ state, entries }))).toEqual([
      { state: "FOREIGN", entries: 12 },
    ]);
  });

  it("loses nothing by a torn last line and a rotated name, and new entries go beside it", async () => {
    const path = await temporaryDirectory();
    await copyFile(join(ORIGINAL_LOGS, "hash", ORIGINAL_FILE), join(path, ORIGINAL_FILE));
    await copyFile(
      join(ORIGINAL_LOGS, "plain", ORIGINAL_FILE),
      join(path, "audit_20261123_001.jsonl"),
    );
    await appendFile(join(path, ORIGINAL_FILE), '{"id": "torn", "timest');
    const logger = new AuditLogger(path);
    const id = await logger.log({ input: "new", output: "entry" });
    expect(await logger.count()).toBe(25);
    expect((await logger.getEntry(id))?.provider).toBeNull();
    expect(await logger.getEntry("torn")).toBeUndefined();
    await logger.close();
  });

  it("opens with no other key, and the error does not hold the right one", async () => {
    const logger = new AuditLogger(join(ORIGINAL_LOGS, "encrypted"), {
      encryption: new EncryptionManager(),
    });
    const [entry] = await Array.fromAsync(logger.entries());
    const error = await rejected(() => entry && logger.content(entry));
    expect(error).toMatchObject({ code: "AUDIT_DECRYPT_FAILED" });
    expect(String(error)).not.toContain(key);
  });
});

/**
 * Reads lines as the original does: json.loads, its 17 fields, datetime.fromisoformat, Fernet of
 * base64.
 */
const reader = `
import base64, json, sys
from datetime import datetime
from cryptography.fernet import Fernet
request = json.load(sys.stdin)
fernet = Fernet(request["key"])
fields = ["id","timestamp","input_hash","output_hash","input_content","output_content","provider","model","conversation_id",
  "safety_passed","detectors_triggered","block_reason","alerts","latency_ms","input_tokens","output_tokens","metadata"]
result = []
for line in request["lines"]:
    data = json.loads(line)
    assert list(data) == fields, list(data)
    moment = datetime.fromisoformat(data["timestamp"])
    assert moment.tzinfo is None
    assert datetime.utcnow() >= moment
    opened = fernet.decrypt(base64.urlsafe_b64decode(data["input_content"])).decode()
    result.append({"input": opened, "latency_ms": data["latency_ms"] + 0.5, "metadata": data["metadata"]})
print(json.dumps(result))
`;
describe("exportEntries in the original's format", () => {
  it.skipIf(isLeftOut("cryptography"))(
    "writes lines that Python lists, reads and decrypts",
    async () => {
      const encryption = new EncryptionManager();
      const exportKey = encryption.getKey();
      const logger = new AuditLogger(await temporaryDirectory(), {
        encryption,
        storeContent: true,
      });
      await logger.log({
        input: "Grüße 🚀",
        output: "Hi.",
        latencyMs: 12,
        metadata: { user_id: "u-17" },
      });
      await logger.log({ input: [{ role: "user", content: "Hello!" }], output: "Hi." });
      const lines = await Array.fromAsync(exportEntries(logger, { format: "rotalabs-comply" }));
      await logger.close();
      const { stdout, stderr } = spawnSync("python3", ["-W", "ignore", "-c", reader], {
        input: JSON.stringify({ key: exportKey, lines }),
        encoding: "utf8",
      });
      expect(stderr).toBe("");
      expect(JSON.parse(stdout)).toEqual([
        { input: "Grüße 🚀", latency_ms: 12.5, metadata: { user_id: "u-17" } },
        { input: '[{"content":"Hello!","role":"user"}]', latency_ms: 0.5, metadata: {} },
      ]);
    },
  );

  it("comes back as the same contents when it is read as a foreign log", async () => {
    const encryption = new EncryptionManager();
    encryption.getKey();
    const logger = new AuditLogger(await temporaryDirectory(), { encryption, storeContent: true });
    const id = await logger.log({ input: "Hello!", output: "Hi." });
    const path = await temporaryDirectory();
    for await (const line of exportEntries(logger, { format: "rotalabs-comply" })) {
      await appendFile(join(path, ORIGINAL_FILE), `${line}\n`);
    }
    const [entry] = await Array.fromAsync(new AuditLogger(path).entries());
    expect(entry?.id).toBe(id);
    expect(entry && encryption.decrypt(entry.inputContent ?? "")).toBe("Hello!");
  });

  it("refuses an unknown format", async () => {
    const logger = new AuditLogger(await temporaryDirectory());
    const format: string = "csv";
    const error = await rejected(
      Array.fromAsync(exportEntries(logger, { format: format as "jsonl" })),
    );
    expect(error).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: expect.stringContaining("format must be"),
    });
  });
});
