// Anchoring in the process that writes the log: beside the writing, and never in its way.
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it, vi } from "vitest";
import { startAuthority } from "@ai-audit/test-support/anchor-parties";
import { AnchorLog } from "../../src/anchor/anchor-log.ts";
import { beginAnchor } from "../../src/anchor/anchorer.ts";
import { writeAnchorKey, writeAnchorState } from "../../src/anchor/key-file.ts";
import { directoryStore, leafName } from "../../src/anchor/store.ts";
import { timeStampSink } from "../../src/anchor/time-stamp.ts";
import type { AuditError } from "../../src/errors.ts";
import { LogAnchor, type LogAnchorOptions } from "../../src/log/log-anchor.ts";
import { AuditLogger } from "../../src/log/logger.ts";
import { verifyLog } from "../../src/log/verify-log.ts";
import { FileStorage } from "../../src/storage/file/file.ts";
import { anchorer, signer } from "./anchored-log.ts";

const CALL = { input: "Hello!", output: "Hi.", provider: "openai", model: "gpt-5" };
const DAY_MS = 86_400_000;
const PATIENCE = { timeout: 20_000 };

/** A directory with a new anchor log and its key, and options whose timer runs once alone. */
async function newAnchor(): Promise<LogAnchorOptions & { readonly log: string }> {
  const root = await temporaryDirectory();
  const to = join(root, "anchor");
  const key = join(root, "anchor.key");
  await writeAnchorKey(key, anchorer);
  await writeAnchorState(key, await beginAnchor(directoryStore(to), anchorer));
  return { log: join(root, "log"), trustedKeys: [signer.vkey], to, key, everyMs: DAY_MS };
}

/** A logger with an anchor that has run once, and the errors that it reported. */
async function startLogger(options: LogAnchorOptions) {
  const started = loggerOf(options);
  const { leaves } = started.anchor.status();
  await vi.waitUntil(() => started.anchor.status().leaves > leaves, PATIENCE);
  await started.anchor.run(); // behind the first one
  return started;
}

function loggerOf(options: LogAnchorOptions) {
  const errors: AuditError[] = [];
  const anchor = new LogAnchor(options);
  const storage = new FileStorage({ path: options.log, signer });
  const onError = (error: AuditError): void => void errors.push(error);
  return { anchor, errors, logger: new AuditLogger(storage, { anchor, onError }) };
}

async function verdictOf({ log, to }: LogAnchorOptions): Promise<string> {
  const anchors = [{ location: to, vkey: anchorer.vkey }];
  return (await verifyLog(log, { trustedKeys: [signer.vkey], anchors })).verdict;
}

