import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareSegmentNames,
  formatSegmentName,
  MAX_SEGMENT_NUMBER,
  parseSegmentName,
  segmentDay,
  segmentStem,
} from "../../src/format/segment-name.ts";

describe("a segment's name", () => {
  it.each([
    ["audit_20261123.jsonl", { day: "20261123", number: 0 }],
    ["audit_20261123_001.jsonl", { day: "20261123", number: 1 }],
    ["audit_20261123_999.jsonl", { day: "20261123", number: 999 }],
    ["audit_20261123_1000.jsonl", { day: "20261123", number: 1000 }],
    ["audit_20240229.jsonl", { day: "20240229", number: 0 }],
  ])("%s is read and written back", (file, name) => {
    expect(parseSegmentName(file)).toEqual(name);
    expect(formatSegmentName(name)).toBe(file);
  });

  it.each([
    "audit_20261123_000.jsonl",
    "audit_20261123_01.jsonl",
    "audit_20261123_1.jsonl",
    "audit_20261123_0999.jsonl",
    "audit_20261123_.jsonl",
    "audit_20260229.jsonl",
    "audit_20261301.jsonl",
    "audit_20260100.jsonl",
    "audit_2026112.jsonl",
    "audit_20261123.json",
    "audit_20261123.jsonl.gz",
    "Audit_20261123.jsonl",
    "x/audit_20261123.jsonl",
    " audit_20261123.jsonl",
    "audit_20261123.jsonl\n",
    "",
  ])("is not %j", (file) => {
    expect(parseSegmentName(file)).toBeUndefined();
  });

  it("orders days first, then numbers as numbers", () => {
    const files = [
      "audit_20261124.jsonl",
      "audit_20261123_1000.jsonl",
      "audit_20261123_999.jsonl",
      "audit_20261123.jsonl",
    ];
    const names = files.map(parseSegmentName).filter((name) => name !== undefined);
    expect(names.toSorted(compareSegmentNames).map(formatSegmentName)).toEqual(files.toReversed());
  });

  it("survives being written and read for every day and number", () => {
    const dates = fc.date({
      min: new Date("0001-01-01"),
      max: new Date("9999-12-31"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(dates, fc.nat(MAX_SEGMENT_NUMBER), (date, number) => {
        const name = { day: segmentDay(date), number };
        expect(parseSegmentName(formatSegmentName(name))).toEqual(name);
      }),
    );
  });

  it("is not made from a number that could not be read again", () => {
    for (const number of [MAX_SEGMENT_NUMBER + 1, 1e15, -1, 0.5, Number.NaN]) {
      expect(() => formatSegmentName({ day: "20261123", number })).toThrow(
        `${number} is not a segment number of a day`,
      );
    }
    expect(parseSegmentName("audit_20261123_1000000.jsonl")).toBeUndefined();
  });

  it("without its ending is the stem", () => {
    expect(segmentStem("audit_20261123_001.jsonl")).toBe("audit_20261123_001");
    expect(segmentStem("other")).toBe("other");
  });
});
