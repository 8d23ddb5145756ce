import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import {
  AuditError,
  AuditLogger,
  AuditWriteError,
  FileStorage,
  type Interaction,
  MemoryStorage,
  Signer,
} from "../../src/index.ts";
import { rejected } from "@ai-audit/test-support/caught";

/** Fails as a full disk does until there is room. */
class FillingStorage extends MemoryStorage {
  isFull = true;

  override async append(line: string, id?: string): Promise<void> {
    if (this.isFull) throw new AuditWriteError("AUDIT_WRITE_FAILED", "ENOSPC: no space left");
    return super.append(line, id);
  }
}

/** Appends wait until `release` is called. */
class SlowStorage extends MemoryStorage {
  readonly #waiting: (() => void)[] = [];
  #pending = 0;
  #bytes = 0;
  most = 0;

  override async append(line: string, id?: string): Promise<void> {
    this.#pending += 1;
    this.#bytes += line.length;
    this.most = Math.max(this.most, this.#pending);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#pending -= 1;
    this.#bytes -= line.length;
    return super.append(line, id);
  }

  override status(): ReturnType<MemoryStorage["status"]> {
    return { ...super.status(), pending: this.#pending, pendingBytes: this.#bytes };
  }

  release(): boolean {
    const next = this.#waiting.shift();
    next?.();
    return next !== undefined;
  }
}

/** A program whose logger closes when the process ends: <directory> */
const program = (body: string): string =>
  `import { AuditLogger } from ${JSON.stringify(join(import.meta.dirname, "../../src/index.ts"))};
     const logger = new AuditLogger(process.argv[1], { closeOnExit: true });
     await logger.log({ input: "a", output: "b" });
     ${body}`;

const entry = { input: "a", output: "b" };

describe('failureMode: "open"', () => {
  it("resolves to the empty string for each kind of entry that is lost, and tells onError", async () => {
    const storage = new FillingStorage();
    const errors: AuditError[] = [];
    const logger = new AuditLogger(storage, {
      failureMode: "open",
      onError: (error) => errors.push(error),
    });
    expect(await logger.log(entry)).toBe("");
    expect(await logger.log({ input: "a" } as Interaction)).toBe("");
    expect(await logger.log({ ...entry, subject: "anna" })).toBe("");
    storage.isFull = false;
    expect(await logger.log(entry)).toMatch(/^[0-9a-f-]{36}$/);
    await logger.close();
    expect(await logger.log(entry)).toBe("");
    expect(errors.map(({ code }) => code)).toEqual([
      "AUDIT_WRITE_FAILED",
      "AUDIT_INPUT_INVALID",
      "AUDIT_SUBJECT_INVALID",
      "AUDIT_CLOSED",
    ]);
  });

  it("ends no process by a log() that is not awaited, warns once, and records the loss later", async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, "log");
    const source = join(import.meta.dirname, "../../src/index.ts");
    const child = spawn(process.execPath, [
      "--input-type=module",
      "--eval",
      `import { mkdirSync, rmSync, writeFileSync } from "node:fs";
       import { AuditLogger } from ${JSON.stringify(source)};
       const path = ${JSON.stringify(path)};
       const logger = new AuditLogger(path, { failureMode: "open" });
       writeFileSync(path, ""); // no directory can be made there
       for (let n = 0; n < 3; n += 1) void logger.log({ input: "a", output: "b" });
       await logger.flush();
       rmSync(path);
       console.log(await logger.log({ input: "c", output: "d" }) !== "");
       await logger.close();`,
    ]);
    let output = "";
    let warnings = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (warnings += chunk));
    expect(await once(child, "close")).toEqual([0, null]);
    expect(output).toBe("true\n");
    expect(warnings.match(/AuditWarning/g)).toHaveLength(1);
    const [file = ""] = await readdir(path);
    const lines = (await readFile(join(path, file), "utf8")).split("\n");
    expect(lines.filter((line) => line.startsWith('{"type":"loss"'))).toHaveLength(1);
  });
});

describe("Beyond maxPendingBytes", () => {
  it('entries wait for room with whenFull: "wait"; all are kept, few at a time', async () => {
    const storage = new SlowStorage();
    const logger = new AuditLogger(storage, { whenFull: "wait", maxPendingBytes: 20_000 });
    const ids = Array.from({ length: 50 }, () => logger.log(entry));
    const closed = logger.close();
    for (let idle = 0; idle < 3;) {
      idle = storage.release() ? 0 : idle + 1;
      await sleep(0);
    }
    await closed;
    expect(new Set(await Promise.all(ids)).size).toBe(50);
    expect(await logger.count()).toBe(50);
    expect(storage.most).toBeLessThan(12);
  });
});

