// The rules of removal and of holds, for logs of any shape. A file of the corpus describes a log in
// a notation that every byte string can be read as, so each mutation is a log too.
import { describe, expect, it } from "vitest";
import type { RemovalLine, SegmentRef } from "../../src/format/control-line.ts";
import { formatControlLine } from "../../src/format/control-line.ts";
import { readLineOf } from "../../src/format/read-control-line.ts";
import { holdsOf, whyFileHeld } from "../../src/retention/holds.ts";
import { type Candidate, planRemoval, type Surroundings } from "../../src/retention/plan.ts";
import { fuzzInputs } from "@ai-audit/test-support/fuzz";

const ROOT = Buffer.alloc(32).toString("base64");

interface Log {
  readonly candidates: readonly Candidate[];
  readonly around: Surroundings;
}

/**
 * A line is a segment, by its first character: `<name> <flags> <states> <removals>`. Flags: F flaw,
 * R remains, T sealed by a trusted key, H held. `x2y3` are states of x and y. A line `~<name>
 * <flags>` is about a segment elsewhere: R referred to, M its states must stay, O they are on
 * record.
 */
function logOf(text: string): Log {
  const candidates = new Map<string, Candidate>();
  const elsewhere = new Map<string, string>();
  const held = new Set<string>();
  for (const line of text.split("\n")) {
    const [name = "", flags = "", states = "", removals = ""] = line.split(" ");
    if (name.startsWith("~")) elsewhere.set(name.slice(1, 2), flags);
    else if (name !== "" && !candidates.has(name.slice(0, 1))) {
      const file = name.slice(0, 1);
      if (flags.includes("H")) held.add(file);
      candidates.set(file, {
        file,
        ref: { file, size: 2, root: ROOT },
        since: [],
        entries: 1,
        from: null,
        to: null,
        flaw: flags.includes("F") ? "altered" : undefined,
        isRemains: flags.includes("R"),
        isTrusted: flags.includes("T"),
        states: [...states.matchAll(/([a-z])(\d)/g)].map(([, of = "", size]) => ({
          file: of,
          size: Number(size),
          root: ROOT,
        })),
        removals: [...removals.matchAll(/[a-z]/g)].map(([of]) => removalOf(of)),
      });
    }
  }
  const is = (file: string, flag: string): boolean => elsewhere.get(file)?.includes(flag) === true;
  return {
    candidates: [...candidates.values()],
    around: {
      whyHeld: ({ file }) => (held.has(file) ? "a hold" : undefined),
      isReferredTo: (file, going) => is(file, "R") && !going.has(file),
      mustStayOnRecord: (file) => is(file, "M"),
      isOnRecord: ({ file }) => is(file, "O"),
    },
  };
}

function removalOf(file: string): RemovalLine {
  return {
    type: "retention.prune",
    file,
    leaves: 2,
    root: ROOT,
    from: null,
    to: null,
    policy: "retention 1 day",
    actor: "test",
    at: "2026-11-30T00:00:00.000Z",
  };
}

/** What is wrong with the plan for a log; empty where nothing is. */
function faultsOf({ candidates, around }: Log): string[] {
  const { remove, keep, states, carried } = planRemoval(candidates, around);
  const going = new Set(remove.map(({ file }) => file));
  const recording = remove.filter(({ isRemains }) => !isRemains);
  const isSaid = (state: SegmentRef): boolean =>
    states.some(({ file, size }) => file === state.file && size >= state.size);
  const isNeeded = ({ file }: RemovalLine): boolean =>
    states.some((state) => state.file === file) || around.isReferredTo(file, going);
  const staying = new Set(keep.map(({ candidate }) => candidate.file));
  return [
    ...(remove.length + keep.length === candidates.length ? [] : ["not each decided once"]),
    ...keep.filter(({ reason }) => reason === "").map(() => "kept without a reason"),
    ...remove.flatMap((candidate) => [
      ...(around.whyHeld(candidate, going) === undefined ? [] : ["a held file goes"]),
      ...(candidate.flaw === undefined || candidate.isRemains ? [] : ["a flawed file goes"]),
    ]),
    ...recording.flatMap((candidate) => [
      ...candidate.removals
        .filter((removal) => isNeeded(removal))
        .map((removal) =>
          candidate.isTrusted && carried.includes(formatControlLine(removal))
            ? ""
            : "a removal off record",
        ),
      ...candidate.states
        .filter(
          (state) =>
            candidate.isTrusted &&
            state.size > 0 &&
            !going.has(state.file) &&
            (staying.has(state.file) || around.mustStayOnRecord(state.file)) &&
            !around.isOnRecord(state),
        )
        .map((state) => (isSaid(state) ? "" : "a state off record")),
    ]),
  ].filter((fault) => fault !== "");
}

describe("The plan of a removal, for a log of any shape", { timeout: 600_000 }, () => {
  it("decides about each file once, and removes no evidence that is needed", () => {
    const found: string[] = [];
    let removed = 0;
    let kept = 0;
    for (const { name, bytes } of fuzzInputs("removals", import.meta.url)) {
      const log = logOf(bytes.toString());
      const plan = planRemoval(log.candidates, log.around);
      removed += plan.remove.length;
      kept += plan.keep.length;
      for (const fault of faultsOf(log)) found.push(`${name}: ${fault}`);
    }
    expect(found).toEqual([]);
    expect(Math.min(removed, kept)).toBeGreaterThan(100);
  });
});

describe("Holds, from lines of any shape", { timeout: 600_000 }, () => {
  it("keep what lies at their bounds, and end by a release of their own id alone", () => {
    const found: string[] = [];
    let count = 0;
    for (const { name, bytes } of fuzzInputs("holds", import.meta.url)) {
      const lines = bytes.toString().split("\n");
      const seconds = new Map(lines.map((line, at) => [`${at}`, { line, vkey: "key" }]));
      const { active, releases } = holdsOf(seconds, () => true);
      const released = lines.flatMap((line) => readLineOf(line, "retention.release")?.hold ?? []);
      for (const line of lines) {
        const hold = readLineOf(line, "retention.hold");
        if (hold === undefined) continue;
        count += 1;
        if (released.includes(hold.hold)) continue;
        if (!active.some(({ id }) => id === hold.hold)) found.push(`${name}: ${hold.hold} is lost`);
        for (const at of [
          hold.from ?? hold.to ?? hold.placed,
          hold.to ?? hold.from ?? hold.placed,
        ]) {
          const span = { file: "elsewhere", from: at, to: at };
          const isOrdered = !(Date.parse(hold.from ?? "") > Date.parse(hold.to ?? ""));
          if (isOrdered && whyFileHeld({ active, releases }, span, new Set()) === undefined)
            found.push(`${name}: ${at} is not held`);
        }
      }
      for (const [release, file] of releases) {
        const by = readLineOf(lines[Number(release)] ?? "", "retention.release");
        const of = readLineOf(lines[Number(file)] ?? "", "retention.hold");
        if (by?.hold !== of?.hold) found.push(`${name}: ${file} is released by ${release}`);
      }
    }
    expect(found).toEqual([]);
    expect(count).toBeGreaterThan(500);
  });
});
