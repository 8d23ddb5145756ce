import { describe, expect, it } from "vitest";
import { readLineOf } from "../../src/format/read-control-line.ts";
import {
  type Candidate,
  planRemoval,
  removalLines,
  type Surroundings,
} from "../../src/retention/plan.ts";

const ROOT = Buffer.alloc(32).toString("base64");
const OTHER = Buffer.alloc(32, 1).toString("base64");

describe("A removal plan", () => {
  it("removes what is sound, with one line each", () => {
    const { remove, keep, states, carried } = planRemoval([segment("a"), segment("b")], nothing());
    expect(names(remove)).toEqual(["a", "b"]);
    expect([keep, states, carried]).toEqual([[], [], []]);
    const by = { policy: "retention 30 days", actor: "test", at: "2026-11-30T00:00:00.000Z" };
    expect(
      removalLines(remove, by).map((line) => readLineOf(line, "retention.prune")),
    ).toMatchObject([
      { file: "a", leaves: 2, root: ROOT, ...by },
      { file: "b", leaves: 2, root: ROOT, ...by },
    ]);
  });

  it("keeps a segment with a flaw, and says which", () => {
    const plan = planRemoval([segment("a", { flaw: "it was altered" }), segment("b")], nothing());
    expect(names(plan.remove)).toEqual(["b"]);
    expect(plan.keep).toMatchObject([{ fate: "refused", reason: "it was altered" }]);
  });

  it("removes the remains of an earlier run without another line, whatever is wrong with them", () => {
    const { remove } = planRemoval(
      [segment("a", { flaw: "half of it is gone", isRemains: true, states: [ref("x")] })],
      { ...nothing(), mustStayOnRecord: () => true },
    );
    expect(names(remove)).toEqual(["a"]);
    expect(removalLines(remove, { policy: "", actor: "", at: "" })).toEqual([]);
  });

  it("records a state of a segment that stays, unless it is on record, untrusted, empty, or goes as well", () => {
    const candidates = [
      segment("a", {
        states: [ref("stays"), ref("b"), ref("recorded"), { ...ref("stays2"), size: 0 }],
      }),
      segment("b", { states: [ref("untrusted")], isTrusted: false }),
    ];
    const { states } = planRemoval(candidates, {
      ...nothing(),
      mustStayOnRecord: () => true,
      isOnRecord: ({ file }) => file === "recorded",
    });
    expect(states).toEqual([ref("stays")]);
  });

  it("records the largest state of each segment, and both of two roots at one size", () => {
    const candidates = [
      segment("a", { states: [{ ...ref("x"), size: 1 }, ref("x"), { ...ref("x"), root: OTHER }] }),
    ];
    const { states } = planRemoval(candidates, { ...nothing(), mustStayOnRecord: () => true });
    expect(states).toEqual([ref("x"), { ...ref("x"), root: OTHER }]);
  });

  it("records states of a segment that it keeps itself", () => {
    const candidates = [segment("a", { flaw: "altered" }), segment("b", { states: [ref("a")] })];
    expect(planRemoval(candidates, nothing()).states).toEqual([ref("a")]);
  });

  it("carries a removal line as long as a segment that stays refers to the removed file", () => {
    const holder = segment("a", { removals: [removal("gone"), removal("forgotten")] });
    const { carried } = planRemoval([holder], {
      ...nothing(),
      isReferredTo: (file) => file === "gone",
    });
    expect(carried.map((line) => readLineOf(line, "retention.prune")?.file)).toEqual(["gone"]);
  });

  it("keeps a segment with a needed removal line that no trusted key sealed, and what that one refers to", () => {
    const untrusted = segment("a", { isTrusted: false, removals: [removal("gone")] });
    const second = segment("b", { isTrusted: false, removals: [removal("of-a")] });
    const { remove, keep } = planRemoval([untrusted, second], {
      ...nothing(),
      isReferredTo: (file, going) => file === "gone" || (file === "of-a" && !going.has("a")),
    });
    expect(remove).toEqual([]);
    expect(names(keep.map(({ candidate }) => candidate))).toEqual(["a", "b"]);
    expect(keep[0]?.reason).toBe(
      "it records a removal that other files still refer to, and no checkpoint proves it",
    );
  });

  it("keeps a release while the segment of its hold stays, also when that one is refused", () => {
    const candidates = [segment("hold", { flaw: "altered" }), segment("release")];
    const { keep } = planRemoval(candidates, {
      ...nothing(),
      whyHeld: ({ file }, going) =>
        file === "release" && !going.has("hold") ? "it releases a hold" : undefined,
    });
    expect(keep.map(({ candidate, fate }) => [candidate.file, fate])).toEqual([
      ["hold", "refused"],
      ["release", "held"],
    ]);
  });
});

function segment(file: string, facts: Partial<Candidate> = {}): Candidate {
  return {
    file,
    ref: ref(file),
    since: [],
    entries: 1,
    from: null,
    to: null,
    flaw: undefined,
    isRemains: false,
    isTrusted: true,
    states: [],
    removals: [],
    ...facts,
  };
}

function ref(file: string): { file: string; size: number; root: string } {
  return { file, size: 2, root: ROOT };
}

function removal(file: string): Candidate["removals"][number] {
  const line = { leaves: 2, root: ROOT, from: null, to: null, policy: "p", actor: "a" };
  return { type: "retention.prune", file, ...line };
}

function nothing(): Surroundings {
  return {
    whyHeld: () => undefined,
    isReferredTo: () => false,
    mustStayOnRecord: () => false,
    isOnRecord: () => false,
  };
}

function names(segments: readonly Candidate[]): string[] {
  return segments.map(({ file }) => file);
}
