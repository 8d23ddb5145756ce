import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  type AuditEntry,
  AuditLogger,
  currentAuditContext,
  MemoryStorage,
  withAuditContext,
} from "../../src/index.ts";

const logger = new AuditLogger(new MemoryStorage());

function fail(): never {
  throw new Error("mine");
}

async function logged(fields: object = {}): Promise<AuditEntry | undefined> {
  return logger.getEntry(await logger.log({ input: "", output: "", ...fields }));
}

describe("withAuditContext()", () => {
  it("gives what it sets to every entry written inside it, also after awaits", async () => {
    const trace = { traceId: "0af7651916cd43dd8448eb211c80319c" };
    const entry = await withAuditContext(
      { conversationId: "c", metadata: { user: "u" }, run: { threadId: "t" }, trace },
      async () => {
        await sleep(1);
        return logged();
      },
    );
    expect(entry).toMatchObject({
      conversationId: "c",
      metadata: { user: "u" },
      run: { threadId: "t" },
      trace,
    });
    expect(await logged()).toMatchObject({ conversationId: null, metadata: {} });
    expect((await logged())?.run).toBeUndefined();
  });

  it("nested adds to the outer one: the inner value wins, metadata and facts of a run are merged key by key", async () => {
    const entry = await withAuditContext(
      { conversationId: "outer", metadata: { a: 1, b: 1 }, run: { threadId: "t" } },
      () =>
        withAuditContext({ metadata: { b: 2 }, run: { node: "n" } }, () => {
          expect(currentAuditContext()).toMatchObject({
            conversationId: "outer",
            metadata: { a: 1, b: 2 },
          });
          return logged();
        }),
    );
    expect(entry).toMatchObject({
      conversationId: "outer",
      metadata: { a: 1, b: 2 },
      run: { threadId: "t", node: "n" },
    });
  });

  it("yields to what an entry says of itself", async () => {
    const entry = await withAuditContext(
      { conversationId: "c", metadata: { a: 1, b: 1 }, run: { node: "n" } },
      () => logged({ conversationId: "own", metadata: { b: 2 }, run: { threadId: "t" } }),
    );
    expect(entry).toMatchObject({
      conversationId: "own",
      metadata: { a: 1, b: 2 },
      run: { node: "n", threadId: "t" },
    });
  });

  it("keeps contexts that run at the same time apart", async () => {
    const entries = await Promise.all(
      Array.from({ length: 50 }, async (_, n) =>
        withAuditContext({ conversationId: `c${n}`, metadata: { n } }, async () => {
          await sleep(n % 3);
          return logged();
        }),
      ),
    );
    expect(entries.map((entry) => entry?.conversationId)).toEqual(entries.map((_, n) => `c${n}`));
    expect(entries.map((entry) => entry?.metadata)).toEqual(entries.map((_, n) => ({ n })));
  });

  it("returns what the function returns, and throws what it throws", () => {
    expect(withAuditContext({}, () => 5)).toBe(5);
    expect(() => withAuditContext({}, fail)).toThrow("mine");
    expect(currentAuditContext()).toEqual({});
  });
});