describe("a logger with an anchor", () => {
  it("anchors what was sealed, also before the directory is there, and the rest when it closes", async () => {
    const options = await newAnchor();
    const { anchor, errors, logger } = await startLogger(options);
    expect((await logger.health()).anchor).toMatchObject({ leaves: 3, sinks: [], leftOut: [] });
    await logger.log(CALL);
    expect(await anchor.run()).toMatchObject({ exitCode: 0, anchored: 1 });
    const { anchor: status } = await logger.health();
    expect(status).toMatchObject({ lastError: undefined, isStopped: false });
    expect(status?.lagMs).toBeGreaterThanOrEqual(0);
    await logger.log(CALL);
    expect(await verdictOf(options)).toContain("; 1 entry later;");
    await logger.close();
    expect(await verdictOf(options)).toContain("; 0 entries later;");
    expect(errors).toEqual([]);
  });

  it("asks a party that was down again, and the gap is on record", async () => {
    const tsa = await startAuthority();
    const options = await newAnchor();
    const sinks = [timeStampSink({ url: tsa.url, name: "tsa-a" })];
    tsa.setDown(true);
    const { anchor, logger } = await startLogger({ ...options, sinks });
    await logger.log(CALL);
    expect(await anchor.run()).toMatchObject({ exitCode: 2, confirmed: [] });
    expect((await logger.health()).anchor?.sinks).toEqual([
      { name: "tsa-a", lagMs: null, failure: "answered 503" },
    ]);
    tsa.setDown(false);
    expect(await anchor.run()).toMatchObject({ exitCode: 0, confirmed: ["tsa-a"] });
    const sink = (await logger.health()).anchor?.sinks[0];
    expect(sink).toEqual({ name: "tsa-a", lagMs: expect.any(Number), failure: undefined });
    await logger.close();
    const { records } = await AnchorLog.read(directoryStore(options.to), anchorer.vkey);
    expect(records.map(({ leaf }) => "unconfirmed" in leaf && leaf.unconfirmed)).toContainEqual([
      "tsa-a",
    ]);
  });

  it("logs and closes although a party never answers", async () => {
    const asked = Promise.withResolvers<void>();
    const sink = {
      name: "silent",
      everyMs: 0,
      confirm: async () => {
        asked.resolve();
        return new Promise<never>(() => undefined);
      },
      reasonOf: String,
    };
    const options = await newAnchor();
    const { logger } = loggerOf({ ...options, sinks: [sink], closeTimeoutMs: 1 });
    await asked.promise;
    expect(await logger.log(CALL)).not.toBe("");
    await logger.close();
  });

  it("logs on where the anchor log is refused, and reports that once", async () => {
    const options = await newAnchor();
    const { anchor, errors, logger } = loggerOf({ ...options, everyMs: 1 });
    await vi.waitUntil(() => anchor.status().leaves > 2, PATIENCE);
    await rm(join(options.to, leafName(0)));
    await writeFile(join(options.to, leafName(anchor.status().leaves + 1)), "planted");
    await vi.waitUntil(() => anchor.status().isStopped, PATIENCE);
    await logger.log(CALL);
    await logger.close();
    expect(anchor.status().isStopped).toBe(true);
    expect(errors.map(({ code }) => code)).toEqual(["AUDIT_ANCHOR_REFUSED"]);
    expect((await verifyLog(options.log, { trustedKeys: [signer.vkey] })).exitCode).toBe(0);
  });

  it("reports a file that was altered, anchors the others, and runs again", async () => {
    const options = await newAnchor();
    const first = await startLogger(options);
    await first.logger.log(CALL);
    await first.logger.close();
    const [file = ""] = (await verifyLog(options.log)).files.map((one) => one.file);
    const path = join(options.log, file);
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("gpt-5", "gpt-6").replace(/\n$/, "\n\n"));
    const { anchor, errors, logger } = await startLogger(options);
    await logger.log(CALL);
    expect(await anchor.run()).toMatchObject({ exitCode: 1, anchored: 1 });
    expect(anchor.status()).toMatchObject({ isStopped: false, leftOut: [{ file }] });
    expect(errors.at(-1)?.message).toContain(`not everything was anchored: ${file}: TAMPERED`);
    await logger.close();
  });

  it("shares its anchor log with other processes", async () => {
    const options = await newAnchor();
    const key = `${options.key}2`;
    await copyFile(options.key, key);
    await copyFile(`${options.key}.state`, `${key}.state`);
    const pods = [await startLogger(options), await startLogger({ ...options, key })];
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(pods.map(({ logger }) => logger.log(CALL)));
      await Promise.all(pods.map(({ anchor }) => anchor.run()));
    }
    await Promise.all(pods.map(({ logger }) => logger.close()));
    expect(pods.flatMap(({ errors }) => errors)).toEqual([]);
    expect(await verdictOf(options)).toMatch(/^OK: 6 entries .*; 0 entries later;/);
  });

  it.each<[string, Partial<LogAnchorOptions>, string]>([
    ["no key of the log", { trustedKeys: [] }, "AUDIT_CONFIG_INVALID"],
    ["a malformed key", { trustedKeys: ["acme"] }, "AUDIT_KEY_INVALID"],
    ["a key that is not there", { key: "/nowhere/anchor.key" }, "AUDIT_CONFIG_INVALID"],
    ["no time between runs", { everyMs: 0 }, "AUDIT_CONFIG_INVALID"],
  ])("is refused with %s", async (_, wrong, code) => {
    const options = await newAnchor();
    expect(() => new LogAnchor({ ...options, ...wrong })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
