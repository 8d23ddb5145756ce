// Health checks of storages that hang: an answer in time, with the reason, and one thread at most.
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { rejected } from "@ai-audit/test-support/caught";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { AuditLogger, type AuditStorage, MemoryStorage } from "../../src/index.ts";
import { S3Storage } from "../../src/storage/s3/index.ts";

/** A server that accepts connections and never answers. */
async function silentServer(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on("error", () => undefined)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A storage on a mount that answers nothing until `thaw()`. */
class FrozenStorage extends MemoryStorage {
  readonly #thawed = Promise.withResolvers<void>();
  probes = 0;
  counts = 0;

  thaw(): void {
    this.#thawed.resolve();
  }

  async probe(): Promise<void> {
    this.probes += 1;
    await this.#thawed.promise;
  }

  override async append(line: string, id?: string): Promise<void> {
    await this.#thawed.promise;
    return super.append(line, id);
  }

  override async count(range: Parameters<AuditStorage["count"]>[0]): Promise<number> {
    this.counts += 1;
    await this.#thawed.promise;
    return super.count(range);
  }
}

const UNKNOWN = { totalEntries: null, lastHour: null, pendingWrites: 0, lostWrites: 0 };
const UNANSWERED = {
  code: "AUDIT_WRITE_TIMEOUT",
  message: "health(): the storage did not answer within 50 ms; writes would hang",
};
const UNREAD = {
  code: "AUDIT_READ_FAILED",
  message: "health(): the log was not read within 50 ms",
};

describe("health()", () => {
  it("says what hangs, and says all again when it does no more", async () => {
    const storage = new FrozenStorage();
    const logger = new AuditLogger(storage);
    const hanging = { ...UNKNOWN, ok: false, lastError: UNANSWERED, readError: UNREAD };
    for (let count = 0; count < 5; count += 1)
      expect(await logger.health({ timeoutMs: 50 })).toMatchObject(hanging);
    expect([storage.probes, storage.counts]).toEqual([1, 1]); // each may keep a thread

    storage.thaw();
    await logger.log({ input: "", output: "" });

    expect(await logger.health()).toMatchObject({ ok: true, totalEntries: 1 });
    expect([storage.probes, storage.counts]).toEqual([2, 2]); // those that were given up never began
  });

  it("of a bucket whose server does not answer is not ok", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "a");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "b");
    onTestFinished(() => void vi.unstubAllEnvs());
    const storage = new S3Storage({ bucket: "b", endpoint: await silentServer() });
    expect(await new AuditLogger(storage).health({ timeoutMs: 50 })).toMatchObject({
      ...UNKNOWN,
      ok: false,
      lastError: UNANSWERED,
      readError: UNREAD,
    });
  });

  it("of a log that cannot be read, and can be written, is ok without figures", async () => {
    const storage = new MemoryStorage();
    storage.count = () => Promise.reject(new Error("EIO: i/o error, read"));
    expect(await new AuditLogger(storage).health()).toMatchObject({
      ...UNKNOWN,
      ok: true,
      lastError: undefined,
      readError: { message: "EIO: i/o error, read" },
    });
  });
});

describe("ready()", () => {
  it("rejects when the storage does not confirm in time", async () => {
    const storage = new FrozenStorage();
    const logger = new AuditLogger(storage);
    expect(await rejected(logger.ready({ timeoutMs: 20 }))).toMatchObject({
      code: "AUDIT_WRITE_TIMEOUT",
      message: "ready(): the storage did not confirm a line within 20 ms",
    });
    storage.thaw();
    await logger.ready({ timeoutMs: 20_000 });
  });
});

describe("A time-out", () => {
  it.each([
    ["ready", (logger: AuditLogger) => logger.ready({ timeoutMs: 0 })],
    ["health", (logger: AuditLogger) => logger.health({ timeoutMs: Number.NaN })],
    ["close", (logger: AuditLogger) => logger.close({ timeoutMs: -1 })],
  ])("of %s() that is no time is refused", async (name, call) => {
    expect(await rejected(call(new AuditLogger(new MemoryStorage())))).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: `${name}(): timeoutMs must be a number > 0`,
    });
  });
});