describe("A value that JSON says nothing of", () => {
  const values: readonly (readonly [string, unknown, RegExp])[] = [
    ["a promise", Promise.resolve("answer"), /is or holds a promise: write await before it$/],
    ["a promise within", { answer: [Promise.resolve(1)] }, /is or holds a promise/],
    ["a stream", new ReadableStream(), /is or holds an object without members/],
    ["a weak map", { cache: new WeakMap() }, /is or holds an object without members/],
    ["headers", new Headers({ a: "b" }), /is or holds an object without members/],
  ];

  it.each(values)("is an error in log(): %s", async (_, value, message) => {
    const logger = new AuditLogger(new MemoryStorage());
    for (const fields of [{ input: value }, { output: value }, { metadata: { value } }]) {
      const error = await rejected(logger.log({ ...entry, ...fields }));
      expect(error).toMatchObject({ code: "AUDIT_INPUT_INVALID" });
      expect((error as Error).message).toMatch(message);
    }
  });

  it.each(values)("is an alert in a captured call: %s", async (_, value, message) => {
    const logger = new AuditLogger(new MemoryStorage());
    const id = await logger.callSink.capture({ ...entry, output: value });
    expect((await logger.getEntry(id))?.alerts).toEqual([expect.stringMatching(message)]);
  });

  it("is not an empty object or list, or an object with members", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    for (const output of [
      {},
      [],
      new Map(),
      new Set(),
      new Date(0),
      new Error("x"),
      new URL("http://a"),
    ])
      expect(await logger.log({ ...entry, output })).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("Health before the first entry", () => {
  it("ready() writes a line in the way of an entry", async () => {
    const path = await temporaryDirectory();
    await using logger = new AuditLogger(path);
    await logger.ready();
    const [file = ""] = await readdir(path);
    expect(await readFile(join(path, file), "utf8")).toContain('{"type":"heartbeat","at":"20');
    expect(await logger.count()).toBe(0);
  });

  it("ready() rejects and health() is not ok where nothing can be written", async () => {
    const directory = await temporaryDirectory();
    const file = join(directory, "file");
    await using logger = new AuditLogger(join(import.meta.filename, "log"));
    expect(await rejected(logger.ready())).toMatchObject({ code: "AUDIT_WRITE_FAILED" });
    const fresh = new AuditLogger("/proc/ai-audit-nowhere");
    const { ok, lastError } = await fresh.health();
    expect({ ok, lastError }).toMatchObject({
      ok: false,
      lastError: { code: "AUDIT_WRITE_FAILED" },
    });
    await mkdir(file);
    await chmod(file, 0o700);
    expect((await new AuditLogger(file).health()).ok).toBe(true);
  });

  it("a signer that was not awaited is named", () => {
    const signer = Signer.generate("x") as unknown as Signer;
    expect(() => new FileStorage({ path: "x", signer })).toThrow(
      "signer is a promise: write await before Signer.generate()",
    );
  });
});

describe("Ending", () => {
  it("close() with a time limit rejects while a storage hangs, and closes later", async () => {
    const storage = new SlowStorage();
    const logger = new AuditLogger(storage);
    const id = logger.log(entry);
    await sleep(0);
    expect(await rejected(logger.close({ timeoutMs: 20 }))).toMatchObject({
      code: "AUDIT_WRITE_TIMEOUT",
      message: "close(): not everything was durable within 20 ms",
    });
    storage.release();
    await logger.close();
    expect(await id).toMatch(/^[0-9a-f-]{36}$/);
  });

  const ends: readonly (readonly [
    string,
    string,
    NodeJS.Signals | undefined,
    readonly unknown[],
  ])[] = [
    ["SIGTERM", "setInterval(() => {}, 1000); console.log('up');", "SIGTERM", [null, "SIGTERM"]],
    [
      "a SIGTERM that the program handles",
      "process.on('SIGTERM', () => setTimeout(() => process.exit(3), 300)); setInterval(() => {}, 1000); console.log('up');",
      "SIGTERM",
      [3, null],
    ],
    ["the last work of the process", "console.log('up');", undefined, [0, null]],
  ];

  it.each(ends)("closeOnExit closes the segment at %s", async (_, body, signal, end) => {
    const path = await temporaryDirectory();
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program(body), path]);
    const closed = once(child, "close");
    await once(child.stdout, "data");
    if (signal) child.kill(signal);
    expect(await closed).toEqual(end);
    const [file = ""] = await readdir(path);
    expect(await readFile(join(path, file), "utf8")).toContain('{"type":"segment.close"');
  });
});
