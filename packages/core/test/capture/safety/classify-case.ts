// The rows of the classifier's tables: one for each place where a provider says something about
// safety, in the shape it was recorded in.
import { expect, it } from "vitest";
import { classifySafety } from "../../../src/capture/safety/classify.ts";

export const passed = { filtered: false, severity: "safe" };
export const stopped = { filtered: true, severity: "high" };
export const choice = (more: object): object => ({
  index: 0,
  finish_reason: "stop",
  message: { content: "x" },
  ...more,
});

export interface Case {
  readonly name: string;
  readonly body?: unknown;
  readonly error?: unknown;
  /** `untold`: blocked, on a side that the payload does not name. */
  readonly blocked?: "input" | "output" | "untold";
  readonly reason?: string;
  readonly triggered?: readonly string[];
  readonly checks?: readonly string[];
}

/** A member of an entry's metadata. */
export function member(metadata: object | undefined, name: string): unknown {
  return metadata && Reflect.get(metadata, name);
}

/** Declares a test for each row. */
export function itClassifies(cases: readonly Case[]): void {
  it.each(cases)("$name", ({ body, error, blocked, reason, triggered, checks }) => {
    const fields = classifySafety({ body, error });
    expect(fields.safetyPassed).toBe(triggered === undefined ? undefined : false);
    expect(fields.outcome).toBe(blocked === undefined ? undefined : "blocked");
    expect(fields.blockReason).toBe(reason);
    const side = blocked === "untold" ? undefined : blocked;
    expect(member(fields.metadata, "blocked_at")).toBe(side);
    expect(fields.detectorsTriggered).toEqual(triggered);
    expect(fields.safetyChecks).toEqual(checks);
  });
}
