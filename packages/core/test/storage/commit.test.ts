import { describe, expect, it } from "vitest";
import { commitOf, countForCommit, type PendingLine } from "../../src/storage/commit.ts";
import { testEntry } from "../../src/testing.ts";

const NOON = Date.UTC(2026, 5, 15, 12);
const MIDNIGHT = Date.UTC(2026, 5, 16);
const UNBOUNDED = { maxLines: Infinity, maxBytes: Infinity, maxSpanMs: Infinity };
const CONTROL: PendingLine = { line: '{"type":"heartbeat"}', id: undefined, bytes: 20 };

function entryAt(time: number): PendingLine {
  const { line, id } = testEntry(time);
  return { line, id, bytes: Buffer.byteLength(line) };
}

const early = entryAt(NOON);
const late = entryAt(NOON + 1);

describe("One commit takes", () => {
  it.each([
    { what: "all lines that wait", waiting: [early, CONTROL, late], bounds: {}, count: 3 },
    {
      what: "no more lines than maxLines",
      waiting: [early, late],
      bounds: { maxLines: 1 },
      count: 1,
    },
    {
      what: "lines up to maxBytes, each with its line feed",
      waiting: [CONTROL, CONTROL, CONTROL],
      bounds: { maxBytes: 42 },
      count: 2,
    },
    {
      what: "one line, whatever its size",
      waiting: [early, late],
      bounds: { maxBytes: 1 },
      count: 1,
    },
    { what: "ascending ids alone", waiting: [late, CONTROL, early], bounds: {}, count: 2 },
    { what: "an id once", waiting: [early, early], bounds: {}, count: 1 },
    {
      what: "ids within maxSpanMs",
      waiting: [early, late, entryAt(NOON + 2)],
      bounds: { maxSpanMs: 1 },
      count: 2,
    },
    {
      what: "entries of one UTC day",
      waiting: [entryAt(MIDNIGHT - 1), CONTROL, entryAt(MIDNIGHT)],
      bounds: {},
      count: 2,
    },
  ])("$what", ({ waiting, bounds, count }) => {
    expect(countForCommit(waiting, { ...UNBOUNDED, ...bounds })).toBe(count);
  });
});

describe("A commit", () => {
  it("knows its entries, its bytes, and the day of its first entry", () => {
    expect(commitOf([CONTROL, early, late])).toMatchObject({
      ids: [early.id, late.id],
      linked: 0,
      bytes: 20 + early.bytes + late.bytes + 3,
      day: MIDNIGHT / 86_400_000 - 1,
    });
  });

  it("of control lines alone is one of today", () => {
    const { day, ids } = commitOf([CONTROL]);
    expect([ids, Math.abs(day - Date.now() / 86_400_000) < 1.001]).toEqual([[], true]);
  });
});
