import { beforeAll, describe, expect, it } from "vitest";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { S3Storage, type S3StorageOptions } from "../../../src/storage/s3/index.ts";
import { testEntry, type TestEntry } from "../../../src/testing.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { everyNth, type Fault, FaultProxy } from "@ai-audit/test-support/fault-proxy";
import { S3Log } from "../../support/s3-log.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type S3Server, s3Server, serverAt } from "@ai-audit/test-support/s3-servers";

const REFUSALS: readonly Fault[] = [
  { kind: "refuse", status: 500, code: "InternalError" },
  { kind: "refuse", status: 503, code: "SlowDown" },
  { kind: "refuse", status: 409, code: "ConditionalRequestConflict" },
  { kind: "refuse", status: 400, code: "RequestTimeout" },
  { kind: "refuse", status: 400, code: "ExpiredToken" },
];

function idOf(line: string): string {
  return line.slice('{"id":"'.length).slice(0, 36);
}

/** Appends one after the other in some lanes at once; gives those that were acknowledged. */
async function write(storage: S3Storage, lanes: number, each: number): Promise<TestEntry[]> {
  const acknowledged: TestEntry[] = [];
  const lane = async (): Promise<void> => {
    for (let count = 0; count < each; count += 1) {
      const entry = testEntry(Date.now());
      await storage.append(entry.line, entry.id);
      acknowledged.push(entry);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return acknowledged;
}

describe.skipIf(isLeftOut("ceph"))("Behind a network that fails", { timeout: 120_000 }, () => {
  let server: S3Server;
  let log: S3Log;
  let proxy: FaultProxy;

  beforeAll(async () => {
    server = await s3Server("ceph");
  }, 120_000);

  async function through(
    options: Partial<S3StorageOptions> = {},
    config: S3ClientConfig = {},
  ): Promise<S3Storage> {
    log = await S3Log.make(server);
    proxy = await FaultProxy.start(server.endpoint);
    return log.storage({
      client: serverAt(proxy.endpoint).client(config),
      requestTimeoutMs: 500,
      ...options,
    });
  }

  /** Everything acknowledged is there, once, and nothing else is; and the log proves itself. */
  async function expectAllOnce(entries: readonly TestEntry[]): Promise<void> {
    const lines = (await Array.fromAsync(log.storage().pages({}, "oldest-first"))).flat();
    expect(lines.map(idOf).toSorted()).toEqual(entries.map(({ id }) => id).toSorted());
    const verification = await log.verify();
    expect(verification).toMatchObject({ exitCode: 0, entries: entries.length });
  }

  const writes: readonly (readonly [string, readonly Fault[]])[] = [
    ["refusals that pass (500, SlowDown, 409, expired credentials)", REFUSALS],
    ["connections that break before the request", [{ kind: "reset-before" }]],
    ["connections that break after the object was stored", [{ kind: "reset-after" }]],
    [
      "requests that hang before and after the object was stored",
      [{ kind: "hang-before" }, { kind: "hang-after" }],
    ],
    [
      "all of these",
      [...REFUSALS, { kind: "reset-before" }, { kind: "reset-after" }, { kind: "hang-after" }],
    ],
  ];

  it.each(writes)("loses no acknowledged entry and stores none twice: %s", async (_, faults) => {
    const storage = await through();
    proxy.plan = everyNth(3, faults, ({ method }) => method === "PUT");
    const entries = await write(storage, 8, 20);
    proxy.plan = () => undefined;
    await storage.close();
    expect(proxy.faults).toBeGreaterThan(5);
    expect(storage.status()).toMatchObject({ lost: 0, pending: 0, lastError: undefined });
    await expectAllOnce(entries);
  });

  it("survives that the read which decides a 412 fails as well", async () => {
    const storage = await through();
    const puts = everyNth(2, [{ kind: "reset-after" }], ({ method }) => method === "PUT");
    const gets = everyNth(
      2,
      [{ kind: "reset-before" }, { kind: "cut", isClean: true }],
      ({ method }) => method === "GET",
    );
    proxy.plan = (seen) => puts(seen) ?? gets(seen);
    const entries = await write(storage, 4, 10);
    expect(proxy.faults).toBeGreaterThan(5);
    proxy.plan = () => undefined;
    await storage.close();
    await expectAllOnce(entries);
  });

  it("rejects with AUDIT_WRITE_TIMEOUT when nothing gets through in time, records the loss and goes on", async () => {
    const storage = await through({ writeTimeoutMs: 1500 });
    const before = await write(storage, 1, 2);
    proxy.plan = ({ method }) =>
      method === "PUT" ? { kind: "refuse", status: 503, code: "SlowDown" } : undefined;
    const { id, line } = testEntry(Date.now());
    expect(await rejected(storage.append(line, id))).toMatchObject({
      code: "AUDIT_WRITE_TIMEOUT",
      message: expect.stringMatching(
        /^s3:\/\/.* was not stored: no success within 2 s: 503 SlowDown/,
      ),
    });
    expect(storage.status()).toMatchObject({ lost: 1 });
    proxy.plan = () => undefined;
    const after = await write(storage, 1, 1);
    await storage.close();
    const lines = (await Array.fromAsync(log.storage().pages({}, "oldest-first"))).flat();
    expect(lines).toEqual([...before, ...after].map((entry) => entry.line));
    const bodies = await Promise.all((await log.keys()).map((key) => log.read(key)));
    expect(bodies.some(({ body }) => body.includes('{"type":"loss","entries":1,'))).toBe(true);
    // The segment that the failed write broke off is confirmed by the next one of its stream.
    expect(await log.verify()).toMatchObject({ exitCode: 0, entries: 3 });
  });

  it("rejects with AUDIT_WRITE_FAILED, at once, what will never pass", async () => {
    const storage = await through();
    proxy.plan = ({ method }) =>
      method === "PUT" ? { kind: "refuse", status: 403, code: "AccessDenied" } : undefined;
    const { id, line } = testEntry(Date.now());
    expect(await rejected(storage.append(line, id))).toMatchObject({
      code: "AUDIT_WRITE_FAILED",
      message: expect.stringContaining("403 AccessDenied"),
    });
    expect(proxy.seen.filter(({ method }) => method === "PUT")).toHaveLength(1);
  });

  it("takes the server's clock when its own is an hour off", async () => {
    const storage = await through({}, { systemClockOffset: 3_600_000 });
    const entries = await write(storage, 2, 5);
    expect(storage.status()).toMatchObject({ lost: 0, lastError: undefined });
    await storage.close();
    await expectAllOnce(entries);
  });

  it("reads everything, in order, through cut listings, cut bodies, slow bodies and refusals", async () => {
    const storage = await through();
    const entries = await write(storage, 4, 15);
    await storage.close();
    const faults: Fault[] = [
      ...REFUSALS,
      { kind: "cut", isClean: false },
      { kind: "cut", isClean: true },
      { kind: "trickle", pieceMs: 20 },
      { kind: "reset-after" },
      { kind: "hang-after" },
    ];
    proxy.plan = everyNth(3, faults, ({ method }) => method === "GET" || method === "HEAD");
    const reader = log.storage({
      client: serverAt(proxy.endpoint).client(),
      requestTimeoutMs: 500,
    });
    const ids = entries.map(({ id }) => id).toSorted();
    const forward = (await Array.fromAsync(reader.pages({}, "oldest-first"))).flat();
    expect(forward.map(idOf)).toEqual(ids);
    const backward = (await Array.fromAsync(reader.pages({}, "newest-first"))).flat();
    expect(backward).toEqual(forward.toReversed());
    expect(await reader.count({})).toBe(entries.length);
    for (const { id, line } of entries.slice(0, 10)) expect(await reader.get(id)).toBe(line);
    expect(
      await log.verify({
        s3: { client: serverAt(proxy.endpoint).client(), requestTimeoutMs: 500 },
      }),
    ).toMatchObject({
      exitCode: 0,
      entries: entries.length,
    });
    expect(proxy.faults).toBeGreaterThan(20);
  });

  it("rejects a read with AUDIT_READ_FAILED when it may not be done", async () => {
    const storage = await through();
    proxy.plan = () => ({ kind: "refuse", status: 403, code: "AccessDenied" });
    expect(await rejected(storage.get(testEntry(Date.now()).id))).toMatchObject({
      code: "AUDIT_READ_FAILED",
    });
    expect(await rejected(storage.count({}))).toMatchObject({ code: "AUDIT_READ_FAILED" });
  });
});
