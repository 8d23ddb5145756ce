// Entries found again, and the figures of health().
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { AuditLogger, MemoryStorage } from "../../src/index.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { inMemory } from "./in-memory.ts";

describe("Finding entries", () => {
  it("getEntry() takes an id and nothing else", async () => {
    const logger = inMemory();
    for (const id of ["", 5, undefined]) {
      expect(await rejected(logger.getEntry(id as string))).toMatchObject({
        code: "AUDIT_INPUT_INVALID",
        message: "getEntry() takes an entry id",
      });
    }
    expect(await logger.getEntry("01981f6c-3a00-7abc-8def-0123456789ab")).toBeUndefined();
  });

  it("takes both ends of a range, and any condition with it", async () => {
    const logger = inMemory();
    const ids: string[] = [];
    for (const model of ["a", "b", "a"]) {
      ids.push(
        await logger.log({
          input: "",
          output: "",
          model,
          provider: "p",
          safetyPassed: model === "a",
          outcome: "ok",
        }),
      );
      await sleep(2);
    }
    const entries = await Array.fromAsync(logger.entries());
    expect(entries.map(({ id }) => id)).toEqual(ids);
    const [from, to] = [
      new Date(entries[0]?.timestamp ?? ""),
      new Date(entries[1]?.timestamp ?? ""),
    ];
    expect((await logger.getEntries(from, to)).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect((await logger.getEntries(from, new Date(), { model: "a" })).map(({ id }) => id)).toEqual(
      [ids[0], ids[2]],
    );
    const newest = await Array.fromAsync(logger.entries({ newestFirst: true }));
    expect(newest).toEqual(entries.toReversed());
    expect(await logger.count({ from, to })).toBe(2);
    expect(await logger.count({ safetyPassed: false })).toBe(1);
    expect(
      await logger.count({ provider: "p", outcome: "ok", where: ({ model }) => model === "b" }),
    ).toBe(1);
    expect(await logger.count({ conversationId: "none" })).toBe(0);
    expect(await rejected(logger.count({ subject: "nobody" }))).toMatchObject({
      code: "AUDIT_SUBJECT_INVALID",
    });
    const misspelt: object = { modell: "a" };
    expect(await rejected(logger.count(misspelt))).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: expect.stringContaining('query: condition "modell" is unknown'),
    });
  });

  it("refuses an invalid date and a range that ends before it begins", async () => {
    const logger = inMemory();
    const [early, late] = [new Date("2026-01-01T00:00:00Z"), new Date("2026-01-02T00:00:00Z")];
    const message = "from (2026-01-02T00:00:00.000Z) is after to (2026-01-01T00:00:00.000Z)";
    expect(await rejected(logger.getEntries(late, early))).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message,
    });
    expect(await rejected(logger.count({ from: late, to: early }))).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message,
    });
    expect(await rejected(() => logger.entries({ from: late, to: early }))).toMatchObject({
      message,
    });
    for (const from of [new Date("yesterday"), "2026-01-01", 5]) {
      const error = await rejected(logger.getEntries(from as Date, late));
      expect(error).toMatchObject({
        code: "AUDIT_INPUT_INVALID",
        message: "from is not a valid Date",
      });
    }
    expect(await rejected(logger.cleanupExpired({ now: new Date(Number.NaN) }))).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: "now is not a valid Date",
    });
  });

  it("MemoryStorage lets the oldest go beyond maxEntries", async () => {
    const logger = new AuditLogger(new MemoryStorage({ maxEntries: 3 }));
    const ids = await Promise.all(
      Array.from({ length: 10 }, () => logger.log({ input: "", output: "" })),
    );
    expect((await Array.fromAsync(logger.entries())).map(({ id }) => id)).toEqual(ids.slice(7));
    expect(await logger.getEntry(ids[6] ?? "")).toBeUndefined();
  });
});

describe("health()", () => {
  it("tells the log's figures and the last hour's", async () => {
    const logger = inMemory();
    for (let latencyMs = 1; latencyMs <= 20; latencyMs += 1) {
      await logger.log({ input: "", output: "", latencyMs, safetyPassed: latencyMs > 3 });
    }
    await logger.log({ input: "", output: "" });
    expect(await logger.health()).toEqual({
      ok: true,
      totalEntries: 21,
      lastHour: { entries: 21, safetyFailures: 3, latencyMs: { p50: 10, p95: 19 } },
      pendingWrites: 0,
      lostWrites: 0,
      lastError: undefined,
      readError: undefined,
    });
  });

  it("of an empty log has no latencies", async () => {
    const { lastHour, totalEntries } = await inMemory().health();
    expect(lastHour?.latencyMs).toEqual({ p50: null, p95: null });
    expect(totalEntries).toBe(0);
  });
});
