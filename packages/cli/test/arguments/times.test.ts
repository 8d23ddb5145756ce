import { describe, expect, it } from "vitest";
import { parseTime } from "../../src/arguments/times.ts";

const NOW = new Date("2026-11-23T09:20:44.183Z");

describe("A time", () => {
  it.for([
    ["2026-11-22", "2026-11-22T00:00:00.000Z", "2026-11-22T23:59:59.999Z"],
    ["2026-11-22T14:30", "2026-11-22T14:30:00.000Z", "2026-11-22T14:30:00.000Z"],
    ["2026-11-22 14:30:05.123", "2026-11-22T14:30:05.123Z", "2026-11-22T14:30:05.123Z"],
    ["2026-11-22T14:30+02:00", "2026-11-22T12:30:00.000Z", "2026-11-22T12:30:00.000Z"],
    ["today", "2026-11-23T00:00:00.000Z", "2026-11-23T23:59:59.999Z"],
    ["yesterday", "2026-11-22T00:00:00.000Z", "2026-11-22T23:59:59.999Z"],
    ["now", "2026-11-23T09:20:44.183Z", "2026-11-23T09:20:44.183Z"],
    ["90s", "2026-11-23T09:19:14.183Z", "2026-11-23T09:19:14.183Z"],
    ["2h", "2026-11-23T07:20:44.183Z", "2026-11-23T07:20:44.183Z"],
    ["7d", "2026-11-16T09:20:44.183Z", "2026-11-16T09:20:44.183Z"],
  ] as const)("%s means %s as a beginning and %s as an end", ([text, from, to]) => {
    expect(new Date(parseTime(text, "from", NOW)).toISOString()).toBe(from);
    expect(new Date(parseTime(text, "to", NOW)).toISOString()).toBe(to);
  });

  it.for(["", "2026", "2026-13-01", "2026-11-22T25:00", "last week", "5y", "-1d"])(
    "%j is none",
    (text) => {
      expect(() => parseTime(text, "from", NOW)).toThrow(/^It must be a time: /);
    },
  );
});
