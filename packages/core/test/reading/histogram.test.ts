import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Histogram } from "../../src/reading/histogram.ts";

describe("A histogram", () => {
  it("gives quantiles within 1 % of the nearest rank", () => {
    const values = fc.array(fc.integer({ min: 1, max: 10_000_000 }), {
      minLength: 1,
      maxLength: 200,
    });
    fc.assert(
      fc.property(values, fc.constantFrom(0.01, 0.5, 0.95, 0.99, 1), (numbers, q) => {
        const histogram = new Histogram();
        for (const value of numbers) histogram.add(value);
        const sorted = numbers.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(q * sorted.length) - 1] ?? 0;
        const estimate = histogram.quantile(q) ?? 0;
        expect(Math.abs(estimate - exact)).toBeLessThanOrEqual(Math.max(0.5, exact * 0.01));
      }),
    );
  });

  it("without values has none, and of values below 1 gives 0", () => {
    const histogram = new Histogram();
    expect(histogram.quantile(0.5)).toBeNull();
    histogram.add(0);
    histogram.add(0.4);
    expect(histogram.quantile(0.99)).toBe(0);
  });
});
