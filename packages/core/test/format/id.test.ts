import { describe, expect, it, onTestFinished, vi } from "vitest";
import { newEntryId, newStream, timeOfId, timestampOf } from "../../src/format/id.ts";

describe("newEntryId()", () => {
  it("is a UUIDv7 of the present (RFC 9562, 5.7)", () => {
    const before = Date.now();
    const id = newEntryId();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(timeOfId(id)).toBeGreaterThanOrEqual(before);
    expect(timestampOf(id)).toBe(new Date(timeOfId(id) ?? 0).toISOString());
  });

  it("ascends strictly, also within a millisecond", () => {
    const ids = Array.from({ length: 20_000 }, newEntryId);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(20_000);
    // 42 random bits besides the sequence: no two of them share their end.
    expect(new Set(ids.map((id) => id.slice(-10))).size).toBe(20_000);
  });

  it.each([1, 9000])("ascends when the clock steps back by %i ms", (stepMs) => {
    const first = newEntryId();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - stepMs });
    onTestFinished(() => void vi.useRealTimers());
    const ids = [first, newEntryId(), newEntryId()];
    expect(ids.toSorted()).toEqual(ids);
  });

  it("follows the clock when it steps back by more than ten seconds", () => {
    newEntryId();
    const now = Date.now() - 3_600_000;
    vi.useFakeTimers({ toFake: ["Date"], now });
    onTestFinished(() => void vi.useRealTimers());
    const ids = [newEntryId(), newEntryId()];
    expect(ids.map((id) => timeOfId(id))).toEqual([now, now]);
    expect(ids.toSorted()).toEqual(ids);
  });
});

describe("timeOfId()", () => {
  it("knows UUIDv7 alone", () => {
    expect(timeOfId("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")).toBe(1_645_557_742_000); // RFC 9562, A.6
    for (const id of [
      "6790d599-2aea-4eef-8fd2-0688895b5eb3",
      "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
      "",
      "017f22e2",
    ]) {
      expect(timeOfId(id)).toBeUndefined();
    }
  });
});

describe("newStream()", () => {
  it("is 16 base64url characters, another each time", () => {
    expect(newStream()).toMatch(/^[\w-]{16}$/);
    expect(newStream()).not.toBe(newStream());
  });
});
